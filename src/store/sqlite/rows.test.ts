import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Bench, eventually, mail, uids } from '../contract/bench.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openAt } from './open.test-kit.ts'
import type { Store } from './open.ts'

interface Opened {
  readonly bench: Bench
  readonly folder: string
  readonly store: () => Store
}

async function withStore(body: (opened: Opened) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-full-'))
  let store = await openAt(folder)
  const bench = new Bench({
    store,
    async reopen() {
      await store.close()
      store = await openAt(folder)
      return store
    },
    dispose: () => store.close(),
  })
  try {
    await body({ bench, folder, store: () => store })
  } finally {
    await store.close()
    await rm(folder, { recursive: true })
  }
}

/** What the database holds, read by another connection. */
function count(folder: string, table: string): number {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n)
  } finally {
    db.close()
  }
}

test('attack 29a: a full disk refuses with "full", writes nothing by halves, and recovers', () =>
  withStore(async ({ bench, folder, store }) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliver(mail('before'), anna)
    store().limitPages(120)
    const text = mail('filling', 'x'.repeat(20_000))
    const together = await Promise.all(Array.from({ length: 40 }, () => bench.accept(text, [anna])))
    const results = [...together]
    for (let i = 0; i < 40; i++) results.push(await bench.accept(text, [anna]))
    const stored = results.filter(({ ok }) => ok).length
    assert(stored < 40, 'some did not fit')
    for (const one of results) assert(one.ok || one.failure.kind === 'full', one.ok ? '' : one.failure.cause)
    assert.equal(results.at(-1)?.ok, false)
    const view = await bench.view(anna)
    assert.equal(view.exists, stored + 1)
    for (const table of ['bodies', 'messages', 'entries'])
      assert.equal(count(folder, table), stored + 1, table)
    store().limitPages(1_000_000)
    const uid = await bench.deliver(mail('after'), anna)
    assert.equal(uid, stored + 2, 'UIDs that were never shown may be given again, but no gap is needed')
    assertIntegrity(folder)
    await bench.reopen()
    const again = await bench.view(anna)
    assert.equal(again.exists, stored + 2)
    assert.match((await bench.octets(anna, again, again.exists)).toString(), /after/)
    const account = await bench.store.accounts.findAccount('anna@example.test')
    const status = await bench.store.mailboxes.status(anna, 'INBOX')
    assert(status.ok && status.value.sizeBytes === account?.usedBytes)
  }))

test('what nobody shows any more is given back: rows, bodies and files', () =>
  withStore(async ({ bench, folder }) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const large = Buffer.concat([Buffer.from(mail('large', '')), Buffer.alloc(400_000, 'text\r\n')])
    await bench.accept(large, [anna, ben])
    await bench.deliverMany(3, anna)
    const [view, lagging] = [await bench.view(anna), await bench.view(anna)]
    const all = uids(view)
    const change = { uids: all, action: 'add', flags: ['\\Deleted'], silent: true } as const
    await bench.store.mailboxes.storeFlags(anna, view, change)
    await bench.store.mailboxes.expunge(anna, view)
    view.sync({ expunges: true })
    assert.match((await bench.octets(anna, lagging, 1)).toString(), /large/)
    assert.equal(count(folder, 'messages'), 5, 'kept for the session that still shows them')
    lagging.sync({ expunges: true })
    await eventually('messages are purged', () => count(folder, 'messages') === 1)
    assert.equal(count(folder, 'bodies'), 1)
    assert.equal(count(folder, 'texts'), 0)
    assert.equal((await readdir(join(folder, 'bodies'))).length, 1, 'ben has it still')
    await bench.store.accounts.removeAccount('ben@example.test')
    await eventually('bodies are purged', () => count(folder, 'bodies') === 0)
    await eventually('files are purged', async () => (await readdir(join(folder, 'bodies'))).length === 0)
    assert.equal(count(folder, 'entries'), 0)
    assert.equal(count(folder, 'doomed'), 0)
    assert.equal(count(folder, 'thread_ids'), 0)
    assert.equal(count(folder, 'tombstones'), 4, 'for clients that were away')
  }))

