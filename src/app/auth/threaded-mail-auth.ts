import { availableParallelism } from 'node:os'
import { assert } from '../../mail/assert.ts'
import { workerScript } from '../../platform/workers.ts'
import type {
  Evaluation,
  EvaluationFacts,
  MailAuth,
  ReadableContent,
  SigningKey,
} from '../../ports/mail-auth.ts'
import { MailAuthError } from './job.ts'
import { Lane } from './lane.ts'
import { AUTH_LIMITS, type AuthLimits } from './limits.ts'
import type { Task, TaskResult } from './messages.ts'
import type { ThreadDns } from './thread.ts'

export interface ThreadedMailAuthOptions {
  readonly dns: ThreadDns
  /** Monotonic. */
  readonly nowMs: () => number
  readonly limits?: Partial<AuthLimits> | undefined
  /** Another thread's file, for tests. */
  readonly script?: URL | undefined
}

/**
 * SPF, DKIM, DMARC and ARC on threads of their own, started at the first message and ended when there is nothing to
 * do for long. Large messages have a thread apart: they never stand before small ones.
 */
export class ThreadedMailAuth implements MailAuth {
  readonly #limits: AuthLimits
  readonly #nowMs: () => number
  readonly #small: Lane
  readonly #large: Lane
  #isClosed = false
  #drained: (() => void) | undefined

  constructor(options: ThreadedMailAuthOptions) {
    const limits = { ...AUTH_LIMITS, ...options.limits }
    const { dns, nowMs, script = workerScript('auth-thread', import.meta.url) } = options
    this.#limits = limits
    this.#nowMs = nowMs
    const lane = { script, dns, limits, nowMs }
    const threads = Math.min(limits.threads, Math.max(1, availableParallelism() - 1))
    this.#small = new Lane({ ...lane, threads, atOnce: limits.smallAtOnce })
    this.#large = new Lane({ ...lane, threads: 1, atOnce: limits.largeAtOnce })
  }

  /** Threads that run now. */
  get threads(): number {
    return this.#small.threads + this.#large.threads
  }

  async evaluate(
    message: ReadableContent,
    facts: EvaluationFacts,
    sealWith?: SigningKey,
  ): Promise<Evaluation> {
    const result = await this.#run(message, { kind: 'evaluate', facts, sealWith })
    assert(typeof result === 'object', 'an evaluation has findings')
    return result
  }

  async sign(message: ReadableContent, added: Uint8Array, keys: readonly SigningKey[]): Promise<string> {
    if (keys.length === 0) return ''
    // A copy of its own octets: a view would take the buffer around it along.
    const result = await this.#run(message, { kind: 'sign', added: new Uint8Array(added), keys })
    assert(typeof result === 'string', 'a signature is text')
    return result
  }

  /** Takes nothing more, waits a while for what is under way, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (!this.#isIdle) {
      const drained = Promise.withResolvers<void>()
      this.#drained = drained.resolve
      const timer = setTimeout(drained.resolve, this.#limits.drainMs)
      await drained.promise
      clearTimeout(timer)
    }
    await Promise.all([this.#small, this.#large].map((lane) => lane.end('the server stops')))
  }

  get #isIdle(): boolean {
    return this.#small.isIdle && this.#large.isIdle
  }

  async #run(content: ReadableContent, task: Task): Promise<TaskResult> {
    if (this.#isClosed) throw new MailAuthError('the server stops')
    const waiting = this.#small.waiting + this.#large.waiting
    if (waiting >= this.#limits.waiting) throw new MailAuthError(`${waiting} messages wait already`)
    const done = Promise.withResolvers<TaskResult>()
    const lane = content.sizeBytes > this.#limits.largeBytes ? this.#large : this.#small
    lane.add({ task, content, untilMs: this.#nowMs() + this.#limits.jobMs, done })
    try {
      return await done.promise
    } finally {
      if (this.#isIdle) this.#drained?.()
    }
  }
}
