import { type Cell, type PageKind, parseCell, parsePage } from './page.ts'
import type { Pages } from './payload.ts'

/** A row where it was found. */
export interface PlacedCell {
  readonly page: number
  readonly offset: number
  readonly cell: Cell
}

/** Deeper than any tree of so many pages: one that is damaged may lead in a circle. */
const MAX_DEPTH = 40

export interface Walk {
  /** Pages that some tree has: each belongs to one. */
  readonly seen: PageSet
  /** Called for each page that should be part of the tree and can't be, or of which cells can't be read. */
  damaged(page: number): void
}

/**
 * All rows of a b-tree, those of damaged parts left out. In an index, interior pages hold rows too.
 * @param isIndex what the tree is: a page of the other kind is not part of it.
 */
export function* walkTree(
  source: Pages,
  root: number,
  isIndex: boolean,
  walk: Walk,
): Generator<PlacedCell, void> {
  const open: { readonly number: number; readonly depth: number }[] = [{ number: root, depth: 0 }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { number, depth } = at
    const bytes = source.page(number)
    const page = bytes === undefined ? undefined : parsePage(bytes, number)
    if (bytes === undefined || page?.kind.startsWith('index') !== isIndex || walk.seen.has(number)) {
      walk.damaged(number)
      continue
    }
    walk.seen.add(number)
    let isWhole = !page.isPartial
    const below: number[] = []
    for (const offset of page.offsets) {
      const cell = parseCell(bytes, page.kind, offset, source.usable)
      if (cell === undefined) {
        isWhole = false
        continue
      }
      if (cell.left !== 0) below.push(cell.left)
      if (hasRows(page.kind)) yield { page: number, offset, cell }
    }
    if (page.right !== 0) below.push(page.right)
    if (!isWhole || (depth >= MAX_DEPTH && below.length > 0)) walk.damaged(number)
    if (depth < MAX_DEPTH) for (const one of below.reverse()) open.push({ number: one, depth: depth + 1 })
  }
}

/** The rows of one page that belongs to no tree any more; of `bytes`, where they are another state of it. */
export function* cellsOf(
  source: Pages,
  number: number,
  bytes = source.page(number),
): Generator<PlacedCell, void> {
  const page = bytes === undefined ? undefined : parsePage(bytes, number)
  if (bytes === undefined || page === undefined || !hasRows(page.kind)) return
  for (const offset of page.offsets) {
    const cell = parseCell(bytes, page.kind, offset, source.usable)
    if (cell !== undefined) yield { page: number, offset, cell }
  }
}

/** The cell at a place of a page where one was found before. */
export function cellIn(
  bytes: Uint8Array | undefined,
  number: number,
  offset: number,
  usable: number,
): Cell | undefined {
  const page = bytes === undefined ? undefined : parsePage(bytes, number)
  return bytes === undefined || page === undefined ? undefined : parseCell(bytes, page.kind, offset, usable)
}

const hasRows = (kind: PageKind): boolean => kind !== 'table-interior'

/** A set of page numbers, a bit for each. */
export class PageSet {
  readonly #bits: Uint8Array

  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.floor(pages / 8) + 1)
  }

  has(page: number): boolean {
    return ((this.#bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0
  }

  add(page: number): void {
    const at = page >> 3
    if (at < this.#bits.length) this.#bits[at] = (this.#bits[at] as number) | (1 << (page & 7))
  }
}
