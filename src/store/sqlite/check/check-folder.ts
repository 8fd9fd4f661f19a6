import { Worker } from 'node:worker_threads'
import { lockFolder } from '../folder.ts'
import type { CheckReport } from './check.ts'
import type { FindingKind } from './finding.ts'
import { THREAD_HEAP_MIB } from './limits.ts'
import type { RepairStep } from './repair.ts'

export interface CheckJob {
  readonly folder: string
  /** Reads every octet of every message; without it rows, counters, references and sizes alone. */
  readonly deep: boolean
  readonly work: 'check' | 'repair'
  /** By whom the folder is held: by a store that is at work, or for this job by us. */
  readonly held: 'store' | 'job'
}

export interface CheckWatcher {
  onStep(step: RepairStep): void
  readonly signal: AbortSignal
}

export type CheckOutcome =
  | { readonly kind: 'checked'; readonly report: CheckReport }
  | { readonly kind: 'repaired'; readonly repaired: Readonly<Partial<Record<FindingKind, number>>> }
  /** It could not be done; a sentence. */
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'stopped' }

/** What the thread is given: the first word of `stop` is set to make it end. */
export interface CheckData extends Pick<CheckJob, 'folder' | 'deep' | 'work'> {
  readonly serving: boolean
  readonly stop: SharedArrayBuffer
}

export type FromCheck =
  | { readonly kind: 'step'; readonly step: RepairStep }
  | { readonly kind: 'end'; readonly outcome: CheckOutcome }

/**
 * Checks or repairs a data folder in a thread of its own: the event loop goes on, and mail with it. Without a store at
 * work the folder is taken for as long, so that none begins meanwhile; where somebody else has it, a check goes on as
 * beside a store, and a repair is refused.
 */
export async function checkFolder(job: CheckJob, watcher: CheckWatcher): Promise<CheckOutcome> {
  if (job.held === 'store') return runThread(job, true, watcher)
  const owned = lockFolder(job.folder)
  if (owned.ok)
    try {
      return await runThread(job, false, watcher)
    } finally {
      owned.value.release()
    }
  const { fix, kind, problem } = owned.error
  // A folder that cannot be locked since nobody can write there can be read all the same.
  const isReadable = kind === 'owned' || kind === 'no-access' || kind === 'full' || kind === 'io'
  if (job.work === 'check' && isReadable) return runThread(job, true, watcher)
  if (kind === 'owned')
    return {
      kind: 'failed',
      problem: `${problem} (${owned.error.path}), and a repair needs it alone. Stop the server, then repair; \`hikyaku check\` without --repair works beside it`,
    }
  return { kind: 'failed', problem: `${owned.error.path}: ${problem}. To mend it: ${fix}` }
}

function runThread(job: CheckJob, serving: boolean, watcher: CheckWatcher): Promise<CheckOutcome> {
  const { deep, folder, work } = job
  const stop = new SharedArrayBuffer(4)
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const worker = new Worker(new URL(`./check-thread${extension}`, import.meta.url), {
    workerData: { folder, deep, work, serving, stop } satisfies CheckData,
    name: 'check-thread',
    // Without our own flags: some (--input-type, --test) have no meaning for a thread and keep it from starting.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB },
  })
  const onAbort = (): void => {
    Atomics.store(new Int32Array(stop), 0, 1)
  }
  if (watcher.signal.aborted) onAbort()
  watcher.signal.addEventListener('abort', onAbort)
  return new Promise<CheckOutcome>((resolve, reject) => {
    let outcome: CheckOutcome = { kind: 'failed', problem: 'the thread that checks ended without an answer' }
    worker.on('message', (message: FromCheck) => {
      if (message.kind === 'step') watcher.onStep(message.step)
      else outcome = message.outcome
    })
    worker.once('error', reject)
    worker.once('exit', () => resolve(outcome))
  }).finally(() => watcher.signal.removeEventListener('abort', onAbort))
}
