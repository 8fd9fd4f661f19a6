import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { Access } from '../../ports/store.ts'
import { accessOf, addr, Bench, collect, mail } from '../contract/bench.test-kit.ts'
import type { Damage } from './damage-news.ts'
import { openStore, type Store } from './open.ts'
import { Random } from './random.test-kit.ts'
import { ReadFault } from './reader-client.ts'
import { salvage } from './salvage/salvage.ts'
import { makeDataFolder } from './salvage/store.test-kit.ts'
import { digestOf, readTruth, type Truth } from './salvage/truth.test-kit.ts'

/** Each so many-th page is overwritten; 1 for all of them. */
const EVERY = Number(process.env.HIKYAKU_DAMAGE_EVERY ?? 3)
const PAGE = 4096

let root = ''
let truth: Truth
const whole = (): string => join(root, 'whole')

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'hikyaku-damage-'))
  await makeDataFolder(whole(), new Random(5), 40)
  const opened = await open(whole())
  assert(opened.ok)
  await opened.store.close()
  truth = readTruth(whole())
})
after(() => rmSync(root, { recursive: true }))

interface Told {
  readonly faults: string[]
  readonly notes: string[]
  readonly damage: Omit<Damage, 'owner'>[]
}

function open(folder: string, told: Told = { faults: [], notes: [], damage: [] }) {
  return openStore({
    folder,
    directory: { domains: ['example.test'], separator: '+' },
    now: () => Date.now(),
    onFault: (cause) => told.faults.push(cause),
    onNote: (note) => told.notes.push(note),
    onDamage: (damage) => told.damage.push(damage),
  })
}

/** Every message that the store gives, by account, mailbox and UID; what it names as damaged has no digest. */
async function readAll(store: Store): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for (const account of await store.accounts.listAccounts()) {
    const access = accessOf(account.id)
    for (const { name, selectable } of await orNone(store.mailboxes.list(access))) {
      if (!selectable) continue
      const opened = await store.mailboxes.open(access, name, { readOnly: false })
      if (opened.ok) await readMailbox(store, access, opened.value, `${account.login} ${name}`, found)
    }
  }
  return found
}

/** What can't be read is a `ReadFault`, which a session answers by NO. */
async function orNone<T>(read: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read
  } catch (error) {
    assert(error instanceof ReadFault)
    return []
  }
}

async function readMailbox(
  store: Store,
  access: Access,
  view: Parameters<Store['mailboxes']['fetch']>[1],
  place: string,
  found: Map<string, string | undefined>,
): Promise<void> {
  const seqs = Array.from({ length: view.exists }, (_, index) => index + 1)
  const wanted = { sections: [{ path: [], what: 'all' as const }], envelope: true, size: true }
  for await (const rows of store.mailboxes.fetch(access, view, seqs, wanted))
    for (const row of rows) {
      const octets = row.damaged === undefined ? await collect(row.sections?.[0]) : undefined
      found.set(`${place} ${row.uid}`, octets === undefined ? undefined : digestOf(octets))
    }
  view.close()
}

function spoilPage(folder: string, page: number, random: Random): void {
  const file = openSync(join(folder, 'hikyaku.db'), 'r+')
  writeSync(file, random.bytes(PAGE), 0, PAGE, (page - 1) * PAGE)
  closeSync(file)
}

test('whatever page is overwritten: a start is refused with a sentence, or the rest serves and nothing wrong is given', async () => {
  const pages = statSync(join(whole(), 'hikyaku.db')).size / PAGE
  const counts = { refused: 0, served: 0, damaged: 0, taken: 0 }
  for (let page = 1 + (EVERY > 1 ? new Random(Date.now()).below(EVERY) : 0); page <= pages; page += EVERY) {
    const folder = join(root, `page${page}`)
    cpSync(whole(), folder, { recursive: true })
    spoilPage(folder, page, new Random(page))
    const told: Told = { faults: [], notes: [], damage: [] }
    const opened = await open(folder, told)
    if (!opened.ok) {
      counts.refused++
      assert.match(`${opened.error.problem} ${opened.error.fix}`, /hikyaku salvage/, `page ${page}`)
    } else {
      counts.served++
      try {
        assertServed(await readAll(opened.store), page)
        if (await isTaken(opened.store)) counts.taken++
      } finally {
        await opened.store.close()
      }
      counts.damaged += told.damage.length
      assert.deepEqual(told.faults, [], `page ${page}: no thread dies of it`)
    }
    rmSync(folder, { recursive: true })
  }
  assert(counts.damaged > 0 && counts.taken > 0, JSON.stringify(counts))
})

