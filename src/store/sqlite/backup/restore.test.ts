import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Access } from '../../../ports/store.ts'
import { type Bench, mail } from '../../contract/bench.test-kit.ts'
import { assertIntegrity } from '../integrity.test-kit.ts'
import type { Store } from '../open.ts'
import { backedUp, benchAt, scratch, tree, watching } from './backup.test-kit.ts'
import { formatManifest, parseManifest } from './manifest.ts'
import { queueItem } from './mixed-load.test-kit.ts'
import { type Restored, restoreBackup } from './restore.ts'
import { beginRestoring, decideRestore, finishRestore } from './swap.ts'

const LARGE = 'x'.repeat(300_000)
const NOW_MS = Date.now()

interface Scene {
  readonly root: string
  readonly folder: string
  readonly bench: Bench & { readonly store: Store }
  readonly anna: Access
  /** Of the backup: INBOX with a small and a large message, one message in the queue. */
  readonly from: string
}

async function scene(t: TestContext): Promise<Scene> {
  const root = scratch(t)
  const folder = join(root, 'data')
  const bench = await benchAt(folder, t)
  const anna = await bench.account('anna@example.test')
  await bench.deliver(mail('small'), anna)
  await bench.deliver(mail('large', LARGE), anna)
  await bench.accept(mail('out'), [], { queue: queueItem('x@far.test') })
  mkdirSync(join(folder, 'tls'), { mode: 0o700 })
  writeFileSync(join(folder, 'tls/secret'), 'the secret', { mode: 0o600 })
  const { folder: from } = await backedUp(bench.store, join(root, 'backups'))
  return { root, folder, bench, anna, from }
}

async function restored(from: string, folder: string): Promise<Restored> {
  const result = await restoreBackup({ from, folder, nowMs: NOW_MS }, watching())
  assert(result.ok, result.ok ? '' : result.sentence)
  return result.restored
}

async function refusal(from: string, folder: string): Promise<string> {
  const result = await restoreBackup({ from, folder, nowMs: NOW_MS }, watching())
  assert(!result.ok)
  return result.sentence
}

async function status(bench: Bench, access: Access, name: string) {
  const told = await bench.store.mailboxes.status(access, name)
  assert(told.ok)
  return told.value
}

async function subjects(bench: Bench, access: Access): Promise<readonly string[]> {
  const view = await bench.view(access)
  const found: string[] = []
  for (let seq = 1; seq <= view.exists; seq++) {
    const octets = (await bench.octets(access, view, seq)).toString()
    assert(octets.endsWith('\r\n') || octets.endsWith(LARGE))
    found.push(/^Subject: (.*)\r$/m.exec(octets)?.[1] ?? '')
  }
  view.close()
  return found
}

test('into an empty place, from the folder that backups are in', async (t) => {
  const { root, bench, anna } = await scene(t)
  const folder = join(root, 'new/data')
  const told = await restored(join(root, 'backups'), folder)
  assert.deepEqual(
    [told.kept, told.keptKeys, told.findings, told.held, told.renewed],
    [undefined, false, [], 1, 6],
  )
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const [body] = readdirSync(join(folder, 'bodies'))
  assert.deepEqual(
    tree(folder).filter((path) => !path.startsWith('lock.db')),
    ['bodies/ 700', `bodies/${body} 600`, 'hikyaku.db 600', 'tls/ 700', 'tls/secret 600'],
  )
  assertIntegrity(folder)
  const there = await benchAt(folder, t)
  assert.deepEqual(await subjects(there, anna), ['small', 'large'])
  const [before, after] = [await status(bench, anna, 'INBOX'), await status(there, anna, 'INBOX')]
  assert(after.uidValidity > before.uidValidity)
  const rest = { uidValidity: 0, recent: 0 }
  assert.deepEqual({ ...after, ...rest }, { ...before, ...rest })
})

