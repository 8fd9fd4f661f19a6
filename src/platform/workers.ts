import { Worker } from 'node:worker_threads'
import { assert } from '../mail/assert.ts'
import { WORKER_LIMITS } from './limits.ts'

/** What goes to a worker and what comes back; one task at a time, so no numbers are needed. */
export type WorkerReply<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly cause: string }

/** Why a task has no result: the pool is full, the worker died, or the task threw. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
}

interface Waiting<Task, Result> {
  readonly task: Task
  readonly done: PromiseWithResolvers<Result>
}

interface Seat<Task, Result> {
  worker: Worker | undefined
  current: Waiting<Task, Result> | undefined
}

export interface WorkerPoolOptions {
  /** The worker's file; it answers each message with one `WorkerReply`. */
  readonly script: URL
  readonly size: number
  readonly maxWaiting?: number | undefined
}

/**
 * A few threads for what computes long. They start with the first task, and do not keep the process alive
 * while they have nothing to do. A worker that dies costs its task only: the next task gets a new one.
 */
export class WorkerPool<Task, Result> {
  readonly #script: URL
  readonly #maxWaiting: number
  readonly #seats: Seat<Task, Result>[]
  readonly #waiting: Waiting<Task, Result>[] = []
  #closed = false

  constructor(options: WorkerPoolOptions) {
    assert(options.size >= 1, 'a pool has a worker')
    this.#script = options.script
    this.#maxWaiting = options.maxWaiting ?? WORKER_LIMITS.waiting
    this.#seats = Array.from({ length: options.size }, () => ({ worker: undefined, current: undefined }))
  }

  /** Rejects with `WorkerError` only. */
  run(task: Task): Promise<Result> {
    if (this.#closed) return Promise.reject(new WorkerError('the worker pool is closed'))
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(new WorkerError(`${this.#waiting.length} tasks wait already`))
    const done = Promise.withResolvers<Result>()
    this.#waiting.push({ task, done })
    this.#next()
    return done.promise
  }

  /** What runs and waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { done } of this.#waiting.splice(0)) done.reject(new WorkerError('the server stops'))
    await Promise.all(this.#seats.map((seat) => seat.worker?.terminate()))
  }

  #next(): void {
    for (const seat of this.#seats) {
      if (seat.current !== undefined) continue
      const next = this.#waiting.shift()
      if (next === undefined) return
      seat.current = next
      seat.worker ??= this.#start(seat)
      seat.worker.ref()
      seat.worker.postMessage(next.task)
    }
  }

  #start(seat: Seat<Task, Result>): Worker {
    const worker = new Worker(this.#script, { resourceLimits: { maxOldGenerationSizeMb: 128 } })
    let cause = 'the worker ended'
    worker.on('message', (reply: WorkerReply<Result>) => {
      worker.unref()
      const current = seat.current
      seat.current = undefined
      if (reply.ok) current?.done.resolve(reply.value)
      else current?.done.reject(new WorkerError(reply.cause))
      this.#next()
    })
    worker.on('error', (error) => {
      cause = `the worker died: ${String(error)}`
    })
    worker.on('exit', () => {
      const current = seat.current
      seat.current = undefined
      seat.worker = undefined
      current?.done.reject(new WorkerError(cause))
      if (!this.#closed) this.#next()
    })
    return worker
  }
}

/** The URL of a worker's file beside the file at `base`: `.ts` from a checkout, `.js` when built. */
export function workerScript(name: string, base: string): URL {
  return new URL(`./${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base)
}