/** What the page does not hold is given as it was, where its mailbox can be opened; nothing is given that is wrong. */
function assertServed(found: ReadonlyMap<string, string | undefined>, page: number): void {
  for (const { login, mailbox, uid, digest } of truth.messages) {
    const given = found.get(`${login} ${mailbox} ${uid}`)
    if (given !== undefined) assert.equal(given, digest, `page ${page}: ${login} ${mailbox} ${uid}`)
  }
}

/** Whether mail for any account is still taken. */
async function isTaken(store: Store): Promise<boolean> {
  const bench = new Bench({ store, reopen: () => assert.fail(), dispose: () => store.close() })
  let any = false
  for (const account of await store.accounts.listAccounts()) {
    const stored = await bench.accept(mail('new', 'after the damage'), [accessOf(account.id)])
    any ||= stored.ok
    if (!stored.ok) assert.equal(stored.failure.kind, 'io')
  }
  return any
}

test('a log that is damaged in its middle keeps the server from starting, and salvage gets what is behind the damage', async () => {
  const folder = join(root, 'log')
  await makeDataFolder(folder, new Random(6), 40)
  const before = readTruth(folder)
  const log = readFileSync(join(folder, 'hikyaku.db-wal'))
  const frame = 24 + PAGE
  const frames = Math.floor((log.length - 32) / frame)
  log.fill(0x55, 32 + Math.floor(frames / 2) * frame + 100, 32 + Math.floor(frames / 2) * frame + 200)
  writeFileSync(join(folder, 'hikyaku.db-wal'), log)
  const opened = await open(folder)
  assert(!opened.ok)
  assert.equal(opened.error.kind, 'damaged')
  assert.match(`${opened.error.problem} ${opened.error.fix}`, /would be lost by a start.*hikyaku salvage/)
  assert.deepEqual(readFileSync(join(folder, 'hikyaku.db-wal')), log, 'the log is as it was')
  const progress = { line: async () => true, signal: new AbortController().signal }
  const done = await salvage({ folder, out: join(root, 'log-out'), sync: () => undefined }, progress)
  assert(done.ok && done.counts.sure > before.messages.length * 0.7)
})

test('attack 29e: a log whose end is torn, as a power cut leaves it, is taken up to there', async () => {
  const folder = join(root, 'torn')
  await makeDataFolder(folder, new Random(7), 20)
  const path = join(folder, 'hikyaku.db-wal')
  const log = readFileSync(path)
  for (const cut of [log.length - 1, log.length - 2000, log.length - 3 * (24 + PAGE)]) {
    const copy = join(root, `torn${cut}`)
    cpSync(folder, copy, { recursive: true })
    writeFileSync(join(copy, 'hikyaku.db-wal'), Buffer.concat([log.subarray(0, cut), Buffer.alloc(9000, 3)]))
    const opened = await open(copy)
    assert(opened.ok, opened.ok ? '' : opened.error.problem)
    await opened.store.close()
  }
})

/** A copy whose tables' root pages (in a small store their only ones) are overwritten. */
async function withSpoilt(
  tables: readonly string[],
  work: (store: Store, told: Told, bench: Bench) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(root, 'spoilt-'))
  cpSync(whole(), folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'hikyaku.db'))
  const roots = tables.map((table) => {
    const row = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)
    return Number(row?.rootpage)
  })
  db.close()
  for (const page of roots) spoilPage(folder, page, new Random(page))
  const told: Told = { faults: [], notes: [], damage: [] }
  const opened = await open(folder, told)
  assert(opened.ok, opened.ok ? '' : opened.error.problem)
  const { store } = opened
  try {
    await work(store, told, new Bench({ store, reopen: () => assert.fail(), dispose: () => store.close() }))
  } finally {
    await store.close()
  }
  assert.deepEqual(told.faults, [])
}

/** A recipient of a host elsewhere. */
const ELSEWHERE = {
  sender: { reversePath: addr('a@far.test'), bodyType: '8BITMIME', smtputf8: false },
  recipients: [{ address: addr('b@far.test') }],
  nextAttemptAtMs: 1,
  skipBytes: 0,
} as const

async function annaOf(store: Store): Promise<Access> {
  const [anna] = await store.accounts.listAccounts()
  assert(anna !== undefined)
  return accessOf(anna.id)
}

