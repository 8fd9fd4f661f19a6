import { availableParallelism } from 'node:os'
import { assert } from '../../mail/assert.ts'
import { budgetKey } from '../../mail/ip.ts'
import { workerScript } from '../../platform/workers.ts'
import type {
  Evaluation,
  EvaluationFacts,
  MailAuth,
  ReadableContent,
  SigningKey,
} from '../../ports/mail-auth.ts'
import { type Job, MailAuthError } from './job.ts'
import { Lane } from './lane.ts'
import { AUTH_LIMITS, type AuthLimits } from './limits.ts'
import type { TaskResult } from './messages.ts'
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
 * do for long. Large messages have a thread apart: they never stand before small ones. What our own people hand in has
 * one, too: no stranger stands before it, however many there are and whatever they send.
 */
export class ThreadedMailAuth implements MailAuth {
  readonly #limits: AuthLimits
  readonly #nowMs: () => number
  readonly #small: Lane
  readonly #large: Lane
  readonly #signing: Lane
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
    this.#signing = new Lane({ ...lane, threads: 1, atOnce: limits.smallAtOnce })
  }

  /** Threads that run now. */
  get threads(): number {
    return this.#lanes.reduce((sum, { threads }) => sum + threads, 0)
  }

  async evaluate(
    message: ReadableContent,
    facts: EvaluationFacts,
    sealWith?: SigningKey,
    signal?: AbortSignal,
  ): Promise<Evaluation> {
    const lane = message.sizeBytes > this.#limits.largeBytes ? this.#large : this.#small
    const task = { kind: 'evaluate', facts, sealWith } as const
    const job = { content: message, task, owner: budgetKey(facts.client) }
    const result = await this.#run(lane, job, signal)
    assert(typeof result === 'object', 'an evaluation has findings')
    return result
  }

  async sign(message: ReadableContent, added: Uint8Array, keys: readonly SigningKey[]): Promise<string> {
    if (keys.length === 0) return ''
    // A copy of its own octets: a view would take the buffer around it along.
    const task = { kind: 'sign', added: new Uint8Array(added), keys } as const
    const result = await this.#run(this.#signing, { content: message, task, owner: '' })
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
    await Promise.all(this.#lanes.map((lane) => lane.end('the server stops')))
  }

  get #lanes(): readonly Lane[] {
    return [this.#small, this.#large, this.#signing]
  }

  get #isIdle(): boolean {
    return this.#lanes.every(({ isIdle }) => isIdle)
  }

  async #run(
    lane: Lane,
    given: Pick<Job, 'content' | 'task' | 'owner'>,
    signal?: AbortSignal,
  ): Promise<TaskResult> {
    if (this.#isClosed) throw new MailAuthError('the server stops')
    signal?.throwIfAborted()
    const done = Promise.withResolvers<TaskResult>()
    const job = { ...given, untilMs: this.#nowMs() + this.#limits.jobMs, done }
    const giveUp = (): void => lane.giveUp(job)
    signal?.addEventListener('abort', giveUp)
    lane.add(job)
    try {
      return await done.promise
    } finally {
      signal?.removeEventListener('abort', giveUp)
      if (this.#isIdle) this.#drained?.()
    }
  }
}
