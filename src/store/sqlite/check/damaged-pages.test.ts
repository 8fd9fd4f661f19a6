import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { Bench, mail } from '../../contract/bench.test-kit.ts'
import { openAt } from '../open.test-kit.ts'
import { CheckDatabase } from './check-database.ts'
import { Collector } from './collector.ts'
import { copyOf, findingsOf, kindsOf, repairNow } from './damaged.test-kit.ts'
import { checkPages } from './pages.ts'

const PAGE_BYTES = 4096
const MESSAGES = 300

const root = mkdtempSync(join(tmpdir(), 'hikyaku-pages-'))
const whole = join(root, 'whole')
before(async () => {
  const store = await openAt(whole)
  const bench = new Bench({ store, reopen: async () => store, dispose: async () => {} })
  const anna = await bench.account('anna@example.test')
  await Promise.all(
    Array.from({ length: MESSAGES }, (_, i) =>
      bench.accept(mail(`number ${i}`, 'some text\r\n'.repeat(60)), [anna], { prefix: 'Received: here\r\n' }),
    ),
  )
  await store.close()
})
after(() => rmSync(root, { recursive: true, force: true }))

/** Overwrites a leaf page of a table in a copy, the second or the last. */
async function spoiled(table: string, which: 'second' | 'last' = 'second'): Promise<string> {
  const folder = await copyOf(whole, join(root, `${table}-${which}`))
  const path = join(folder, 'hikyaku.db')
  const db = new DatabaseSync(path, { readOnly: true })
  const order = which === 'last' ? 'path DESC LIMIT 1' : 'path LIMIT 1 OFFSET 1'
  const sql = `SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY ${order}`
  const page = Number(db.prepare(sql).get(table)?.pageno)
  db.close()
  const handle = openSync(path, 'r+')
  writeSync(handle, Buffer.alloc(PAGE_BYTES, 0x5a), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES)
  closeSync(handle)
  return folder
}

/** UIDs whose message cannot be read. */
function unreadable(folder: string): number[] {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  const read = db.prepare('SELECT b.*, t.* FROM bodies b LEFT JOIN texts t ON t.body = b.id WHERE b.id = ?')
  const uids: number[] = []
  for (const { uid, body } of db.prepare(UIDS).all())
    try {
      read.get(body as number)
    } catch {
      uids.push(Number(uid))
    }
  db.close()
  return uids
}

const UIDS = 'SELECT e.uid, m.body FROM entries e JOIN messages m ON m.id = e.message ORDER BY uid'

for (const table of ['texts', 'bodies'])
  test(`a damaged page of ${table}: its messages alone are told as unreadable, by their UIDs`, async () => {
    const folder = await spoiled(table)
    const lost = unreadable(folder)
    assert(lost.length > 0 && lost.length < 50, String(lost.length))
    const findings = findingsOf(folder)
    assert(kindsOf(findings).includes('page'))
    const told = findings.filter(({ kind, where }) => kind === 'unreadable' && where.row !== undefined)
    assert.deepEqual(
      told.map(({ where }) => [where.account, where.mailbox, where.uid]),
      lost.map((uid) => ['anna@example.test', 'INBOX', uid]),
    )
    assert.deepEqual(
      kindsOf(findings).filter((kind) => kind !== 'page' && kind !== 'unreadable'),
      [],
    )
    const { result } = repairNow(folder)
    assert(!result.ok)
    assert.match(result.problem, /salvage/)
  })

test('ids that are far apart, as after a restore, are not walked through where a page is damaged', async () => {
  const folder = await spoiled('bodies', 'last')
  const lost = unreadable(folder)
  const db = new DatabaseSync(join(folder, 'hikyaku.db'))
  db.exec('UPDATE counters SET body = body + (1 << 32)')
  db.close()
  const told = findingsOf(folder).filter(
    ({ kind, where }) => kind === 'unreadable' && where.row !== undefined,
  )
  assert.deepEqual(
    told.map(({ where }) => where.uid),
    lost,
  )
})

for (const table of ['entries', 'messages'])
  test(`a damaged page of ${table} ends nothing: the rest is looked at`, async () => {
    const folder = await spoiled(table)
    const db = new DatabaseSync(join(folder, 'hikyaku.db'))
    db.exec('UPDATE counters SET trace_bytes = 1; UPDATE bodies SET crc = 0 WHERE id = 250')
    db.close()
    const kinds = kindsOf(findingsOf(folder))
    for (const kind of ['page', 'unreadable', 'trace-bytes', 'body-crc']) assert(kinds.includes(kind), kind)
  })

test('a file too large to be held in one piece is gone through table by table', async () => {
  const folder = await copyOf(whole, join(root, 'large'))
  const look = (): { readonly whole: boolean; readonly kinds: readonly string[] } => {
    const db = CheckDatabase.forReading(join(folder, 'hikyaku.db'))
    const steps = checkPages(db, new Collector(), { serving: true, pagesAtOnce: 10 })
    const kinds: string[] = []
    let step = steps.next()
    for (; step.done !== true; step = steps.next())
      if (step.value.kind === 'finding') kinds.push(step.value.finding.kind)
    db.close()
    return { whole: step.value, kinds }
  }
  assert.deepEqual(look(), { whole: false, kinds: [] })
  const spoiledFolder = await spoiled('entries')
  rmSync(folder, { recursive: true })
  await copyOf(spoiledFolder, folder)
  const { kinds } = look()
  assert(kinds.length > 0 && kinds.every((kind) => kind === 'page'))
})
