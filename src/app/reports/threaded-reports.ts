import { assert } from '../../mail/assert.ts'
import type { ReportTask, ReportTaskResult, ReportWorker } from '../../mailauth/reports/worker-task.ts'
import { WorkerError, WorkerPool, workerScript } from '../../platform/workers.ts'
import type { Clock } from '../../ports/clock.ts'

type Pool = WorkerPool<ReportTask, ReportTaskResult>

/** The largest report that the limits let through takes some 4 s on a slow machine. */
const TASK_MS = 30_000
/** Reports that wait for the thread; whoever asks holds each one's octets. */
const WAITING = 8

/** Reports on one thread of their own. One that takes too long is given up, with its thread. */
export class ThreadedReports implements ReportWorker {
  readonly #clock: Clock
  readonly #script: URL
  readonly #taskMs: number
  #pool: Pool | undefined
  #closed = false
  #waiting = 0
  #before: Promise<void> = Promise.resolve()

  constructor(options: { readonly clock: Clock; readonly script?: URL; readonly taskMs?: number }) {
    this.#clock = options.clock
    this.#script = options.script ?? workerScript('report-worker', import.meta.url)
    this.#taskMs = options.taskMs ?? TASK_MS
  }

  async read(message: Uint8Array) {
    const result = await this.#run({ kind: 'read', message })
    assert(result.kind === 'read', 'what is read comes back')
    return result.reports
  }

  async compose(...[report, mail]: Parameters<ReportWorker['compose']>) {
    const result = await this.#run({ kind: 'compose', report, mail })
    assert(result.kind === 'composed', 'what is composed comes back')
    const { composed } = result
    // A Buffer loses its class on the way between threads.
    return composed && { ...composed, octets: Buffer.from(composed.octets) }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#pool?.close()
  }

  /** One after another, each within its time. */
  #run(task: ReportTask): Promise<ReportTaskResult> {
    if (this.#waiting >= WAITING)
      return Promise.reject(new WorkerError(`${this.#waiting} reports wait already`))
    this.#waiting++
    const outcome = this.#before.then(() => this.#runNow(task))
    this.#before = outcome.then(
      () => this.#ended(),
      () => this.#ended(),
    )
    return outcome
  }

  #ended(): void {
    this.#waiting--
  }

  async #runNow(task: ReportTask): Promise<ReportTaskResult> {
    if (this.#closed) throw new WorkerError('the server stops')
    this.#pool ??= new WorkerPool({ script: this.#script, size: 1 })
    const pool = this.#pool
    let isLate = false
    const cancel = this.#clock.after(this.#taskMs, () => {
      isLate = true
      // The thread hangs: the next report gets a new one.
      this.#pool = undefined
      void pool.close()
    })
    try {
      return await pool.run(task)
    } catch (error) {
      throw isLate ? new WorkerError(`it took more than ${this.#taskMs} ms`) : error
    } finally {
      cancel()
    }
  }
}
