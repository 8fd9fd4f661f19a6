import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { deriveScramKeys } from '../protocol/sasl/password-hash.ts'
import { ThreadedHasher } from './hasher.ts'
import { systemRandom } from './random.ts'
import { tempFolder } from './testing.ts'
import { WorkerError, WorkerPool } from './workers.ts'

async function pool(t: TestContext, options: { size: number; maxWaiting?: number }) {
  const script = join(await tempFolder(t), 'worker.mjs')
  await writeFile(
    script,
    `import { parentPort } from 'node:worker_threads'
     parentPort.on('message', (task) => {
       if (task === 'die') process.exit(3)
       if (task === 'throw') throw new Error('worker fault')
       if (task === 'fail') parentPort.postMessage({ ok: false, cause: 'told so' })
       else if (typeof task === 'number') setTimeout(() => parentPort.postMessage({ ok: true, value: task }), task)
       else parentPort.postMessage({ ok: true, value: task + '!' })
     })`,
  )
  const made = new WorkerPool<string | number, string | number>({ script: pathToFileURL(script), ...options })
  t.after(() => made.close())
  return made
}

test('tasks are spread, answered, and told apart from failures', async (t) => {
  const workers = await pool(t, { size: 2 })
  assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd', 'e'].map((task) => workers.run(task))), [
    'a!',
    'b!',
    'c!',
    'd!',
    'e!',
  ])
  await assert.rejects(
    workers.run('fail'),
    (error) => error instanceof WorkerError && error.message === 'told so',
  )
})

test('a worker that dies costs its task only', async (t) => {
  const workers = await pool(t, { size: 1 })
  const [dead, thrown, fine] = await Promise.allSettled([
    workers.run('die'),
    workers.run('throw'),
    workers.run('x'),
  ])
  assert.equal(dead.status, 'rejected')
  assert.match(thrown.status === 'rejected' ? String(thrown.reason) : '', /worker fault/)
  assert.equal(fine.status === 'fulfilled' && fine.value, 'x!')
})

test('the queue is bounded, and closing rejects what waits', async (t) => {
  const workers = await pool(t, { size: 1, maxWaiting: 2 })
  const running = workers.run(10_000)
  const waiting = [workers.run('a'), workers.run('b')]
  await assert.rejects(workers.run('c'), /2 tasks wait already/)
  const settled = Promise.allSettled([running, ...waiting])
  await workers.close()
  assert.deepEqual(
    (await settled).map((one) => one.status),
    ['rejected', 'rejected', 'rejected'],
  )
  await assert.rejects(workers.run('d'), /closed/)
})

test('the hasher: argon2id there and back, SCRAM keys as the pure function gives them', async (t) => {
  const hasher = new ThreadedHasher({ threads: 1 })
  t.after(() => hasher.close())
  const salt = systemRandom().bytes(16)
  const phc = await hasher.argon2id('correct horse', salt)
  assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  const other = await hasher.argon2id('battery staple', salt)
  assert.equal(await hasher.matchArgon2id([other, phc], 'correct horse'), 1)
  assert.equal(await hasher.matchArgon2id([other, phc], 'wrong horse'), undefined)
  const how = { hash: 'SHA-256', salt, iterations: 4096 } as const
  const keys = await hasher.scramKeys('correct horse', how)
  const pure = deriveScramKeys('correct horse', how)
  assert.deepEqual(Buffer.from(keys.storedKey), Buffer.from(pure.storedKey))
  assert.deepEqual(Buffer.from(keys.serverKey), Buffer.from(pure.serverKey))
})
