import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Access } from '../../../ports/store.ts'
import { Bench, mail, uids } from '../../contract/bench.test-kit.ts'
import { checkSteps } from '../check/check.ts'
import { openAt } from '../open.test-kit.ts'
import type { Store } from '../open.ts'
import { Ledger, Replay } from './ledger.test-kit.ts'
import { Hand } from './mixed-load.test-kit.ts'
import { restoreBackup } from './restore.ts'
import { StateReader } from './state.test-kit.ts'

const HANDS = 5
/** Enough that the copy takes a while: some 60 MiB. */
const FILLING = 1500
const FILLING_TEXT = 'Forty KiB of text.\r\n'.repeat(2000)
/** Large messages that go one by one while the backup is made. */
const DOOMED = 80
const unwatched = { line: () => Promise.resolve(true), signal: new AbortController().signal }

function benchOf(store: Store): Bench {
  return new Bench({ store, reopen: () => Promise.resolve(store), dispose: () => store.close() })
}

/** Expunges one large message after the other: a backup that took its state before one of them must still get its file. */
async function trickle(bench: Bench, access: Access): Promise<void> {
  const view = await bench.view(access)
  for (const uid of uids(view)) {
    assert((await bench.store.mailboxes.expunge(access, view, [uid])).ok)
    view.sync({ expunges: true })
    await new Promise((resolve) => setTimeout(resolve, 8))
  }
  view.close()
}

interface Made {
  readonly folder: string
  /** Operations that were committed before the backup was asked for, and that were handed over before it was there. */
  readonly least: number
  readonly most: number
}

async function backUpUnderLoad(store: Store, into: string, ledger: Ledger, seed: number): Promise<Made> {
  const bench = benchOf(store)
  const accounts = await Promise.all(
    Array.from({ length: HANDS }, (_, i) => bench.account(`hand${i}@example.test`)),
  )
  const doomed = await bench.account('doomed@example.test')
  for (let at = 0; at < FILLING; at += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        bench.deliver(mail(`${at + i}`, FILLING_TEXT), accounts[0] as Access),
      ),
    )
  for (let i = 0; i < DOOMED; i++)
    await bench.deliver(mail(`doomed ${i}`, 'x'.repeat(300_000)), doomed, { flags: ['\\Deleted'] })
  let isOver = false
  const hands = accounts.map((own, i) =>
    new Hand(
      bench,
      own,
      accounts.filter((other) => other !== own),
      seed + i,
    ).run(() => isOver),
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  const least = ledger.answered
  const trickling = trickle(bench, doomed)
  const files = [{ path: 'data/tls/secret', bytes: Buffer.from('a secret') }]
  const request = { into, server: 'mail.example.test', version: '0', nowMs: Date.now(), files }
  const result = await store.backups.make(request, unwatched)
  const most = ledger.entries.length
  await trickling
  isOver = true
  await Promise.all(hands)
  assert(result.ok, result.ok ? '' : result.sentence)
  assert.deepEqual(result.made.damaged, [])
  return { folder: result.made.folder, least, most }
}

/** How many operations of the ledger, from its beginning, give exactly the state that the backup holds. */
async function prefixOf(
  backup: StateReader,
  { least, most }: Made,
  ledger: Ledger,
  folder: string,
): Promise<number> {
  const replay = await Replay.open(folder)
  const reader = new StateReader(replay.database)
  try {
    const [pulse, state] = [backup.pulse(), backup.state()]
    let nearest: unknown
    for (let count = least; count <= most; count++) {
      await replay.upTo(ledger, count)
      if (reader.pulse() !== pulse) continue
      const replayed = reader.state()
      try {
        assert.deepEqual(replayed, state)
        return count
      } catch (difference) {
        nearest ??= difference
      }
    }
    throw nearest ?? new Error(`no prefix of ${least} to ${most} operations counts as far as the backup`)
  } finally {
    reader.close()
    await replay.close()
  }
}

/** A restored store is the backup, but for what `settleRestored` says. */
function assertSame(restored: StateReader, backup: StateReader): void {
  const strip = (rows: readonly Record<string, unknown>[], ...names: string[]) =>
    rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))))
  const both = (sql: string, ...names: string[]): void =>
    assert.deepEqual(strip(restored.rows(sql), ...names), strip(backup.rows(sql), ...names), sql)
  both('SELECT * FROM mailboxes ORDER BY id', 'uidvalidity')
  both('SELECT * FROM queue_recipients ORDER BY queue, n', 'state')
  const [there, here] = [restored.state(), backup.state()]
  for (const name of [
    'aliases',
    'keywords',
    'entries',
    'tombstones',
    'messages',
    'bodies',
    'queue',
    'accounts',
  ])
    assert.deepEqual(there.get(name), here.get(name), name)
  const traces = new Set(there.get('traces'))
  assert.deepEqual(
    here.get('traces')?.filter((row) => !traces.has(row)),
    [],
  )
}

test('a backup under load is the store at one moment of its making, and so is what is restored from it', {
  timeout: 300_000,
}, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'hikyaku-under-load-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const seed = Number(process.env.HIKYAKU_SEED ?? Date.now() % 1_000_000)
  t.diagnostic(`seed ${seed}`)
  const ledger = new Ledger()
  t.after(() => ledger.end())
  const live = join(root, 'live')
  const store = await openAt(live)
  t.after(() => store.close())
  const made = await backUpUnderLoad(store, join(root, 'backups'), ledger, seed)
  ledger.end()
  assert(made.most - made.least > 50, 'the load went on while the backup was made')
  const backup = new StateReader(join(made.folder, 'data/hikyaku.db'))
  try {
    const count = await prefixOf(backup, made, ledger, join(root, 'replay'))
    t.diagnostic(`operations: ${made.least} before it, ${count} in it, ${made.most} when it was there`)
    const files = backup
      .rows('SELECT file FROM bodies WHERE file IS NOT NULL')
      .map(({ file }) => String(file))
    for (const file of files) assert(existsSync(join(made.folder, 'data/bodies', file)), file)
    const there = new Set(readdirSync(join(live, 'bodies')))
    const gone = files.filter((file) => !there.has(file))
    assert(gone.length > 0, 'files were held for the backup, and deleted after it')
    const restored = join(root, 'restored')
    const result = await restoreBackup({ from: made.folder, folder: restored, nowMs: Date.now() }, unwatched)
    assert(result.ok, result.ok ? '' : result.sentence)
    const reader = new StateReader(join(restored, 'hikyaku.db'))
    assertSame(reader, backup)
    reader.close()
    const findings = [...checkSteps(restored, { deep: true })].filter(({ kind }) => kind === 'finding')
    assert.deepEqual(findings, [])
  } finally {
    backup.close()
    await store.close()
  }
})
