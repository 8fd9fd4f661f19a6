import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type OpenResult, openStore, type Store } from './open.ts'

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-folder-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function open(folder: string): Promise<OpenResult> {
  return openStore({
    folder,
    directory: { domains: [], separator: '+' },
    now: () => Date.now(),
    onFault: (cause) => assert.fail(cause),
  })
}

async function opened(folder: string): Promise<Store> {
  const result = await open(folder)
  assert(result.ok, result.ok ? '' : result.error.problem)
  return result.store
}

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test('a new data folder is its owner’s alone, files included', () =>
  inFolder(async (parent) => {
    const folder = join(parent, 'new', 'data')
    const store = await opened(folder)
    assert.equal(await mode(folder), 0o700)
    for (const name of await readdir(folder))
      assert.equal(await mode(join(folder, name)), name === 'bodies' ? 0o700 : 0o600, name)
    await store.close()
  }))

test('a folder that others could read is closed to them', () =>
  inFolder(async (folder) => {
    await chmod(folder, 0o755)
    await (await opened(folder)).close()
    assert.equal(await mode(folder), 0o700)
  }))

test('attack 29i: a second owner is refused and told who is there, in this process or another', () =>
  inFolder(async (folder) => {
    const store = await opened(folder)
    const second = await open(folder)
    assert(!second.ok)
    assert.equal(second.error.kind, 'owned')
    assert.equal(second.error.pid, process.pid)
    assert.match(second.error.problem, new RegExp(`in use by process ${process.pid}`))
    assert.equal(second.error.path, folder)
    const script = `
      const { openStore } = await import(${JSON.stringify(new URL('./open.ts', import.meta.url).href)})
      const result = await openStore({ folder: process.argv[1], directory: { domains: [], separator: '' }, now: Date.now, onFault() {} })
      console.log(result.ok ? 'opened' : result.error.kind + ' ' + result.error.pid)
      if (result.ok) await result.store.close()`
    assert.equal(await output(script, folder), `owned ${process.pid}\n`)
    await store.close()
    assert.equal(await output(script, folder), 'opened\n', 'after the first has gone')
  }))

function output(script: string, folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
}

test('a newer schema is left alone', () =>
  inFolder(async (folder) => {
    await (await opened(folder)).close()
    const db = new DatabaseSync(join(folder, 'hikyaku.db'))
    db.exec('PRAGMA user_version = 99')
    db.close()
    const refused = await open(folder)
    assert(!refused.ok)
    assert.equal(refused.error.kind, 'newer-schema')
    assert.match(refused.error.problem, /schema version 99/)
    const again = await open(folder)
    assert(!again.ok && again.error.kind === 'newer-schema', 'the refusal let go of the folder')
  }))

test('what is no data folder is said to be', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const notFolder = await open(file)
    assert(!notFolder.ok && notFolder.error.kind === 'not-a-folder')
    const data = join(folder, 'damaged')
    await mkdir(data)
    await writeFile(
      join(data, 'hikyaku.db'),
      'this is no database, but it is long enough to be looked at as one'.repeat(100),
    )
    const damaged = await open(data)
    assert(!damaged.ok)
    assert.equal(damaged.error.kind, 'damaged')
    assert.match(damaged.error.fix, /backup/)
  }))

test(
  'a folder that may not be written is refused with the fix',
  { skip: process.getuid?.() === 0 && 'root may write everywhere' },
  () =>
    inFolder(async (parent) => {
      const folder = join(parent, 'data')
      await mkdir(folder, { mode: 0o500 })
      const refused = await open(folder)
      assert(!refused.ok && refused.error.kind === 'no-access')
      assert.match(refused.error.fix, /chown/)
    }),
)

test('a store that cannot be read lets go of the folder, and of its timer', (t) =>
  inFolder(async (folder) => {
    await (await opened(folder)).close()
    const db = new DatabaseSync(join(folder, 'hikyaku.db'))
    db.exec(`INSERT INTO aliases VALUES ('@example.test', 'no list')`)
    db.close()
    const timers = t.mock.method(globalThis, 'setInterval')
    for (let i = 0; i < 2; i++) {
      const refused = await open(folder)
      assert(!refused.ok)
      assert.equal(refused.error.kind, 'io')
    }
    assert.equal(timers.mock.callCount(), 0)
  }))

test('body files without a message are swept at start, others are not touched', () =>
  inFolder(async (folder) => {
    await (await opened(folder)).close()
    const bodies = join(folder, 'bodies')
    await writeFile(join(bodies, '0123456789abcdef0123456789abcdef'), 'orphan')
    await writeFile(join(bodies, 'README'), 'somebody else’s')
    const store = await opened(folder)
    assert.equal(store.sweptBodies, 1)
    assert.deepEqual(await readdir(bodies), ['README'])
    await store.close()
  }))

test('after close nothing is acknowledged any more', () =>
  inFolder(async (folder) => {
    const store = await opened(folder)
    await store.accounts.addAccount({ login: 'anna@example.test' })
    const last = store.accounts.setAlias('a@example.test', ['anna@example.test'])
    await store.close()
    assert((await last).ok, 'what was asked before is finished')
    const late = await store.accounts.setAlias('b@example.test', ['anna@example.test'])
    assert(!late.ok && late.error.kind === 'closed')
    const staged = await store.intake.body(100).finish()
    assert(!staged.ok && staged.failure.kind === 'closed')
    await store.close()
  }))
