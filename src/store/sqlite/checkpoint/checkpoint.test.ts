import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Bench, mail } from '../../contract/bench.test-kit.ts'
import { CHECKPOINT_THREAD_MS } from '../../limits.ts'
import type { Trouble } from '../health.ts'
import { openAt } from '../open.test-kit.ts'
import { type PassFailure, type StartThread, type StoreThread, startThread } from '../threads.ts'
import { Checkpoints } from './client.ts'

const LARGE = 'A line of it.\r\n'.repeat(15_000)
/** Some 55 pages each: twice what the log has when a pass is asked for. */
const MESSAGES = 80

/** A store whose checkpoints are done by `pass`: what failed, null, or 'dies'. */
async function rig(t: TestContext, pass: () => PassFailure | null | 'dies') {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-checkpoint-'))
  const notes: string[] = []
  const health: (readonly [Trouble, string | undefined])[] = []
  let started = 0
  const start: StartThread = (name, data) => {
    if (name !== 'checkpoint-thread') return startThread(name, data)
    started++
    return playedThread(pass)
  }
  const store = await openAt(folder, {
    startThread: start,
    onNote: (text) => notes.push(text),
    onHealth: (trouble, cause) => health.push([trouble, cause]),
  })
  t.after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  const bench = new Bench({ store, reopen: () => Promise.resolve(store), dispose: () => store.close() })
  const anna = await bench.account('anna@example.test')
  return { bench, anna, health, notes, started: () => started }
}

function playedThread(pass: () => PassFailure | null | 'dies'): StoreThread {
  const outside = new EventEmitter()
  const postMessage = ({ kind }: { readonly kind: string }): void => {
    const failure = kind === 'pass' ? pass() : 'closed'
    if (failure === 'dies') outside.emit('error', new Error('a mistake'))
    if (failure === 'dies' || failure === 'closed') setImmediate(() => outside.emit('exit', 1))
    else setImmediate(() => outside.emit('message', { kind: 'passed', failure }))
  }
  return Object.assign(outside, { postMessage }) as unknown as StoreThread
}

test('a failed fsync in the thread of the checkpoints: nothing is acknowledged until the database was opened again', async (t) => {
  let asked = 0
  const failure = { cause: 'disk I/O error (SQLite 1034)', isUnsure: true }
  const { anna, bench, health } = await rig(t, () => (asked++ === 0 ? failure : null))
  const refused: string[] = []
  let accepted = 0
  for (let i = 0; i < MESSAGES && refused.length === 0; i++) {
    const stored = await bench.accept(mail(`${i}`, LARGE), [anna])
    if (stored.ok) accepted++
    else refused.push(stored.failure.kind)
  }
  assert.deepEqual(refused, ['io'])
  assert.deepEqual(health, [['disk', failure.cause]])
  for (;;) {
    const stored = await bench.accept(mail('after'), [anna])
    assert(!stored.ok || health.length === 2, 'refused as long as the disk is not believed')
    if (stored.ok) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(health[1], ['disk', undefined])
  const view = await bench.view(anna)
  assert.equal(view.exists, accepted + 1)
  view.close()
})

test('a checkpoint that fails for want of room is told once; mail goes on', async (t) => {
  const { anna, bench, health, notes } = await rig(t, () => ({ cause: 'full (SQLite 13)', isUnsure: false }))
  for (let i = 0; i < MESSAGES; i++) await bench.deliver(mail(`${i}`, LARGE), anna)
  assert.deepEqual(notes, ['the log of the database could not be written back: full (SQLite 13)'])
  assert.deepEqual(health, [])
})

test('a thread of the checkpoints that dies is told of, mail goes on, and the next one is started', async (t) => {
  const { anna, bench, notes, started } = await rig(t, () => 'dies')
  for (let i = 0; i < MESSAGES; i++) await bench.deliver(mail(`${i}`, LARGE), anna)
  assert.match(notes[0] ?? '', /the thread of the checkpoints failed: a mistake/)
  assert.equal(notes.length, 1)
  assert(started() >= 2)
})

test('a thread that ends late is not taken for the one at work', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const threads: EventEmitter[] = []
  const passed: (PassFailure | null)[] = []
  const start: StartThread = () => {
    const thread = Object.assign(new EventEmitter(), { postMessage: () => undefined })
    threads.push(thread)
    return thread as unknown as StoreThread
  }
  const checkpoints = new Checkpoints(start, { database: '', bodies: '' }, (failure) => passed.push(failure))
  checkpoints.pass()
  threads[0]?.emit('message', { kind: 'passed', failure: null })
  t.mock.timers.tick(CHECKPOINT_THREAD_MS)
  checkpoints.pass()
  const closed = checkpoints.close()
  threads[0]?.emit('exit', 0)
  assert.deepEqual(passed, [null], 'the second one is still at it')
  threads[1]?.emit('message', { kind: 'passed', failure: null })
  threads[1]?.emit('exit', 0)
  await closed
  assert.deepEqual(passed, [null, null])
})

test('where the system gives no thread the pass has failed, and the next one is tried', () => {
  const passed: (PassFailure | null)[] = []
  const start: StartThread = () => {
    throw new Error('out of threads')
  }
  const checkpoints = new Checkpoints(start, { database: '', bodies: '' }, (failure) => passed.push(failure))
  const failure = {
    cause: 'the thread of the checkpoints could not be started: out of threads',
    isUnsure: false,
  }
  checkpoints.pass()
  assert.deepEqual(passed, [failure])
  checkpoints.pass()
  assert.deepEqual(passed, [failure, failure])
})
