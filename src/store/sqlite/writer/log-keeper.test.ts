import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { LOG_PAGES, LOG_PASS_PAGES } from '../../limits.ts'
import { openForWriting } from '../database.ts'
import { type Row, Sql } from '../sql.ts'
import { LogKeeper } from './log-keeper.ts'

const PAGE_BYTES = 4096

/** A writer's connection with its keeper, and another one that does what is asked for. */
function rig(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-log-'))
  const path = join(folder, 'a.db')
  const sql = new Sql(openForWriting(path))
  sql.db.exec('PRAGMA synchronous = OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB)')
  const other = new DatabaseSync(path)
  other.exec('PRAGMA synchronous = OFF')
  t.after(() => {
    other.close()
    sql.db.close()
    rmSync(folder, { recursive: true })
  })
  let asked = 0
  const keeper = new LogKeeper(() => asked++)
  keeper.begin(sql)
  const pages = (): number => Number(sql.get('PRAGMA wal_checkpoint(NOOP)')?.[1])
  return {
    path,
    keeper,
    asked: () => asked,
    pages,
    /** One commit of about so many pages, and the look after it. */
    write(count: number) {
      sql.run('INSERT INTO t (a) VALUES (zeroblob(?))', count * PAGE_BYTES)
      keeper.look(sql)
    },
    /** The pass that was asked for, if one was. @param meanwhile what comes while the pass runs. */
    pass(meanwhile: () => void = () => undefined) {
      if (!keeper.isPassing) return
      other.exec('PRAGMA wal_checkpoint(PASSIVE)')
      meanwhile()
      keeper.passed()
    },
  }
}

test('the other thread is asked once the log has grown, one pass at a time', (t) => {
  const { asked, pass, pages, write } = rig(t)
  write(LOG_PASS_PAGES / 2)
  assert.equal(asked(), 0)
  write(LOG_PASS_PAGES / 2)
  assert.equal(asked(), 1)
  write(LOG_PASS_PAGES)
  assert.equal(asked(), 1, 'the pass is not over')
  pass()
  write(10)
  assert.equal(asked(), 1, 'the pass has written all of it back')
  assert(pages() < LOG_PASS_PAGES, 'so it began anew')
})

test('under endless load the log begins anew', (t) => {
  const { asked, pass, pages, write } = rig(t)
  let most = 0
  let anew = 0
  for (let i = 0, before = 0; i < 60; i++) {
    write(500)
    pass(() => write(500))
    const now = pages()
    most = Math.max(most, now)
    if (now < before) anew++
    before = now
  }
  assert(anew >= 2, `${anew} beginnings`)
  assert(most < LOG_PAGES + 3 * LOG_PASS_PAGES, `${most} pages`)
  assert(asked() >= (2 * LOG_PAGES) / LOG_PASS_PAGES - 2, `${asked()} passes`)
})

test('a reader that keeps the log from its new beginning is waited for without a checkpoint after each commit', (t) => {
  const { asked, pass, pages, path, write } = rig(t)
  const reader = new DatabaseSync(path)
  t.after(() => reader.close())
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM t').get()
  const round = (): void => {
    write(100)
    pass()
  }
  while (pages() < 2 * LOG_PAGES) round()
  assert(asked() <= (2 * LOG_PAGES) / LOG_PASS_PAGES, `${asked()} passes`)
  reader.exec('COMMIT')
  const before = pages()
  for (let i = 0; i < (3 * LOG_PASS_PAGES) / 100; i++) round()
  assert(pages() < before, 'once it is gone the log begins anew')
})

test('a pass that failed is tried again only when the log has grown by as much', (t) => {
  const { asked, keeper, write } = rig(t)
  write(LOG_PASS_PAGES)
  assert.equal(asked(), 1)
  keeper.passed()
  write(LOG_PASS_PAGES / 2)
  assert.equal(asked(), 1)
  write(LOG_PASS_PAGES / 2)
  assert.equal(asked(), 2)
})

test('while a backup reads an older state nothing is written back', (t) => {
  const { asked, keeper, write } = rig(t)
  keeper.pause(true)
  write(LOG_PAGES)
  assert.equal(asked(), 0)
  keeper.pause(false)
  write(10)
  assert.equal(asked(), 1)
})

/** A connection of an older SQLite, which takes an unknown kind of checkpoint for PASSIVE. */
class OldSql extends Sql {
  override get(sql: string, ...values: readonly never[]): Row | undefined {
    if (sql === 'SELECT sqlite_version()') return ['3.50.4']
    return super.get(sql.replace('(NOOP)', '(PASSIVE)'), ...values)
  }
}

test('a SQLite too old to say how long the log is writes it back by itself, not after each commit', (t) => {
  const { asked, path } = rig(t)
  const old = new OldSql(openForWriting(path))
  t.after(() => old.db.close())
  old.db.exec('PRAGMA synchronous = OFF')
  const keeper = new LogKeeper(() => undefined)
  keeper.begin(old)
  old.run('INSERT INTO t (a) VALUES (zeroblob(?))', 100 * PAGE_BYTES)
  keeper.look(old)
  const [, pages, done] = old.db
    .prepare('PRAGMA wal_checkpoint(NOOP)')
    .all()
    .map(Object.values)[0] as number[]
  assert(Number(pages) >= 100 && done === 0, `${done} of ${pages} pages`)
  assert.notEqual(Number(old.get('PRAGMA wal_autocheckpoint')?.[0]), 0)
  assert.equal(asked(), 0)
})
