import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMapPage, parseFileHeader } from './file-header.ts'
import { readFreeList } from './free-list.ts'
import { PageImage } from './image.ts'
import { readLog } from './log.ts'
import { FRAME_HEADER_BYTES, LOG_HEADER_BYTES, parseLogHeader } from './log-frame.ts'
import { parseCell, parsePage } from './page.ts'
import { readPayload } from './payload.ts'
import { parseRecord, type Value } from './record.ts'
import { PageSet, walkTree } from './tree.ts'
import { readVarint } from './varint.ts'

const PAGE = 4096
type Cells = readonly Value[]

const cell: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 300 }),
  fc
    .string({ unit: 'grapheme', maxLength: 200 })
    .filter((text) => !text.includes('\0') && text.isWellFormed()),
  fc.uint8Array({ maxLength: 9000 }),
)
const rows = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 60 })

/** A database with a table of each kind, as we make ours; `work` sees its files while they are open, log and all. */
function withDatabase(given: readonly Cells[], work: (path: string, db: DatabaseSync) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-pages-'))
  const path = join(folder, 'x.db')
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA page_size = 4096; PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0')
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a ANY, b ANY, c ANY) STRICT')
    db.exec('CREATE TABLE w (k INTEGER PRIMARY KEY, a ANY, b ANY, c ANY) STRICT, WITHOUT ROWID')
    for (const table of ['t', 'w']) {
      const insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?)`)
      for (const [index, row] of given.entries()) insert.run(index + 1, ...row)
    }
    work(path, db)
  } finally {
    db.close()
    rmSync(folder, { recursive: true })
  }
}

function rowsOf(image: PageImage, root: number, isIndex: boolean): Value[][] {
  const damaged = (page: number): never => assert.fail(`page ${page}`)
  const found: Value[][] = []
  for (const { cell } of walkTree(image, root, isIndex, { seen: new PageSet(image.pages), damaged })) {
    const { bytes, isCut } = readPayload(image, cell)
    const values = parseRecord(bytes)
    assert(values !== undefined && !isCut)
    found.push(isIndex ? values : [cell.rowid as number, ...values.slice(1)])
  }
  return found.sort((a, b) => Number(a[0]) - Number(b[0]))
}

const plain = (row: Cells): unknown[] =>
  row.map((value) => (value instanceof Uint8Array ? [...value] : value))
const ROOTS = { t: 3, w: 4 } as const

test('round trip: what SQLite wrote is read, from the log and from the file', () => {
  fc.assert(
    fc.property(rows, (given) => {
      withDatabase(given, (path, db) => {
        for (const checkpoint of [false, true]) {
          if (checkpoint) db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
          const image = PageImage.open(path)
          for (const [table, isIndex] of [
            ['t', false],
            ['w', true],
          ] as const) {
            const root = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.rootpage
            assert.equal(root, ROOTS[table])
            const wanted = given.map((row, index) => plain([index + 1, ...row]))
            assert.deepEqual(rowsOf(image, ROOTS[table], isIndex).map(plain), wanted)
          }
          assert.equal(image.log.frames.size === 0, checkpoint)
          image.close()
        }
      })
    }),
    { numRuns: 25 },
  )
})

test('a record, a page and a header cut at every byte are none, or rows that were there', () => {
  const given = Array.from(
    { length: 30 },
    (_, index): Cells => [`row ${index}`, Buffer.alloc(index * 40, 7), null],
  )
  withDatabase(given, (path, db) => {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const bytes = readFileSync(path)
    for (let end = 0; end < 100; end++) assert.equal(parseFileHeader(bytes.subarray(0, end)), undefined)
    const image = PageImage.open(path)
    const whole = rowsOf(image, ROOTS.t, false).map(plain)
    for (let number = 1; number <= image.pages; number++) {
      const page = image.page(number) as Uint8Array
      for (let end = 0; end <= PAGE; end += end < 300 ? 1 : 61)
        assertKnown(page.subarray(0, end), number, whole)
    }
    for (const { cell } of walkTree(image, ROOTS.t, false, {
      seen: new PageSet(99),
      damaged: () => assert.fail(),
    })) {
      const payload = readPayload(image, cell).bytes
      for (let end = 0; end < payload.length; end++)
        assert.equal(parseRecord(payload.subarray(0, end)), undefined)
    }
    image.close()
  })
})

/** Cells of a page that is cut are whole rows, or none. */
function assertKnown(bytes: Uint8Array, number: number, whole: readonly (readonly unknown[])[]): void {
  const page = parsePage(bytes, number)
  if (page?.kind !== 'table-leaf' || number === 1) return
  for (const offset of page.offsets) {
    const cell = parseCell(bytes, page.kind, offset, bytes.length)
    const values = cell === undefined || cell.overflow !== 0 ? undefined : parseRecord(cell.local)
    if (values === undefined || cell?.rowid === undefined) continue
    const row = plain([cell.rowid, ...values.slice(1)])
    assert(whole.some((one) => JSON.stringify(one) === JSON.stringify(row)))
  }
}

/** A log of three commits, and what its frames are. */
function withLog(work: (log: Buffer, frames: number, path: string) => void): void {
  withDatabase([['one', 1, null]], (path, db) => {
    db.exec("UPDATE t SET a = 'two'")
    db.exec("UPDATE t SET a = 'three'")
    const log = readFileSync(`${path}-wal`)
    work(log, (log.length - LOG_HEADER_BYTES) / (FRAME_HEADER_BYTES + PAGE), path)
  })
}

const read = (log: Buffer, pages = 1) =>
  readLog(
    { size: log.length, read: (at, length) => log.subarray(at, at + length) },
    { pageBytes: PAGE, pages },
  )

test('a log cut at every byte has the commits that are whole in it', () =>
  withLog((log, frames) => {
    const whole = read(log)
    assert.equal(Math.max(...whole.frames.values()), frames - 1)
    for (let end = 0; end <= log.length; end += end < 200 ? 1 : 97) {
      const cut = read(log.subarray(0, end))
      const left = Math.floor((end - LOG_HEADER_BYTES) / (FRAME_HEADER_BYTES + PAGE))
      for (const [page, frame] of cut.frames) {
        assert(frame < left)
        assert(page <= whole.commitPages)
      }
      assert.deepEqual([cut.damaged.size, cut.unknown], [0, 0])
    }
    for (let end = 0; end < LOG_HEADER_BYTES; end++)
      assert.equal(parseLogHeader(log.subarray(0, end)), undefined)
  }))

test('a log is read on behind a frame that is damaged, and the frames behind it are still proved', () =>
  withLog((log, frames) => {
    const whole = read(log)
    for (let frame = 0; frame < frames; frame++)
      for (const [offset, length] of [
        [FRAME_HEADER_BYTES + 100, 8],
        [16, 8],
        [8, 8],
        [0, FRAME_HEADER_BYTES + PAGE],
      ] as const) {
        const spoilt = Buffer.from(log)
        const start = LOG_HEADER_BYTES + frame * (FRAME_HEADER_BYTES + PAGE) + offset
        for (let at = start; at < start + length; at++) spoilt[at] = (spoilt[at] as number) ^ 0xa5
        const found = read(spoilt)
        const newest = [...whole.frames].filter(([, one]) => one > frame + 1)
        for (const [page, one] of newest) assert.equal(found.frames.get(page), one, `frame ${frame}`)
        const page = [...whole.frames].find(([, one]) => one === frame)?.[0]
        if (page === undefined) continue
        if (offset > FRAME_HEADER_BYTES) assert(found.damaged.has(page), `frame ${frame}`)
        // Sums that are damaged alone are proved by the frame behind.
        if (offset === 16 && frame < frames - 1) assert.deepEqual([found.damaged.size, found.unknown], [0, 0])
      }
  }))

test('a log without its header is known by its first frames', () =>
  withLog((log, _frames) => {
    const spoilt = Buffer.from(log)
    spoilt.fill(0, 0, LOG_HEADER_BYTES)
    assert.deepEqual([...read(spoilt).frames], [...read(log).frames])
  }))

test('free pages are those that SQLite counts; a list that leads in a circle is none', () => {
  const given = Array.from({ length: 400 }, (_, index): Cells => [index, Buffer.alloc(900, 1), null])
  withDatabase(given, (path, db) => {
    db.exec('DELETE FROM t')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const image = PageImage.open(path)
    const free = readFreeList(image, image.header, () => false)
    assert(free.isWhole)
    let count = 0
    for (let page = 1; page <= image.pages; page++) if (free.pages.has(page)) count++
    assert.equal(count, db.prepare('PRAGMA freelist_count').get()?.freelist_count)
    assert.equal(readFreeList(image, image.header, (page) => page !== 1).isWhole, false)
    image.close()
    const bytes = readFileSync(path)
    const trunk = bytes.readUInt32BE(32)
    bytes.writeUInt32BE(trunk, (trunk - 1) * PAGE)
    writeFileSync(path, bytes)
    const circle = PageImage.open(path)
    assert.equal(readFreeList(circle, circle.header, () => false).isWhole, false)
    circle.close()
  })
})

test('a tree that leads in a circle ends', () => {
  const page = Buffer.alloc(PAGE)
  page[0] = 0x05
  page.writeUInt32BE(2, 8)
  const source = { pages: 3, usable: PAGE, page: () => page }
  const damaged: number[] = []
  const walk = { seen: new PageSet(3), damaged: (number: number) => void damaged.push(number) }
  assert.deepEqual([...walkTree(source, 2, false, walk)], [])
  assert.deepEqual(damaged, [2])
  const overflow = Buffer.alloc(PAGE)
  overflow.writeUInt32BE(2, 0)
  const cellOf = { left: 0, rowid: 1, payloadBytes: 50_000, local: new Uint8Array(10), overflow: 2 }
  const payload = readPayload({ pages: 3, usable: PAGE, page: () => overflow }, cellOf)
  assert.equal(payload.bytes.length, 50_000)
  assert.equal(readPayload(source, { ...cellOf, payloadBytes: 1e12 }).isCut, true)
})

test('integers of the file format: all lengths, and none that is no number', () => {
  for (const [octets, value] of [
    [[0], 0],
    [[0x7f], 127],
    [[0x81, 0], 128],
    [[0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 2 ** 53 - 1],
  ] as const)
    assert.deepEqual(readVarint(Uint8Array.from(octets), 0), { value, next: octets.length })
  for (const octets of [[], [0x80], Array(8).fill(0xff), Array(9).fill(0xff)])
    assert.equal(readVarint(Uint8Array.from(octets), 0), undefined)
})

test('pages that map others stand at their places', () => {
  const at = Array.from({ length: 3000 }, (_, index) => index + 1).filter((page) => isMapPage(page, PAGE))
  assert.deepEqual(at, [2, 822, 1642, 2462])
})
