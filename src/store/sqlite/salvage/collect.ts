import { isMapPage } from '../pages/file-header.ts'
import { readFreeList } from '../pages/free-list.ts'
import type { PageImage } from '../pages/image.ts'
import { readPayload } from '../pages/payload.ts'
import { parseRecord } from '../pages/record.ts'
import { cellsOf, PageSet, type PlacedCell, walkTree } from '../pages/tree.ts'
import { type Catalog, RANK, type Rank } from './catalog.ts'
import { SHAPES, type Shape, type TableName } from './shapes.ts'

/** What was wrong with the database itself. */
export interface DatabaseDamage {
  /** Pages that belong to a table's tree and can't be read as such, by table or index. */
  readonly pages: ReadonlyMap<string, number>
  /** Rows that are none, by table. */
  readonly rows: ReadonlyMap<string, number>
  /** Pages that no tree led to, with rows on them. */
  readonly found: number
  /** Damaged frames of the log. */
  readonly frames: number
  readonly isSchemaDamaged: boolean
  readonly isFreeListDamaged: boolean
}

/** Pages looked at before the operator is told how far it has come. */
const PROGRESS_PAGES = 50_000

/**
 * Finds all rows: first along the trees, as SQLite would; then on pages that no tree leads to any more, where rows are
 * known by their look. Pages on the list of free ones hold rows that were deleted.
 * @param tell called now and then; throws to break off.
 */
export async function collectRows(
  image: PageImage,
  catalog: Catalog,
  tell: (text: string) => Promise<void>,
): Promise<DatabaseDamage> {
  const collector = new Collector(image, catalog)
  collector.walkTrees()
  await tell(`Read along the trees of ${image.pages} pages`)
  const free = readFreeList(image, image.header, (page) => image.isUnsure(page))
  let found = 0
  for (let page = 2; page <= image.pages; page++) {
    if (page % PROGRESS_PAGES === 0) await tell(`Looked for rows on ${page} of ${image.pages} pages`)
    if (collector.seen.has(page) || free.pages.has(page)) continue
    if (image.header?.hasMaps !== false && isMapPage(page, image.usable)) continue
    const isFree = free.isWhole && page <= image.statedPages ? 'no' : 'perhaps'
    if (collector.takePage(page, { isFree })) found++
  }
  for (const page of image.log.damaged.keys()) collector.takeOlder(page)
  catalog.settle()
  const { log } = image
  const { pages, rows, isSchemaDamaged } = collector
  return {
    ...{ pages, rows, found, isSchemaDamaged },
    frames: log.unknown + log.damaged.size,
    isFreeListDamaged: !free.isWhole,
  }
}

/** A tree that holds nothing of ours may lead to our pages, where a damaged page says so. */
const UNIQUE: readonly Shape[] = SHAPES.filter(({ isUnique }) => isUnique)

class Collector {
  readonly seen: PageSet
  readonly pages = new Map<string, number>()
  readonly rows = new Map<string, number>()
  isSchemaDamaged = false
  readonly #image: PageImage
  readonly #catalog: Catalog
  readonly #rooted = new Set<TableName>()

  constructor(image: PageImage, catalog: Catalog) {
    this.#image = image
    this.#catalog = catalog
    this.seen = new PageSet(image.pages)
  }

  walkTrees(): void {
    for (const { name, root, isIndex } of this.#trees()) {
      const shape = SHAPES.find(({ table }) => table === name)
      if (shape !== undefined) this.#rooted.add(shape.table)
      const walk = { seen: this.seen, damaged: () => count(this.pages, name) }
      for (const placed of walkTree(this.#image, root, shape?.isIndex ?? isIndex, walk))
        if (shape !== undefined) this.#take(placed, shape)
        else this.#takeAs(placed, UNIQUE, RANK.found)
    }
  }

  /** Whether the page has rows of ours. Of free pages only what a tree that is damaged lacks can be rows that count. */
  takePage(page: number, how: { readonly isFree: 'no' | 'perhaps' }): boolean {
    const tables = SHAPES.filter(
      ({ table, isUnique }) => isUnique && (how.isFree === 'no' || this.#isSuspect(table)),
    )
    return this.#takeCells(cellsOf(this.#image, page), tables, RANK.found)
  }

  takeOlder(page: number): void {
    const bytes = this.#image.older(page)
    if (bytes === undefined) return
    const unique = SHAPES.filter(({ isUnique }) => isUnique)
    this.#takeCells(cellsOf(this.#image, page, bytes), unique, RANK.older)
  }

  #takeCells(cells: Iterable<PlacedCell>, shapes: readonly Shape[], rank: Rank): boolean {
    let any = false
    for (const placed of cells) if (this.#takeAs(placed, shapes, rank)) any = true
    return any
  }

  /** A row of a tree. One that does not look so may be another table's, where a damaged page led to it. */
  #take(placed: PlacedCell, shape: Shape): void {
    if (this.#takeAs(placed, [shape], RANK.tree)) return
    count(this.rows, shape.table)
    const others = SHAPES.filter((other) => other.isUnique && other !== shape)
    this.#takeAs(placed, others, RANK.found)
  }

  #takeAs(placed: PlacedCell, shapes: readonly Shape[], rank: Rank): boolean {
    const { cell, offset, page } = placed
    const isIndex = cell.rowid === undefined
    const kin = shapes.filter((shape) => shape.isIndex === isIndex)
    if (kin.length === 0) return false
    const payload = readPayload(this.#image, cell)
    const values = parseRecord(payload.bytes, payload.isCut)
    if (values === undefined) return false
    const shape = kin.find((one) => one.fits(values, cell.rowid))
    if (shape === undefined || (payload.isCut && shape.table !== 'bodies' && shape.table !== 'texts'))
      return false
    this.#catalog.add(shape.table, values, { page, offset, rank, rowid: cell.rowid ?? 0 })
    if (shape.table === 'bodies' && typeof values[6] === 'string') this.#catalog.addFile(values[6])
    return true
  }

  #isSuspect(table: TableName): boolean {
    const { log } = this.#image
    if (log.unknown > 0 || log.damaged.size > 0 || !this.#rooted.has(table)) return true
    return this.pages.has(table) || this.rows.has(table)
  }

  /** The trees that the schema names. An index's pages are walked too, so that nobody takes them for lost ones. */
  #trees(): { readonly name: string; readonly root: number; readonly isIndex: boolean }[] {
    const trees: { name: string; root: number; isIndex: boolean }[] = []
    const walk = {
      seen: this.seen,
      damaged: () => {
        this.isSchemaDamaged = true
      },
    }
    for (const placed of walkTree(this.#image, 1, false, walk)) {
      const [type, name, , root, sql] = parseRecord(readPayload(this.#image, placed.cell).bytes) ?? []
      if (typeof name !== 'string' || typeof root !== 'number' || root < 2) {
        this.isSchemaDamaged = true
        this.#takeAs(placed, UNIQUE, RANK.found)
      } else {
        const isIndex = type === 'index' || /WITHOUT ROWID\s*$/i.test(typeof sql === 'string' ? sql : '')
        trees.push({ name, root, isIndex })
      }
    }
    return trees
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
