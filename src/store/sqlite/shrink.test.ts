import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { accessOf, Bench, eventually, mail, uids } from '../contract/bench.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openAt } from './open.test-kit.ts'

const MIB = 1024 * 1024
/** More than the floor below which nothing is given back: 2,200 times 20 KiB. */
const MESSAGES = 2200
const TEXT = 'Twenty KiB of it.\r\n'.repeat(1090)

async function openBench(folder: string, notes: string[] = []): Promise<Bench> {
  const open = () => openAt(folder, { onNote: (text) => notes.push(text) })
  let store = await open()
  return new Bench({
    store,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    dispose: () => store.close(),
  })
}

async function fill(bench: Bench, login: string) {
  const access = await bench.account(login)
  for (let at = 0; at < MESSAGES; at += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        bench.deliver(mail(`${at + i}`, TEXT), access, { flags: ['\\Deleted'] }),
      ),
    )
  return access
}

const scratch = (t: { after(what: () => void): void }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-shrink-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const sizes = (folder: string) => ({
  database: statSync(join(folder, 'hikyaku.db')).size,
  log: statSync(join(folder, 'hikyaku.db-wal')).size,
})

test('after a mass deletion the file shrinks while mail goes on coming', { timeout: 120_000 }, async (t) => {
  const folder = scratch(t)
  const notes: string[] = []
  const bench = await openBench(folder, notes)
  const anna = await fill(bench, 'anna@example.test')
  const ben = await bench.account('ben@example.test')
  const view = await bench.view(anna)
  assert.equal(view.exists, MESSAGES)
  assert((await bench.store.mailboxes.expunge(anna, view)).ok)
  view.close()
  let delivered = 0
  await eventually('the file has shrunk', async () => {
    await bench.deliver(mail(`ben ${++delivered}`), ben)
    return notes.length > 0 && sizes(folder).database < 12 * MIB && sizes(folder).log < 12 * MIB
  })
  assert.match(notes.join(), /^\d\d MiB of deleted mail were given back to the disk$/)
  const status = await bench.store.mailboxes.status(ben, 'INBOX')
  assert(status.ok)
  assert.equal(status.value.messages, delivered)
  const read = await bench.view(ben)
  assert.match(
    (await bench.octets(ben, read, delivered)).toString(),
    new RegExp(`Subject: ben ${delivered}\r\n`),
  )
  await bench.store.close()
  assertIntegrity(folder)
})

test('a little unused room is left for the next mail', async (t) => {
  const folder = scratch(t)
  const notes: string[] = []
  const bench = await openBench(folder, notes)
  const anna = await bench.account('anna@example.test')
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => bench.deliver(mail(`${i}`, TEXT), anna, { flags: ['\\Deleted'] })),
  )
  const view = await bench.view(anna)
  assert.equal(uids(view).length, 200)
  assert((await bench.store.mailboxes.expunge(anna, view)).ok)
  view.close()
  const unused = () => {
    const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
    const { freelist_count: pages } = db.prepare('PRAGMA freelist_count').get() ?? {}
    db.close()
    return Number(pages)
  }
  await eventually('the rows are gone', () => unused() > 900)
  for (let i = 0; i < 20; i++) await bench.deliver(mail(`${i}`), anna)
  assert(unused() > 800)
  assert.deepEqual(notes, [])
  await bench.store.close()
})

/** With one message in it; it was made without `auto_vacuum`. */
async function olderDatabase(t: Parameters<typeof scratch>[0]) {
  const folder = scratch(t)
  const bench = await openBench(folder)
  const anna = await bench.account('anna@example.test')
  await bench.deliver(mail('kept'), anna)
  await bench.store.close()
  const database = join(folder, 'hikyaku.db')
  const db = new DatabaseSync(database)
  db.exec('PRAGMA auto_vacuum = NONE')
  db.exec('VACUUM')
  db.close()
  return { anna, database, folder }
}

test('a small database of an older version is rewritten at its opening, and shrinks from then on', async (t) => {
  const { anna, database, folder } = await olderDatabase(t)
  const autoVacuum = (db: DatabaseSync) => Object.values(db.prepare('PRAGMA auto_vacuum').get() ?? {})[0]
  const old = new DatabaseSync(database)
  assert.equal(autoVacuum(old), 0)
  old.close()
  const again = await openBench(folder)
  const view = await again.view(accessOf(anna.owner))
  assert.match((await again.octets(anna, view, 1)).toString(), /Subject: kept/)
  await again.store.close()
  const now = new DatabaseSync(database)
  assert.equal(autoVacuum(now), 2)
  now.close()
  assertIntegrity(folder)
})

test('a database that cannot be rewritten at its opening is opened as it is, and that is told', async (t) => {
  const { anna, database, folder } = await olderDatabase(t)
  const old = new DatabaseSync(database)
  const root = old.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'good_addresses'").get()?.rootpage
  old.close()
  // A damaged page that no start needs.
  const file = openSync(database, 'r+')
  writeSync(file, Buffer.alloc(100, 0x55), 0, 100, (Number(root) - 1) * 4096)
  closeSync(file)
  const notes: string[] = []
  const again = await openBench(folder, notes)
  try {
    assert.match(
      notes.join('\n'),
      /^the database could not be rewritten .* as it was, and the next start tries again$/,
    )
    const view = await again.view(accessOf(anna.owner))
    assert.match((await again.octets(anna, view, 1)).toString(), /Subject: kept/)
    await again.deliver(mail('new'), anna)
  } finally {
    await again.store.close()
  }
})

/** Runs the program until it has deleted, ends it as a power cut would while it shrinks, and gives what it said. */
async function killed(folder: string, round: number): Promise<readonly string[]> {
  const program = join(import.meta.dirname, 'shrink.test-kit.ts')
  const child = spawn(process.execPath, [program, folder, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    if (!said.includes('deleted') && text.includes('deleted'))
      setTimeout(() => child.kill('SIGKILL'), Math.random() * 150)
    said += text
  })
  await new Promise((resolve) => child.once('close', resolve))
  return said.split('\n').slice(0, -1)
}

test('killed while it shrinks, nothing is lost', { timeout: 180_000 }, async (t) => {
  const folder = scratch(t)
  for (let round = 0; round < 4; round++) {
    const said = await killed(folder, round)
    assert(said.includes('deleted'))
    const bench = await openBench(folder)
    t.after(() => bench.store.close())
    const account = await bench.store.accounts.findAccount(`kept${round}@example.test`)
    assert(account !== undefined)
    const kept = accessOf(account.id)
    const view = await bench.view(kept)
    const acknowledged = said.filter((line) => line.startsWith(`${round}-`)).length
    assert(
      view.exists === acknowledged || view.exists === acknowledged + 1,
      `${view.exists} of ${acknowledged}`,
    )
    if (view.exists > 0)
      assert.match((await bench.octets(kept, view, 1)).toString(), new RegExp(`: ${round}-0\r`))
    await bench.store.close()
    assertIntegrity(folder)
  }
})
