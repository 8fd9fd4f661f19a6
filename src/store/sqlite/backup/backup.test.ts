import assert from 'node:assert/strict'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { eventually, mail } from '../../contract/bench.test-kit.ts'
import { WriterClient } from '../writer-client.ts'
import { backedUp, backUp, benchAt, SERVER, scratch, tree, watching } from './backup.test-kit.ts'
import { measureFile } from './octets.ts'
import { openBackup, verifyBackup } from './verify.ts'

const LARGE = 'x'.repeat(300_000)
const measure = (path: string) => Promise.resolve(measureFile(path, () => undefined))

test('a backup holds the data, private, under its name and with its manifest', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const anna = await bench.account('anna@example.test')
  await bench.deliver(mail('small'), anna)
  await bench.deliver(mail('large', LARGE), anna)
  const into = join(root, 'backups')
  const made = await backedUp(bench.store, into, {
    files: [
      { path: 'data/tls/secret', bytes: Buffer.from('the secret') },
      { path: 'config/hikyaku.toml', bytes: Buffer.from('[server]\n') },
    ],
  })
  assert.match(made.folder, /\/hikyaku-\d{8}T\d{6}Z$/)
  assert.equal(statSync(into).mode & 0o777, 0o700)
  const [body] = readdirSync(join(root, 'data/bodies'))
  assert.deepEqual(tree(made.folder), [
    'config/ 700',
    'config/hikyaku.toml 600',
    'data/ 700',
    'data/bodies/ 700',
    `data/bodies/${body} 600`,
    'data/hikyaku.db 600',
    'data/tls/ 700',
    'data/tls/secret 600',
    'manifest 600',
  ])
  const manifest = openBackup(made.folder)
  await verifyBackup(made.folder, manifest, measure)
  assert.equal(manifest.info.messages, 2)
  assert.equal(manifest.info.server, SERVER)
  assert.deepEqual(readdirSync(into), [made.folder.slice(into.length + 1)])
  await bench.store.close()
})

test('unchanged body files are shared with the backup before, and copied where that one is damaged', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const anna = await bench.account('anna@example.test')
  for (let i = 0; i < 3; i++) await bench.deliver(mail(`${i}`, LARGE), anna)
  const into = join(root, 'backups')
  const first = await backedUp(bench.store, into)
  assert.equal(first.linkedFiles, 0)
  await bench.deliver(mail('new', LARGE), anna)
  const second = await backedUp(bench.store, into)
  assert.equal(second.linkedFiles, 3)
  assert(second.linkedBytes > 900_000)
  const [rotten = ''] = readdirSync(join(second.folder, 'data/bodies'))
  const path = join(second.folder, 'data/bodies', rotten)
  const octets = readFileSync(path)
  octets[1000] = 1
  writeFileSync(path, octets)
  const third = await backedUp(bench.store, into)
  assert.equal(third.linkedFiles, 3)
  assert.deepEqual(third.damaged, [])
  await verifyBackup(third.folder, openBackup(third.folder), measure)
  await bench.store.close()
})

test('older backups of this server beyond N go, others stay', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  await bench.account('anna@example.test')
  const into = join(root, 'backups')
  const foreign = await backedUp(bench.store, into, { server: 'other.example.test' })
  mkdirSync(join(into, 'hikyaku-20000101T000000Z'))
  mkdirSync(join(into, 'photographs'))
  const made = []
  for (let i = 0; i < 4; i++) made.push(await backedUp(bench.store, into, { keep: 2 }))
  assert.deepEqual(
    made.map(({ removed }) => removed),
    [[], [], [made[0]?.folder], [made[1]?.folder]],
  )
  for (const left of [foreign.folder, join(into, 'hikyaku-20000101T000000Z'), join(into, 'photographs')])
    assert(existsSync(left), left)
  await bench.store.close()
})