test('attack 29j: an operation that meets a damaged page is refused alone; those of the same commit are written', () =>
  withSpoilt(['subscriptions', 'queue_recipients'], async (store, told, bench) => {
    const anna = await annaOf(store)
    const [first, second, third] = await Promise.all(
      [{}, { queue: ELSEWHERE }, {}].map((more, index) =>
        bench.message(mail(`of one turn ${index}`), [anna], more),
      ),
    )
    assert(first !== undefined && second !== undefined && third !== undefined)
    const [one, subscribed, out, two] = await Promise.all([
      store.intake.accept(first),
      store.mailboxes.subscribe(anna, 'Elsewhere', true),
      store.intake.accept(second),
      store.intake.accept(third),
    ])
    assert(one.ok && two.ok)
    assert(!subscribed.ok && subscribed.error.kind === 'io')
    assert(!out.ok && out.failure.kind === 'io')
    const view = await bench.view(anna)
    const uids = [one, two].map((stored) => stored.value[0]?.uid)
    assert.deepEqual(
      [view.uid(view.exists - 1), view.uid(view.exists)],
      uids,
      'nothing of the others is there',
    )
    view.close()
    assert.equal(told.notes.filter((note) => /hikyaku check/.test(note)).length, 2, 'told once for each kind')
  }))

test('mail goes before its trace: damaged pages of traces keep nothing out', () =>
  withSpoilt(['traces', 'trace_addresses'], async (store, told, bench) => {
    const anna = await annaOf(store)
    const uid = await bench.deliver(mail('without a trace'), anna, {
      trace: [{ atMs: 1, kind: 'sender', reversePath: 'a@far.test' }],
    })
    const view = await bench.view(anna)
    assert.equal(view.uid(view.exists), uid)
    assert.match(`${await bench.octets(anna, view, view.exists)}`, /without a trace/)
    view.close()
    assert.match(told.notes.join(), /a page of the database is damaged \(met by "accept"\)/)
  }))

test('known addresses that are damaged keep no server from starting', () =>
  withSpoilt(['good_addresses'], async (store) => {
    assert.equal((await store.accounts.listAccounts()).length, 3)
  }))

test('the copy of the header of a large message is proved by no checksum: what goes out as proved is its file', async () => {
  const folder = mkdtempSync(join(root, 'header-'))
  const told: Told = { faults: [], notes: [], damage: [] }
  const opened = await open(folder, told)
  assert(opened.ok)
  const { store } = opened
  try {
    await giveLarge(store, folder)
  } finally {
    await store.close()
  }
  assert.deepEqual(told.faults, [])
})

async function giveLarge(store: Store, folder: string): Promise<void> {
  const bench = new Bench({ store, reopen: () => assert.fail(), dispose: () => store.close() })
  const anna = await bench.account('anna@example.test')
  const large = mail('large', 'text\r\n'.repeat(100_000))
  for (const text of [large, mail('small')]) await bench.deliver(text, anna, { queue: ELSEWHERE })
  const change = (statement: string): void => {
    const db = new DatabaseSync(join(folder, 'hikyaku.db'))
    db.exec(statement)
    db.close()
  }
  change("UPDATE bodies SET head = CAST(replace(CAST(head AS TEXT), 'large', 'lbrge') AS BLOB)")
  change("UPDATE texts SET bytes = CAST(replace(CAST(bytes AS TEXT), 'ello', 'allo') AS BLOB)")
  const [first, second] = await store.queue.list({ limit: 5 })
  assert(first !== undefined && second !== undefined)
  const end = large.indexOf('\r\n\r\n') + 4
  assert.equal(`${Buffer.from(await store.queue.readHeader(first.id))}`, large.slice(0, end))
  const sent: Uint8Array[] = []
  for await (const piece of store.queue.read(first.id)) sent.push(piece)
  assert(Buffer.concat(sent).equals(Buffer.from(large)), 'and so it is sent on')
  await assert.rejects(store.queue.readHeader(second.id), /its checksum does not match/)
  const view = await bench.view(anna)
  assert.equal(`${await bench.octets(anna, view, 1)}`, large)
  const part = { path: [], what: 'all', partial: { offset: 0, length: 40 } } as const
  const [row] = await bench.rows(anna, view, [1], { sections: [part] })
  assert.equal(`${await collect(row?.sections?.[0])}`, large.slice(0, 40), 'a piece of it, too')
  view.close()
}