test('what was there is kept, and a UID that was given since is not taken for the same message', async (t) => {
  const { folder, bench, anna, from } = await scene(t)
  const sent = await status(bench, anna, 'Sent')
  const before = await status(bench, anna, 'INBOX')
  assert.equal(await bench.deliver(mail('lost'), anna), 3)
  const lost = await bench.rows(anna, await bench.view(anna), [3], { emailId: true })
  await bench.store.close()
  const told = await restored(from, folder)
  assert.equal(told.renewed, 1)
  assert.equal(told.keptKeys, true)
  assert.deepEqual(readdirSync(told.kept ?? '').sort(), ['bodies', 'hikyaku.db'])
  const there = await benchAt(folder, t)
  assert.deepEqual(await subjects(there, anna), ['small', 'large'])
  assert.equal(await there.deliver(mail('other'), anna), 3)
  const after = await status(there, anna, 'INBOX')
  assert(after.uidValidity > before.uidValidity, 'rfc3501 §2.3.1.1: clients must notice')
  const other = await there.rows(anna, await there.view(anna), [3], { emailId: true })
  assert.notEqual(other[0]?.emailId, lost[0]?.emailId, 'rfc8474 §5: an EMAILID never means something else')
  assert.deepEqual(await status(there, anna, 'Sent'), sent, 'what has not changed since is left alone')
  const kept = await benchAt(told.kept ?? '', t)
  assert.deepEqual(await subjects(kept, anna), ['small', 'large', 'lost'])
})

test('a file of the backup that is missing beside our keys comes back, and the keys stay', async (t) => {
  const { folder, bench, root } = await scene(t)
  const files = ['secret', 'old.key'].map((name) => {
    return { path: `data/tls/${name}`, bytes: Buffer.from(`the ${name}`) }
  })
  const { folder: from } = await backedUp(bench.store, join(root, 'more'), { files })
  writeFileSync(join(folder, 'tls/new.key'), 'made after the backup', { mode: 0o600 })
  await bench.store.close()
  assert.equal((await restored(from, folder)).keptKeys, true)
  const keys = tree(folder).filter((path) => path.startsWith('tls/'))
  assert.deepEqual(keys, ['tls/ 700', 'tls/new.key 600', 'tls/old.key 600', 'tls/secret 600'])
  assert.equal(readFileSync(join(folder, 'tls/secret'), 'utf8'), 'the secret')
  assert.equal(readFileSync(join(folder, 'tls/new.key'), 'utf8'), 'made after the backup')
})

test('a certificate that the configuration names stays beside the keys of a restored server, on a new machine too', async (t) => {
  const { bench, root } = await scene(t)
  const files = ['secret', 'given.crt'].map((name) => {
    return { path: `data/tls/${name}`, bytes: Buffer.from(`the old ${name}`) }
  })
  const { folder: from } = await backedUp(bench.store, join(root, 'more'), { files })
  const folder = join(root, 'new/data')
  const named = ['tls/given.crt', 'tls/sub/given.key', 'tls/missing.crt', 'password']
  for (const path of ['tls/secret', 'tls/given.crt', 'tls/sub/given.key', 'password']) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, path), `the new ${path}`, { mode: 0o600 })
  }
  const result = await restoreBackup({ from, folder, nowMs: NOW_MS, named }, watching())
  assert(result.ok, result.ok ? '' : result.sentence)
  assert.equal(result.restored.keptKeys, false)
  const text = (path: string): string => readFileSync(join(folder, path), 'utf8')
  assert.equal(text('tls/secret'), 'the old secret')
  for (const path of ['tls/given.crt', 'tls/sub/given.key', 'password'])
    assert.equal(text(path), `the new ${path}`)
  assert.equal(existsSync(join(folder, 'tls/missing.crt')), false)
})

test('a clock that is wrong by a century uses up no UIDVALIDITY', async (t) => {
  const { root, anna, from } = await scene(t)
  const folder = join(root, 'new/data')
  const result = await restoreBackup({ from, folder, nowMs: Date.UTC(2126, 0) }, watching())
  assert(result.ok)
  const there = await benchAt(folder, t)
  assert((await status(there, anna, 'INBOX')).uidValidity < 2 ** 32, 'rfc3501 §2.3.1.1: 32 bits')
})