test('a file whose name no backup can have is left out and told, and the backup is one', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const files = ['config/my settings.toml', 'config/設定.toml', 'data/.password', 'data/two\nlines'].map(
    (path) => {
      return { path, bytes: Buffer.from('text') }
    },
  )
  const made = await backedUp(bench.store, join(root, 'backups'), { files })
  const paths = openBackup(made.folder).files.map(({ path }) => path)
  assert.deepEqual(paths, ['data/hikyaku.db', 'config/my settings.toml', 'config/設定.toml'])
  assert.equal(made.notes.length, 2)
  assert.match(made.notes.join(), /Not in the backup: data\/\.password, /)
  await bench.store.close()
})

test('a clock that was set back does not make the newest backup the oldest', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const into = join(root, 'backups')
  const ahead = await backedUp(bench.store, into, { nowMs: Date.UTC(2040, 0) })
  const made = await backedUp(bench.store, into, { nowMs: Date.UTC(2026, 0), keep: 1 })
  assert.deepEqual(made.removed, [ahead.folder])
  assert.deepEqual(readdirSync(into), ['hikyaku-20260101T000000Z'])
  await bench.store.close()
})

test('two within a second have names of their own', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const into = join(root, 'backups')
  const nowMs = 1_700_000_000_000
  await backedUp(bench.store, into, { nowMs })
  await backedUp(bench.store, into, { nowMs })
  assert.deepEqual(readdirSync(into), ['hikyaku-20231114T221320Z', 'hikyaku-20231114T221320Z-2'])
  await bench.store.close()
})

test('a message that is damaged in the store is told, and no older backup goes', async (t) => {
  const root = scratch(t)
  const folder = join(root, 'data')
  const bench = await benchAt(folder, t)
  const anna = await bench.account('anna@example.test')
  for (const name of ['cut', 'gone', 'right']) await bench.deliver(mail(name, LARGE), anna)
  await bench.deliver(mail('inline'), anna)
  const into = join(root, 'backups')
  await backedUp(bench.store, into)
  await bench.store.close()
  const [cut = '', gone = ''] = readdirSync(join(folder, 'bodies'))
  truncateSync(join(folder, 'bodies', cut), 1000)
  const db = new DatabaseSync(join(folder, 'hikyaku.db'))
  db.prepare("UPDATE texts SET bytes = CAST('Hallo.' AS BLOB)").run()
  db.close()
  const again = await benchAt(folder, t)
  rmSync(join(folder, 'bodies', gone))
  const fresh = join(root, 'fresh')
  const made = await backedUp(again.store, fresh, { keep: 1 })
  assert.equal(made.damaged.length, 3)
  assert.match(made.damaged.join('\n'), /^the text of body \d+ is damaged$/m)
  assert.match(made.damaged.join('\n'), new RegExp(`^the file ${cut} of body \\d+ is damaged$`, 'm'))
  assert.match(made.damaged.join('\n'), new RegExp(`^the file ${gone} of body \\d+ is missing$`, 'm'))
  // Whole ones are taken from the backup before.
  const more = await backedUp(again.store, into, { keep: 1 })
  assert.deepEqual(more.damaged, ['the text of body 4 is damaged'])
  assert.equal(more.linkedFiles, 3)
  assert.deepEqual(more.removed, [])
  assert.match(more.notes.join(), /No older backup was removed/)
  assert.equal(openBackup(more.folder).info.damaged.length, 1)
  await again.store.close()
})

for (const table of ['entries', 'bodies'])
  test(`a database with damaged pages of ${table} is no backup`, async (t) => {
    const root = scratch(t)
    const folder = join(root, 'data')
    const bench = await benchAt(folder, t)
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(100, anna)
    // Found by an index, read from the damaged page: SQLite fails before the copy is looked at.
    await bench.deliver(mail('large', LARGE), anna)
    await bench.store.close()
    const path = join(folder, 'hikyaku.db')
    const db = new DatabaseSync(path)
    const { rootpage } = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table) ?? {}
    db.close()
    const again = await benchAt(folder, t)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(4096, 0xee), 0, 4096, (Number(rootpage) - 1) * 4096)
    closeSync(file)
    const into = join(root, 'backups')
    const result = await backUp(again.store, into)
    assert(!result.ok)
    assert.match(result.sentence, /^The database is damaged \(.+\): `hikyaku check` tells more/)
    assert.deepEqual(readdirSync(into), [])
    await again.store.close()
  })