test('what a crash left pinned or doomed is purged at the next start', () =>
  withStore(async ({ bench, folder }) => {
    const anna = await bench.account('anna@example.test')
    await bench.store.mailboxes.create(anna, 'gone')
    await bench.accept(mail('x'), [anna], { mailbox: 'gone' })
    await bench.deliver(mail('y'), anna, { flags: ['\\Deleted'] })
    const [view, lagging] = [await bench.view(anna), await bench.view(anna)]
    const inGone = await bench.view(anna, 'gone')
    await bench.store.mailboxes.expunge(anna, view)
    await bench.store.mailboxes.delete(anna, 'gone')
    assert.equal(count(folder, 'messages'), 2)
    assert(lagging.exists === 1 && inGone.exists === 1)
    await bench.reopen()
    await eventually('all is purged', () => count(folder, 'messages') + count(folder, 'doomed') === 0)
  }))

test('old traces go by age and by size, the rest stays', () =>
  withStore(async ({ bench, folder, store }) => {
    for (let i = 0; i < 1000; i++)
      store().intake.trace(bench.traceId(), [{ atMs: i, kind: 'sender', reversePath: `n${i}@far.test` }])
    await eventually('all are there', () => count(folder, 'traces') === 1000)
    const directory = { domains: ['example.test'], separator: '+' }
    const oneBytes = JSON.stringify([{ atMs: 900, kind: 'sender', reversePath: 'n900@far.test' }]).length
    store().reload({ directory, retention: { traceMaxBytes: oneBytes * 100 } })
    await eventually('most are gone', () => count(folder, 'traces') <= 100)
    assert.equal(count(folder, 'traces'), 100)
    assert.equal(count(folder, 'trace_addresses'), 100)
    const found = await store().traces.find({ from: 'n999@', limit: 5 })
    assert.equal(found.length, 1)
    store().reload({ directory, retention: { traceMaxAgeMs: 1 } })
    await eventually('all are gone', () => count(folder, 'traces') === 0)
  }))

test('the room that traces take is counted in octets, and is none when they are gone', () =>
  withStore(async ({ bench, folder, store }) => {
    const events = [{ atMs: 1, kind: 'sender', reversePath: '飛脚😀@far.test' }] as const
    store().intake.trace(bench.traceId(), events)
    await eventually('it is there', () => count(folder, 'traces') === 1)
    const isNothing = () => count(folder, 'counters WHERE trace_bytes = 0') === 1
    assert(!isNothing())
    assertIntegrity(folder)
    const directory = { domains: ['example.test'], separator: '+' }
    store().reload({ directory, retention: { traceMaxBytes: Buffer.byteLength(JSON.stringify(events)) - 1 } })
    await eventually('it is gone', () => count(folder, 'traces') === 0)
    assert(isNothing(), 'what is miscounted would add up until every trace is too much')
  }))

test('rows, references and counters agree after a busy while', () =>
  withStore(async ({ bench, folder }) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    await bench.deliverMany(40, anna)
    const { mailboxes } = bench.store
    const view = await bench.view(anna)
    const work: Promise<unknown>[] = []
    for (let i = 1; i <= 40; i++) {
      const flags = [i % 2 === 0 ? '\\Seen' : '\\Flagged', i % 5 === 0 ? '\\Deleted' : '\\Draft', `K${i % 3}`]
      work.push(mailboxes.storeFlags(anna, view, { uids: [i], action: 'add', flags, silent: false }))
      if (i % 7 === 0) work.push(mailboxes.copy(anna, view, [i, i - 1], 'Archive'))
      if (i % 11 === 0) work.push(mailboxes.move(anna, view, [i], 'Trash'))
      if (i % 10 === 0) work.push(mailboxes.expunge(anna, view, [i]))
      if (i % 13 === 0)
        work.push(mailboxes.create(anna, `made/${i}`), mailboxes.rename(anna, 'made', `moved${i}`))
      if (i % 9 === 0) work.push(bench.accept(mail(`both ${i}`), [anna, ben], { mailbox: 'made/13' }))
      if (i === 30) work.push(mailboxes.delete(anna, 'Archive'), mailboxes.create(anna, 'Archive'))
    }
    await Promise.all(work)
    assertIntegrity(folder)
    view.close()
    await bench.store.accounts.removeAccount('ben@example.test')
    await eventually('all is purged', () => count(folder, 'doomed') === 0)
    assertIntegrity(folder)
    await bench.reopen()
    assertIntegrity(folder)
  }))