test('mail that was deleted after the backup is back, where every client looks', async (t) => {
  const { folder, bench, anna, from } = await scene(t)
  const before = await status(bench, anna, 'INBOX')
  const view = await bench.view(anna)
  await bench.store.mailboxes.storeFlags(anna, view, {
    uids: [1],
    action: 'add',
    flags: ['\\Deleted'],
    silent: true,
  })
  assert((await bench.store.mailboxes.expunge(anna, view)).ok)
  view.close()
  await bench.store.close()
  await restored(from, folder)
  const there = await benchAt(folder, t)
  assert.deepEqual(await subjects(there, anna), ['small', 'large'])
  assert((await status(there, anna, 'INBOX')).uidValidity > before.uidValidity)
})

test('a new mailbox never gets a UIDVALIDITY that one after the backup may have had', async (t) => {
  const { folder, bench, anna, from } = await scene(t)
  const { mailboxes } = bench.store
  assert((await mailboxes.create(anna, 'Plans')).ok)
  const lost = await status(bench, anna, 'Plans')
  await bench.store.close()
  await restored(from, folder)
  const there = await benchAt(folder, t)
  assert((await there.store.mailboxes.create(anna, 'Plans')).ok)
  assert((await status(there, anna, 'Plans')).uidValidity > lost.uidValidity)
})

test('what waited in the queue is held, with a trace of it, until it is let go', async (t) => {
  const { folder, bench, from } = await scene(t)
  await bench.store.close()
  assert.equal((await restored(from, folder)).held, 1)
  const { store } = await benchAt(folder, t)
  assert.deepEqual(await store.queue.due({ nowMs: 2 ** 50, limit: 5, busy: new Set() }), [])
  const [item] = await store.queue.list({ limit: 5 })
  assert.equal(item?.recipients[0]?.state, 'held')
  const [trace] = await store.traces.find({ id: item.traceId, limit: 1 })
  assert.equal(trace?.events.at(-1)?.kind, 'held')
})

test('damage in a backup is found before anything is changed, and named', async (t) => {
  const { root, folder, bench, from } = await scene(t)
  await bench.store.close()
  const before = tree(folder)
  const damages: readonly (readonly [RegExp, (backup: string) => void])[] = [
    [/hikyaku\.db does not hold what was backed up/, (at) => flip(join(at, 'data/hikyaku.db'), 9000)],
    [/bodies\/[0-9a-f]{32} does not hold/, (at) => flip(join(at, 'data/bodies', bodyOf(at)), 200_000)],
    [/bodies\/[0-9a-f]{32} is missing/, (at) => rmSync(join(at, 'data/bodies', bodyOf(at)))],
    [
      /bodies\/[0-9a-f]{32} has 17 octets, not/,
      (at) => truncateSync(join(at, 'data/bodies', bodyOf(at)), 17),
    ],
    [/tls\/secret does not hold/, (at) => flip(join(at, 'data/tls/secret'), 2)],
    [/manifest: it is damaged/, (at) => flip(join(at, 'manifest'), 100)],
    [/manifest: it is damaged/, (at) => truncateSync(join(at, 'manifest'), 300)],
    [/is no backup, and there is none in it/, (at) => rmSync(join(at, 'manifest'))],
  ]
  for (const [expected, damage] of damages) {
    const copy = mkdtempSync(join(root, 'copy-'))
    cpSync(from, copy, { recursive: true })
    damage(copy)
    const sentence = await refusal(copy, folder)
    assert.match(sentence, expected)
    assert.match(sentence, /Nothing was changed|nothing was changed|is no backup/)
    assert.deepEqual(tree(folder), before)
  }
})

const bodyOf = (backup: string): string => readdirSync(join(backup, 'data/bodies'))[0] ?? ''

function flip(path: string, at: number): void {
  const octets = readFileSync(path)
  octets[at] = (octets[at] ?? 0) ^ 0xff
  writeFileSync(path, octets)
}

