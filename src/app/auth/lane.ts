import { heldBytes, type Job, MailAuthError } from './job.ts'
import { Thread, type ThreadOptions } from './thread.ts'

export interface LaneOptions extends Omit<ThreadOptions, 'changed'> {
  readonly threads: number
  /** Jobs in one thread. */
  readonly atOnce: number
}

/** Threads for messages of one kind, and those that wait for them in order of arrival. */
export class Lane {
  readonly #options: LaneOptions
  #threads: Thread[] = []
  readonly #waiting: Job[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get threads(): number {
    return this.#threads.length
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#threads.every(({ jobs }) => jobs === 0)
  }

  add(job: Job): void {
    this.#waiting.push(job)
    this.#next()
  }

  /** What runs and waits is rejected. */
  async end(cause: string): Promise<void> {
    clearInterval(this.#timer)
    for (const { done } of this.#waiting.splice(0)) done.reject(new MailAuthError(cause))
    await Promise.all(this.#threads.map((thread) => thread.end(cause)))
  }

  #next(): void {
    this.#threads = this.#threads.filter(({ isUsable }) => isUsable)
    for (let job = this.#waiting[0]; job !== undefined; job = this.#waiting[0]) {
      const thread = this.#threadFor(job)
      if (thread === undefined) break
      this.#waiting.shift()
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
    if (this.#waiting.length === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    } else this.#timer ??= setInterval(() => this.#expire(), this.#options.limits.watchMs)
  }

  #expire(): void {
    const now = this.#options.nowMs()
    const isOver = ({ untilMs }: Job) => untilMs <= now
    // In order of arrival, and all wait equally long.
    for (let job = this.#waiting[0]; job !== undefined && isOver(job); job = this.#waiting[0]) {
      this.#waiting.shift()
      job.done.reject(new MailAuthError('the message waited too long for a thread'))
    }
    this.#next()
  }
}
