import { heldBytes, type Job, MailAuthError } from './job.ts'
import { Thread, type ThreadOptions } from './thread.ts'
import { WaitingLine } from './waiting-line.ts'

export interface LaneOptions extends Omit<ThreadOptions, 'changed'> {
  readonly threads: number
  /** Jobs in one thread. */
  readonly atOnce: number
}

/** Threads for messages of one kind, and those that wait for them. */
export class Lane {
  readonly #options: LaneOptions
  #threads: Thread[] = []
  readonly #waiting = new WaitingLine()
  #timer: NodeJS.Timeout | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get threads(): number {
    return this.#threads.length
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#threads.every(({ jobs }) => jobs === 0)
  }

  /** Where too many wait, one is rejected: of whoever has most of them. */
  add(job: Job): void {
    this.#waiting.add(job)
    this.#next()
    const { waiting } = this.#options.limits
    if (this.#waiting.size > waiting)
      this.#waiting.takeExcess()?.done.reject(new MailAuthError(`${waiting} messages wait already`))
  }

  /** Nobody wants its result any more: it is rejected, wherever it is. */
  giveUp(job: Job): void {
    const cause = 'nobody waits for the result any more'
    if (this.#waiting.takeOut(job)) job.done.reject(new MailAuthError(cause))
    else for (const thread of this.#threads) thread.giveUp(job, cause)
  }

  /** What runs and waits is rejected. */
  async end(cause: string): Promise<void> {
    clearInterval(this.#timer)
    for (const { done } of this.#waiting.takeExpired(Number.POSITIVE_INFINITY))
      done.reject(new MailAuthError(cause))
    await Promise.all(this.#threads.map((thread) => thread.end(cause)))
  }

  #next(): void {
    this.#threads = this.#threads.filter(({ isUsable }) => isUsable)
    for (let job = this.#waiting.first; job !== undefined; job = this.#waiting.first) {
      const thread = this.#threadFor(job)
      if (thread === undefined) break
      this.#waiting.takeFirst()
      thread.take(job)
    }
    this.#expireLater()
  }

  /** The one with the least work; another where all have much of it. */
  #threadFor(job: Job): Thread | undefined {
    const { atOnce, threads, limits } = this.#options
    let best: Thread | undefined
    for (const thread of this.#threads) if (best === undefined || thread.jobs < best.jobs) best = thread
    const isBusy = best === undefined || best.jobs >= Math.min(limits.busyAt, atOnce)
    if (isBusy && this.#threads.length < threads) {
      best = new Thread({ ...this.#options, changed: () => this.#next() })
      this.#threads.push(best)
    }
    if (best === undefined || best.jobs >= atOnce) return undefined
    const held = best.heldBytes + heldBytes(job, limits)
    return held <= limits.octetsAtOnce || best.jobs === 0 ? best : undefined
  }

  /** Those in a thread are its business; here the ones that never got there. */
  #expireLater(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    } else this.#timer ??= setInterval(() => this.#expire(), this.#options.limits.watchMs)
  }

  #expire(): void {
    for (const { done } of this.#waiting.takeExpired(this.#options.nowMs()))
      done.reject(new MailAuthError('the message waited too long for a thread'))
    this.#next()
  }
}
