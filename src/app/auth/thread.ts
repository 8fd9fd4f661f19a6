import { Worker } from 'node:worker_threads'
import type { AuthDns } from '../../mailauth/dns.ts'
import type { Answer } from '../../ports/resolver.ts'
import { Batch } from './batch.ts'
import { type Foreseen, foresee } from './foreseen.ts'
import { Handing } from './handing.ts'
import { heldBytes, type Job, MailAuthError } from './job.ts'
import type { AuthLimits } from './limits.ts'
import { Lookups } from './lookups.ts'
import type { FromThread, LookupAnswer, ToThread } from './messages.ts'

/** The resolver of all threads. */
export interface ThreadDns extends AuthDns {
  /** What is remembered of a name, without asking anybody. */
  knownTxt?(name: string): Answer<string> | undefined
}

export interface ThreadOptions {
  readonly script: URL
  readonly dns: ThreadDns
  readonly limits: AuthLimits
  readonly nowMs: () => number
  /** There is room again, or the thread has ended. */
  changed(): void
}

interface Running {
  readonly job: Job
  readonly lookups: Lookups
  readonly heldBytes: number
  readonly readings: Set<number>
}

/** One thread with its jobs. What it dies of costs them all and nothing else; it is not used again. */
export class Thread {
  readonly #options: ThreadOptions
  readonly #worker: Worker
  readonly #batch: Batch<ToThread>
  readonly #running = new Map<number, Running>()
  readonly #handings = new Map<number, Handing>()
  #watch: NodeJS.Timeout | undefined
  #cause: string | undefined
  #hasEnded = false
  /** Looks since it last gave a sign of life. Not a time: were the main thread held up, it could not have heard one. */
  #silentLooks = 0
  #idleSinceMs: number
  #lastJob = 0
  heldBytes = 0

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#idleSinceMs = options.nowMs()
    this.#worker = new Worker(options.script, {
      resourceLimits: {
        maxOldGenerationSizeMb: options.limits.heapMiB,
        maxYoungGenerationSizeMb: options.limits.youngMiB,
      },
    })
    this.#worker.unref()
    this.#batch = new Batch(this.#worker as { postMessage(value: unknown, transfer: never): void })
    this.#worker.on('message', (messages: readonly FromThread[]) => this.#hear(messages))
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      // Its words may quote what it worked on.
      this.#cause ??= `the thread that authenticates mail died: ${error.code ?? error.name}`
    })
    this.#worker.on('exit', () => this.#ended())
    this.#watch = setInterval(() => this.#look(), options.limits.watchMs)
    this.#watch.unref()
  }

  get jobs(): number {
    return this.#running.size
  }

  get isUsable(): boolean {
    return this.#cause === undefined && !this.#hasEnded
  }

  take(job: Job): void {
    const { dns, limits } = this.#options
    const id = ++this.#lastJob
    const held = heldBytes(job, limits)
    this.#running.set(id, {
      job,
      lookups: new Lookups(dns, limits),
      heldBytes: held,
      readings: new Set(),
    })
    this.heldBytes += held
    this.#worker.ref()
    if (job.content.sizeBytes > limits.wholeBytes) this.#give(id, job, undefined)
    else
      wholeOf(job).then(
        (whole) => this.#running.has(id) && this.#give(id, job, whole),
        (error: unknown) => this.#finish(id, unreadable(error)),
      )
  }

  /** Rejects it where it is here; the thread does no more for it than it must. */
  giveUp(job: Job, cause: string): void {
    for (const [id, running] of this.#running) if (running.job === job) this.#drop(id, cause)
  }

  /** Rejects the jobs that it has. */
  async end(cause: string): Promise<void> {
    this.#cause ??= cause
    await this.#worker.terminate()
  }

  #give(job: number, { task, content }: Job, whole: Uint8Array<ArrayBuffer> | undefined): void {
    const { sizeBytes } = content
    const known = whole && task.kind === 'evaluate' ? this.#known(foresee(whole, task.facts)) : undefined
    this.#batch.say({ kind: 'job', job, task, content: { sizeBytes, whole }, known }, whole)
  }

  #known(names: Foreseen): ReadonlyMap<string, LookupAnswer> {
    const known = new Map<string, LookupAnswer>()
    for (const name of names) {
      const answer = this.#options.dns.knownTxt?.(name)
      if (answer !== undefined) known.set(name, answer)
    }
    return known
  }

  #hear(messages: readonly FromThread[]): void {
    this.#silentLooks = 0
    for (const message of messages) {
      if (message.kind === 'done') this.#finish(message.job, message.result)
      else if (message.kind === 'failed') this.#finish(message.job, new MailAuthError(message.cause))
      else if (message.kind === 'ask') this.#ask(message)
      else if (message.kind === 'read') this.#read(message.job, message.reading)
      else if (message.kind === 'taken') this.#handings.get(message.reading)?.taken()
      else if (message.kind === 'left') this.#handings.get(message.reading)?.leave()
    }
  }

  #ask({ job, ask, type, name }: Extract<FromThread, { kind: 'ask' }>): void {
    this.#running.get(job)?.lookups.ask({
      type,
      name,
      answered: (answer) => {
        if (this.isUsable) this.#batch.say({ kind: 'answer', ask, answer })
      },
    })
  }

  #read(id: number, reading: number): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    const { pieceBytes, piecesAhead } = this.#options.limits
    const handing = new Handing({
      pieceBytes,
      piecesAhead,
      piece: (octets) => this.#batch.say({ kind: 'piece', reading, octets }, octets),
      end: () => this.#batch.say({ kind: 'end', reading }),
    })
    running.readings.add(reading)
    this.#handings.set(reading, handing)
    handing
      .run(running.job.content)
      .catch((error: unknown) => this.#finish(id, unreadable(error)))
      .finally(() => {
        running.readings.delete(reading)
        this.#handings.delete(reading)
      })
  }

  #drop(id: number, cause: string): void {
    this.#batch.say({ kind: 'drop', job: id })
    this.#finish(id, new MailAuthError(cause))
  }

  #finish(id: number, result: Parameters<Job['done']['resolve']>[0] | MailAuthError): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    this.#running.delete(id)
    this.heldBytes -= running.heldBytes
    running.lookups.drop()
    for (const reading of running.readings) this.#handings.get(reading)?.leave()
    if (result instanceof MailAuthError) running.job.done.reject(result)
    else running.job.done.resolve(result)
    if (this.#running.size === 0) {
      this.#idleSinceMs = this.#options.nowMs()
      if (!this.#hasEnded) this.#worker.unref()
    }
    this.#options.changed()
  }

  /** Is it alive, is anybody waiting in vain, is it needed at all? */
  #look(): void {
    const { limits, nowMs } = this.#options
    const now = nowMs()
    if (!this.isUsable) return
    if (this.#running.size === 0) {
      this.#silentLooks = 0
      if (now - this.#idleSinceMs >= limits.idleMs) void this.end('it had nothing to do')
      return
    }
    for (const [id, { job }] of this.#running) {
      if (job.untilMs <= now) this.#drop(id, 'authenticating the message took too long')
    }
    if (++this.#silentLooks * limits.watchMs > limits.silentMs)
      void this.end('the thread that authenticates mail hung')
    else this.#batch.say({ kind: 'ping' })
  }

  #ended(): void {
    this.#hasEnded = true
    clearInterval(this.#watch)
    this.#cause ??= 'the thread that authenticates mail ended'
    for (const id of [...this.#running.keys()]) this.#finish(id, new MailAuthError(this.#cause))
    this.#options.changed()
  }
}

/** Its octets in a buffer that may be given away. */
async function wholeOf({ content }: Job): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(content.sizeBytes)
  let at = 0
  for await (const piece of content.pieces()) {
    whole.set(piece, at)
    at += piece.length
  }
  if (at !== whole.length) throw new RangeError('a content is not as long as it says')
  return whole
}

function unreadable(error: unknown): MailAuthError {
  const { code, name } = error as NodeJS.ErrnoException
  return new MailAuthError(`the message cannot be read: ${code ?? name ?? 'unknown'}`, { cause: error })
}
