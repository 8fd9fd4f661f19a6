import { readVarint } from './varint.ts'

/** A value in a row as it stands on its page. */
export type Value = null | number | string | Uint8Array

/** More columns than any table or index of ours has. */
const MAX_COLUMNS = 64

/**
 * A row's values out of its payload. Blobs are parts of `payload`. Where the payload `isCut`, the last value may be shorter
 * than it was.
 * @returns undefined where the octets are no whole record: lengths that do not add up, text that is no UTF-8, an
 * integer too large for a number, more than `MAX_COLUMNS`.
 */
export function parseRecord(payload: Uint8Array, isCut = false): Value[] | undefined {
  const types = readTypes(payload)
  if (types === undefined) return undefined
  let at = types.end
  const values: Value[] = []
  for (const [index, type] of types.types.entries()) {
    const whole = sizeOf(type)
    if (whole === undefined) return undefined
    const isLast = index === types.types.length - 1
    const size = isCut && isLast && type >= 12 ? Math.min(whole, payload.length - at) : whole
    if (at + size > payload.length) return undefined
    const value = cellValue(type, payload.subarray(at, at + size))
    if (value === undefined) return undefined
    values.push(value)
    at += size
  }
  return at === payload.length ? values : undefined
}

function readTypes(
  payload: Uint8Array,
): { readonly types: readonly number[]; readonly end: number } | undefined {
  const size = readVarint(payload, 0)
  if (size === undefined || size.value > payload.length) return undefined
  const types: number[] = []
  let at = size.next
  while (at < size.value) {
    const type = readVarint(payload, at)
    if (type === undefined || type.next > size.value || types.length === MAX_COLUMNS) return undefined
    types.push(type.value)
    at = type.next
  }
  return at === size.value ? { types, end: at } : undefined
}

/** Octets of a value by its serial type. 10 and 11 are SQLite's own and never in a file. */
function sizeOf(type: number): number | undefined {
  if (type >= 12) return Math.floor((type - 12) / 2)
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type]
}

function cellValue(type: number, octets: Uint8Array): Value | undefined {
  if (type === 0) return null
  if (type === 8 || type === 9) return type - 8
  if (type === 7) return new DataView(octets.buffer, octets.byteOffset, 8).getFloat64(0)
  if (type <= 6) return integerOf(octets)
  return type % 2 === 0 ? octets : textOf(octets)
}

function integerOf(octets: Uint8Array): number | undefined {
  const [first = 0] = octets
  let value = first >= 0x80 ? first - 256 : first
  for (const octet of octets.subarray(1)) value = value * 256 + octet
  return Number.isSafeInteger(value) ? value : undefined
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(octets: Uint8Array): string | undefined {
  try {
    return UTF8.decode(octets)
  } catch {
    // Damaged, then: what writes our texts writes UTF-8.
    return undefined
  }
}