test('one that is stopped leaves nothing, by its operator or by the end of the store', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const anna = await bench.account('anna@example.test')
  for (let i = 0; i < 30; i++) await bench.deliver(mail(`${i}`, LARGE), anna)
  const into = join(root, 'backups')
  const abort = new AbortController()
  const stopped = backUp(bench.store, into, {}, watching({ signal: abort.signal }))
  const second = await backUp(bench.store, into)
  assert(!second.ok)
  assert.match(second.sentence, /^A backup is being made already/)
  await eventually('it has begun', () => existsSync(into) && readdirSync(into).length > 0)
  abort.abort()
  const result = await stopped
  assert.deepEqual(result, { ok: false, sentence: 'It was stopped; nothing of it is left.' })
  assert.deepEqual(readdirSync(into), [])
  const pending = backUp(bench.store, into)
  await bench.store.close()
  const cut = await pending
  assert(!cut.ok || readdirSync(into).length === 1)
  const late = await backUp(bench.store, into)
  assert(!late.ok && late.sentence === 'The store is closed.')
})

test('files of mail that is deleted meanwhile stay until the backup is done', async (t) => {
  const root = scratch(t)
  const folder = join(root, 'data')
  const bench = await benchAt(folder, t)
  const anna = await bench.account('anna@example.test')
  for (let i = 0; i < 10; i++) await bench.deliver(mail(`${i}`, LARGE), anna, { flags: ['\\Deleted'] })
  const files = () => readdirSync(join(folder, 'bodies')).length
  const { backup } = WriterClient.prototype
  t.after(() => {
    WriterClient.prototype.backup = backup
  })
  const seen: string[] = []
  WriterClient.prototype.backup = async function (phase) {
    if (phase === 'ended') seen.push(`${files()} files when it is done`)
    await backup.call(this, phase)
    if (phase !== 'begins') return
    const view = await bench.view(anna)
    assert((await bench.store.mailboxes.expunge(anna, view)).ok)
    view.close()
    const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
    await eventually('the rows are gone', () => db.prepare('SELECT count(*) AS n FROM bodies').get()?.n === 0)
    db.close()
  }
  const made = await backedUp(bench.store, join(root, 'backups'))
  assert.deepEqual([made.messages, made.damaged], [0, []])
  assert.deepEqual(seen, ['10 files when it is done'])
  await eventually('the files are gone', () => files() === 0)
  await bench.store.close()
})

test('what a killed backup has left is removed by the next, but not that of another server', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  const into = join(root, 'backups')
  mkdirSync(join(into, `.partial-${SERVER}-20260101T000000Z/data`), { recursive: true })
  mkdirSync(join(into, '.partial-other.test-20260101T000000Z'), { recursive: true })
  mkdirSync(join(into, `.partial-${SERVER}-two.test-20260101T000000Z`))
  appendFileSync(join(into, `.partial-${SERVER}-20260101T000000Z/data/hikyaku.db`), 'half')
  const made = await backedUp(bench.store, into)
  assert.deepEqual(readdirSync(into).sort(), [
    `.partial-${SERVER}-two.test-20260101T000000Z`,
    '.partial-other.test-20260101T000000Z',
    made.folder.slice(into.length + 1),
  ])
  await bench.store.close()
})

test('a place that cannot be written is named', async (t) => {
  const root = scratch(t)
  const bench = await benchAt(join(root, 'data'), t)
  writeFileSync(join(root, 'a file'), '')
  const result = await backUp(bench.store, join(root, 'a file/backups'))
  assert(!result.ok)
  assert.match(result.sentence, /a file\/backups can't be used: ENOTDIR/)
  await bench.store.close()
})
