import { readVarint } from './varint.ts'

/** What a page of a b-tree is, by its first octet. */
export type PageKind = 'table-leaf' | 'table-interior' | 'index-leaf' | 'index-interior'

const KINDS: ReadonlyMap<number, PageKind> = new Map([
  [0x0d, 'table-leaf'],
  [0x05, 'table-interior'],
  [0x0a, 'index-leaf'],
  [0x02, 'index-interior'],
])

/** The header of the file stands in front of the first page's own. */
export const FILE_HEADER_BYTES = 100

export interface BtreePage {
  readonly kind: PageKind
  /** Where its cells begin, as far as that can be: each is to be looked at by itself. */
  readonly offsets: readonly number[]
  /** Some of its cells begin where none can. */
  readonly isPartial: boolean
  /** The page behind all cells of an interior page; 0 for a leaf. */
  readonly right: number
}

export interface Cell {
  /** The page before it, in an interior page; 0 in a leaf. */
  readonly left: number
  /** Of a table; undefined in an index. */
  readonly rowid: number | undefined
  /** Of the whole payload; 0 in the interior of a table. */
  readonly payloadBytes: number
  /** As much of the payload as stands on this page. */
  readonly local: Uint8Array
  /** The first page with the rest; 0 where there is no rest. */
  readonly overflow: number
}

/** @returns undefined where the page is none of a b-tree, or its header can't be true. */
export function parsePage(bytes: Uint8Array, number: number): BtreePage | undefined {
  const at = number === 1 ? FILE_HEADER_BYTES : 0
  const kind = KINDS.get(bytes[at] ?? 0)
  if (kind === undefined || bytes.length < at + 12) return undefined
  const view = viewOf(bytes)
  const isInterior = kind.endsWith('interior')
  const count = view.getUint16(at + 3)
  const pointers = at + (isInterior ? 12 : 8)
  const content = pointers + 2 * count
  if (content > bytes.length) return undefined
  const offsets: number[] = []
  for (let i = 0; i < count; i++) {
    const offset = view.getUint16(pointers + 2 * i)
    if (offset >= content && offset < bytes.length) offsets.push(offset)
  }
  const right = isInterior ? view.getUint32(at + 8) : 0
  return { kind, offsets, isPartial: offsets.length < count, right }
}

/**
 * A cell at an offset of its page.
 * @param usable octets of the page that SQLite uses.
 * @returns undefined where it would go beyond the page.
 */
export function parseCell(
  bytes: Uint8Array,
  kind: PageKind,
  offset: number,
  usable: number,
): Cell | undefined {
  const isInterior = kind.endsWith('interior')
  const start = isInterior ? offset + 4 : offset
  if (start >= usable) return undefined
  const left = isInterior ? viewOf(bytes).getUint32(offset) : 0
  if (kind === 'table-interior') {
    const rowid = readVarint(bytes, start)
    return rowid && { left, rowid: rowid.value, payloadBytes: 0, local: NOTHING, overflow: 0 }
  }
  const size = readVarint(bytes, start)
  if (size === undefined) return undefined
  const rowid = kind === 'table-leaf' ? readVarint(bytes, size.next) : undefined
  if (kind === 'table-leaf' && rowid === undefined) return undefined
  const payload = rowid?.next ?? size.next
  const local = localBytes(size.value, kind, usable)
  const end = payload + local
  const spills = local < size.value
  if (end + (spills ? 4 : 0) > usable) return undefined
  return {
    left,
    rowid: rowid?.value,
    payloadBytes: size.value,
    local: bytes.subarray(payload, end),
    overflow: spills ? viewOf(bytes).getUint32(end) : 0,
  }
}

const NOTHING = new Uint8Array(0)

/** How much of a payload stays on its page; the rest goes on in overflow pages. */
function localBytes(payload: number, kind: PageKind, usable: number): number {
  const most = kind === 'table-leaf' ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23
  if (payload <= most) return payload
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const even = least + ((payload - least) % (usable - 4))
  return even <= most ? even : least
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
