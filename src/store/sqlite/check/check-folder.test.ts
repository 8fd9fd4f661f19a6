import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bench } from '../../contract/bench.test-kit.ts'
import { openAt } from '../open.test-kit.ts'
import type { Store } from '../open.ts'
import { BusyClients } from './busy.test-kit.ts'
import { type CheckJob, type CheckOutcome, checkFolder } from './check-folder.ts'
import {
  execute,
  fillStore,
  findingsOf,
  lostMail,
  readableMail,
  readValue,
  withFolder,
} from './damaged.test-kit.ts'
import { DAMAGES } from './damages.test-kit.ts'
import type { RepairStep } from './repair.ts'

const STEPS = 250

interface Watched {
  readonly outcome: CheckOutcome
  readonly steps: readonly RepairStep[]
}

async function watch(
  job: CheckJob,
  onStep: (step: RepairStep) => void = () => {},
  signal = never(),
): Promise<Watched> {
  const steps: RepairStep[] = []
  const take = (step: RepairStep): void => {
    steps.push(step)
    onStep(step)
  }
  return { outcome: await checkFolder(job, { signal, onStep: take }), steps }
}

const never = (): AbortSignal => new AbortController().signal
const sentences = ({ steps }: Watched): string[] =>
  steps.flatMap((step) => (step.kind === 'finding' ? [step.finding.sentence] : []))

/** Works at least once, and again for as long as it is to go on: on a quick machine a check takes longer than that. */
async function work(store: Store, seed: number, goesOn: () => boolean): Promise<void> {
  const bench = new Bench({ store, reopen: async () => store, dispose: async () => {} })
  const clients = new BusyClients(bench, seed)
  do await clients.work(STEPS)
  while (goesOn())
  clients.leave()
}

test('nothing is found wrong while mail comes, moves and goes, nor after it', { timeout: 180_000 }, () =>
  fc.assert(
    fc.asyncProperty(fc.nat(), (seed) =>
      withFolder(async (folder) => {
        const store = await openAt(folder)
        let isBusy = true
        let isOver = false
        let checks = 0
        const busy = work(store, seed, () => checks < 2 && !isOver).finally(() => {
          isBusy = false
        })
        try {
          for (; isBusy || checks === 0; checks++) {
            const watched = await watch({ folder, deep: checks % 2 === 0, work: 'check', held: 'store' })
            assert.equal(watched.outcome.kind, 'checked')
            assert.deepEqual(sentences(watched), [])
          }
        } finally {
          isOver = true
          await busy
          await store.close()
        }
        assert.deepEqual(findingsOf(folder), [])
        assert(checks > 1 && Number(readValue(folder, 'SELECT count(*) FROM entries')) > 0)
      }),
    ),
    { numRuns: 3 },
  ),
)

test('a check tells how far it is, and stops where it is told to', () =>
  withFolder(async (folder) => {
    await fillStore(folder)
    const whole = await watch({ folder, deep: true, work: 'check', held: 'job' })
    assert.equal(whole.outcome.kind, 'checked')
    assert(whole.outcome.kind === 'checked' && whole.outcome.report.bodies === 13)
    const phases = whole.steps.flatMap((step) => (step.kind === 'progress' ? [step] : []))
    assert(phases.length > 0)
    for (const { done, of } of phases) assert(done <= of)
    const abort = new AbortController()
    abort.abort()
    const stopped = await watch({ folder, deep: true, work: 'check', held: 'job' }, () => {}, abort.signal)
    assert.deepEqual(stopped.outcome, { kind: 'stopped' })
    // The folder is free again.
    await (await openAt(folder)).close()
  }))

test('a repair that is stopped half-way leaves everything as it was', () =>
  withFolder(async (folder) => {
    await fillStore(folder)
    execute(folder, 'UPDATE mailboxes SET messages = messages + 1')
    const before = findingsOf(folder)
    const abort = new AbortController()
    const stopped = await watch(
      { folder, deep: true, work: 'repair', held: 'job' },
      () => abort.abort(),
      abort.signal,
    )
    if (stopped.outcome.kind === 'stopped') assert.deepEqual(findingsOf(folder), before)
    else assert.deepEqual(findingsOf(folder), [])
  }))

test('what a store has open is checked beside it, and not repaired', () =>
  withFolder(async (folder) => {
    await fillStore(folder)
    const store = await openAt(folder)
    try {
      const checked = await watch({ folder, deep: true, work: 'check', held: 'job' })
      assert.equal(checked.outcome.kind, 'checked')
      assert.deepEqual(sentences(checked), [])
      const { outcome } = await watch({ folder, deep: true, work: 'repair', held: 'job' })
      assert(outcome.kind === 'failed')
      assert.match(outcome.problem, /in use by process \d+ .*Stop the server, then repair/)
    } finally {
      await store.close()
    }
  }))

test('a folder without mail cannot be checked, and is left as it is', () =>
  withFolder(async (folder) => {
    const { outcome } = await watch({ folder, deep: true, work: 'check', held: 'job' })
    assert(outcome.kind === 'failed')
    assert.match(outcome.problem, /hikyaku\.db/)
  }))

test('a start with an index that has lost a row deletes the file of no message', () =>
  withFolder(async (folder) => {
    await fillStore(folder)
    const damage = DAMAGES.find(({ what }) => what === 'an index has lost a row')
    assert(typeof damage?.by === 'function')
    await damage.by(folder)
    const stray = join(folder, 'bodies', 'ab'.repeat(16))
    writeFileSync(stray, 'never acknowledged', { mode: 0o600 })
    const mail = readableMail(folder)
    const store = await openAt(folder)
    await store.close()
    assert.equal(store.sweptBodies, 1)
    assert(!existsSync(stray))
    assert.deepEqual(lostMail(mail, readableMail(folder)), [])
  }))

test('what cannot be opened is told as it is', () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'hikyaku.db'), { recursive: true })
    const { outcome } = await watch({ folder, deep: true, work: 'check', held: 'store' })
    assert(outcome.kind === 'failed')
    assert.match(outcome.problem, /unable to open|disk I\/O|not a database/)
  }))

test('a start deletes no file while a message has lost the row that would name it', () =>
  withFolder(async (folder) => {
    await fillStore(folder)
    execute(folder, 'DELETE FROM bodies WHERE file IS NOT NULL')
    const files = readdirSync(join(folder, 'bodies'))
    const store = await openAt(folder)
    await store.close()
    assert.deepEqual(readdirSync(join(folder, 'bodies')), files)
    assert.equal(files.length, 2)
  }))
