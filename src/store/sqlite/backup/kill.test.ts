import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { mail, uids } from '../../contract/bench.test-kit.ts'
import { assertIntegrity } from '../integrity.test-kit.ts'
import { backedUp, benchAt, scratch } from './backup.test-kit.ts'
import { measureFile } from './octets.ts'
import { openBackup, verifyBackup } from './verify.ts'

const ROUNDS = Number(process.env.HIKYAKU_BACKUP_KILLS ?? 6)
const LARGE = 'x'.repeat(300_000)
const measure = (path: string) => Promise.resolve(measureFile(path, () => undefined))

async function fill(t: TestContext, folder: string, text: string, count: number) {
  const bench = await benchAt(folder, t)
  const anna = await bench.account('anna@example.test')
  for (let i = 0; i < count; i++)
    await bench.deliver(mail(`${text} ${i}`, i % 3 === 0 ? LARGE : 'y'.repeat(9000)), anna)
  return { bench, anna }
}

/** Runs the program, and ends it as a power cut would at a moment of chance after it has begun. */
async function killed(work: string, folder: string, backups: string): Promise<string> {
  const program = join(import.meta.dirname, 'kill.test-kit.ts')
  const child = spawn(process.execPath, [program, work, folder, backups], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 500)
    said += text
  })
  await ended
  return said
}

test('a backup that is killed is never taken for a whole one', { timeout: 180_000 }, async (t) => {
  const root = scratch(t)
  const folder = join(root, 'data')
  const { bench } = await fill(t, folder, 'kept', 40)
  await bench.store.close()
  const into = join(root, 'backups')
  for (let round = 0; round < ROUNDS; round++) {
    const said = await killed('backup', folder, into)
    assert.match(said, /^begun/)
    for (const name of existsSync(into) ? readdirSync(into) : []) {
      if (name.startsWith('.partial-')) continue
      const one = join(into, name)
      await verifyBackup(one, openBackup(one), measure)
    }
  }
  // And the next one is made as if nothing had been.
  const again = await benchAt(folder, t)
  const made = await backedUp(again.store, into, { keep: 1, nowMs: Date.now() + 10_000 })
  assert.equal(made.messages, 40)
  assert.deepEqual(readdirSync(into), [made.folder.slice(into.length + 1)])
})

test('a restore that is killed leaves the old state or the new', { timeout: 180_000 }, async (t) => {
  const root = scratch(t)
  const source = await fill(t, join(root, 'source'), 'new', 30)
  const backup = await backedUp(source.bench.store, join(root, 'backups'))
  await source.bench.store.close()
  const folder = join(root, 'data')
  const old = await fill(t, folder, 'old', 10)
  await old.bench.store.close()
  let wasRestored = false
  for (let round = 0; round < ROUNDS; round++) {
    const said = await killed('restore', folder, backup.folder)
    wasRestored ||= said.includes('restored')
    const there = await benchAt(folder, t)
    const view = await there.view(old.anna)
    const state = `${uids(view).length} ${/Subject: (\w+)/.exec((await there.octets(old.anna, view, 1)).toString())?.[1]}`
    assert(state === '30 new' || (state === '10 old' && !wasRestored), `round ${round}: ${state}`)
    if (state === '30 new') wasRestored = true
    await there.store.close()
    assertIntegrity(folder)
    for (const name of readdirSync(folder)) if (name.startsWith('replaced-')) assertWhole(join(folder, name))
  }
})

/** What was replaced is all there, too. */
function assertWhole(folder: string): void {
  if (existsSync(join(folder, 'hikyaku.db'))) assertIntegrity(folder)
  rmSync(folder, { recursive: true })
}
