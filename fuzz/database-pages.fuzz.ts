import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Bug } from '../src/mail/assert.ts'
import { isMapPage, parseFileHeader } from '../src/store/sqlite/pages/file-header.ts'
import { readFreeList } from '../src/store/sqlite/pages/free-list.ts'
import { readLog } from '../src/store/sqlite/pages/log.ts'
import { MAX_PAYLOAD_BYTES, type Pages, readPayload } from '../src/store/sqlite/pages/payload.ts'
import { parseRecord } from '../src/store/sqlite/pages/record.ts'
import { cellsOf, PageSet, walkTree } from '../src/store/sqlite/pages/tree.ts'

/** A database file, or its log, as damage leaves it. */
export const name = 'database-pages'

/** Small pages, so that a short input has many of them. */
const PAGE_BYTES = 512
/** Rows read of one input: trees of an input that leads to itself often would else take long. */
const MAX_ROWS = 2000

export const corpus: readonly string[] = samples()

function samples(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-fuzz-'))
  try {
    const path = join(folder, 'x.db')
    const db = new DatabaseSync(path)
    db.exec('PRAGMA page_size = 512; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
    db.exec('CREATE TABLE t (a, b); CREATE TABLE w (a PRIMARY KEY, b) WITHOUT ROWID')
    for (let i = 0; i < 20; i++)
      for (const table of ['t', 'w'])
        db.prepare(`INSERT INTO ${table} VALUES (?, ?)`).run(i, 'text '.repeat(i * 10))
    db.exec('DELETE FROM t WHERE a > 15')
    const log = readFileSync(`${path}-wal`).toString('latin1')
    db.close()
    return [readFileSync(path).toString('latin1'), log.slice(0, 40 * (PAGE_BYTES + 24))]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function fuzz(input: Uint8Array): void {
  const source: Pages = {
    pages: Math.ceil(input.length / PAGE_BYTES),
    usable: PAGE_BYTES,
    page(number) {
      const bytes = input.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES)
      return number >= 1 && bytes.length === PAGE_BYTES ? bytes : undefined
    },
  }
  const header = parseFileHeader(input)
  readFreeList(source, header, () => false)
  let rows = 0
  const seen = new PageSet(source.pages)
  for (const isIndex of [false, true])
    for (let root = 1; root <= source.pages && rows < MAX_ROWS; root++)
      for (const { cell } of walkTree(source, root, isIndex, { seen, damaged: () => undefined })) {
        if (++rows > MAX_ROWS) break
        const { bytes, isCut } = readPayload(source, cell)
        if (bytes.length > Math.min(cell.payloadBytes, MAX_PAYLOAD_BYTES)) throw new Bug('more than there is')
        const values = parseRecord(bytes, isCut)
        if (values?.some((value) => value instanceof Uint8Array && value.length > bytes.length))
          throw new Bug('a value larger than its row')
      }
  for (let page = 1; page <= source.pages; page++) {
    isMapPage(page, PAGE_BYTES)
    for (const { cell } of cellsOf(source, page))
      if (cell.local.length > PAGE_BYTES) throw new Bug('beyond its page')
  }
  const log = { size: input.length, read: (at: number, length: number) => input.subarray(at, at + length) }
  const { frames } = readLog(log, { pageBytes: PAGE_BYTES, pages: source.pages })
  for (const frame of frames.values())
    if ((frame + 1) * (PAGE_BYTES + 24) > input.length) throw new Bug('a frame that is not there')
}