test('a backup of a newer program is refused with its version', async (t) => {
  const { root, folder, bench, from } = await scene(t)
  await bench.store.close()
  const read = parseManifest(readFileSync(join(from, 'manifest'), 'utf8'))
  assert(read.ok)
  const { info, files } = read.manifest
  writeFileSync(
    join(from, 'manifest'),
    formatManifest({ info: { ...info, schema: 99, version: '7.0' }, files }),
  )
  assert.match(await refusal(join(root, 'backups'), folder), /made by Hikyaku 7\.0 \(schema 99\)/)
})

test('a data folder in use is left alone', async (t) => {
  const { folder, from, bench, anna } = await scene(t)
  assert.match(await refusal(from, folder), /in use by process \d+/)
  assert.deepEqual(await subjects(bench, anna), ['small', 'large'])
})

test('stopped by its operator it leaves everything as it was', async (t) => {
  const { folder, bench, from } = await scene(t)
  await bench.store.close()
  const before = tree(folder)
  for (const stopAt of ['Looking', 'Checking']) {
    const abort = new AbortController()
    const line = (text: string) => {
      if (text.startsWith(stopAt)) abort.abort()
      return Promise.resolve(true)
    }
    const progress = watching({ signal: abort.signal, line })
    const result = await restoreBackup({ from, folder, nowMs: NOW_MS }, progress)
    assert.deepEqual(result, { ok: false, sentence: 'It was stopped; nothing of it is left.' })
    assert.deepEqual(tree(folder), before)
  }
})

test('cut short at any step of the swap, the next start has the new state, and before the decision the old', async (t) => {
  const { root, folder, bench, anna, from } = await scene(t)
  await bench.deliver(mail('later'), anna)
  await bench.store.close()
  // The steps of finishRestore, one by one: what is moved away, then what is put in its place.
  const steps = ['hikyaku.db', 'bodies'].flatMap((name) => [
    [name, `replaced/${name}`],
    [`.restoring/${name}`, name],
  ]) as [string, string][]
  const other = join(root, 'other')
  await restored(from, other)
  for (let done = 0; done <= steps.length; done++) {
    const at = join(root, `cut-${done}`)
    cpSync(folder, at, { recursive: true })
    mkdirSync(join(at, '.restoring'))
    for (const name of ['hikyaku.db', 'bodies'])
      cpSync(join(other, name), join(at, '.restoring', name), { recursive: true })
    const undecided = join(root, `undecided-${done}`)
    if (done === 0) cpSync(at, undecided, { recursive: true })
    mkdirSync(join(at, 'replaced'))
    writeFileSync(join(at, 'restoring.json'), '{"keep":"replaced"}\n')
    for (const [source, target] of steps.slice(0, done)) renameSync(join(at, source), join(at, target))
    const there = await benchAt(at, t)
    assert.deepEqual(await subjects(there, anna), ['small', 'large'], `after ${done} steps`)
    await there.store.close()
    const kept = await benchAt(join(at, 'replaced'), t)
    assert.deepEqual(await subjects(kept, anna), ['small', 'large', 'later'], `after ${done} steps`)
    await kept.store.close()
    assert(!existsSync(join(at, 'restoring.json')) && !existsSync(join(at, '.restoring')))
    if (done > 0) continue
    const old = await benchAt(undecided, t)
    assert.deepEqual(await subjects(old, anna), ['small', 'large', 'later'])
    assert(!existsSync(join(undecided, '.restoring')))
  }
})

test('keys that were made anew between the two halves of a swap are put aside, and the start goes on', (t) => {
  const folder = scratch(t)
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path), { recursive: true })
    writeFileSync(join(folder, path, 'secret'), text)
  }
  beginRestoring(folder)
  put('.restoring/tls', 'restored')
  put('replaced-1/tls', 'old')
  put('tls', 'made since')
  decideRestore(folder, 'replaced-1')
  assert.equal(finishRestore(folder), join(folder, 'replaced-1'))
  const texts = ['tls', 'replaced-1/tls', 'replaced-1/tls-2'].map((path) =>
    readFileSync(join(folder, path, 'secret'), 'utf8'),
  )
  assert.deepEqual(texts, ['restored', 'old', 'made since'])
})
