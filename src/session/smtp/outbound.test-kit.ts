import { parseAddress } from '../../mail/address.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Delivery, DeliveryJob, HopPolicy } from '../../ports/deliverer.ts'
import type { Connection, Dialer, DialFailure } from '../../ports/dialer.ts'
import { SmtpDeliverer } from './outbound.ts'

export const TLS: TlsFacts = { version: 'TLSv1.3', cipher: 'TEST', exporter: new Uint8Array(32) }

/** Time that moves only when a test says so. */
export class TestClock implements Clock {
  #nowMs = 1_000
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  now(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  zoneMinutes(): number {
    return 540
  }

  monotonic(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Jumps to the next timer; false where there is none. */
  skip(): boolean {
    const next = this.#timers.sort((a, b) => a.atMs - b.atMs).shift()
    if (next === undefined) return false
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.callback()
    return true
  }
}

/**
 * A host that follows a script. `S: ` says a line, `C: ` waits for one (a `*` at its end stands for the rest),
 * `--- close`, `--- reset`, `--- tls`, `--- tls-fails` and `--- silence` are what they say.
 */
export class ScriptedHost implements Connection {
  readonly localAddress = '192.0.2.1'
  readonly remoteAddress = '192.0.2.2'
  readonly problems: string[] = []
  readonly tlsAsked: { readonly serverName: string; readonly verify: boolean }[] = []
  closed = false
  written = ''
  readonly #steps: string[]
  #input = ''
  #said: Uint8Array[] = []
  #end: 'open' | 'closed' | 'reset' = 'open'
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined

  constructor(script: string) {
    this.#steps = script
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    this.#go()
  }

  /** What of the script was not played. */
  get left(): readonly string[] {
    return this.#steps
  }

  write(bytes: Uint8Array): void {
    this.written += Buffer.from(bytes).toString('latin1')
    this.#input += Buffer.from(bytes).toString('latin1')
    this.#go()
  }

  read(): Promise<Uint8Array | undefined> {
    const bytes = this.#said.shift()
    if (bytes !== undefined) return Promise.resolve(bytes)
    if (this.#end === 'closed') return Promise.resolve(undefined)
    if (this.#end === 'reset') return Promise.reject(new Error('ECONNRESET'))
    this.#waiting = Promise.withResolvers<Uint8Array | undefined>()
    return this.#waiting.promise
  }

  startTls(options: { readonly serverName: string; readonly verify: boolean }): Promise<TlsFacts> {
    this.tlsAsked.push(options)
    const step = this.#steps.shift()
    if (step === '--- tls') {
      queueMicrotask(() => this.#go())
      return Promise.resolve(TLS)
    }
    if (step !== '--- tls-fails') this.problems.push(`TLS where the script has ${step}`)
    return Promise.reject(new Error('bad certificate'))
  }

  close(): void {
    this.closed = true
    this.#finish('closed')
  }

  #go(): void {
    for (;;) {
      const step = this.#steps[0]
      if (step === undefined || step.startsWith('--- tls') || step === '--- silence') return
      if (step.startsWith('C: ')) {
        const end = this.#input.indexOf('\r\n')
        if (end < 0) return
        this.#heard(this.#input.slice(0, end), step.slice(3))
        this.#input = this.#input.slice(end + 2)
      } else if (step.startsWith('S: ')) this.#say(Buffer.from(`${step.slice(3)}\r\n`, 'latin1'))
      else this.#finish(step === '--- reset' ? 'reset' : 'closed')
      this.#steps.shift()
    }
  }

  #heard(line: string, wanted: string): void {
    const fits = wanted.endsWith('*') ? line.startsWith(wanted.slice(0, -1)) : line === wanted
    if (!fits) this.problems.push(`heard ${line}, the script has ${wanted}`)
  }

  #say(bytes: Uint8Array): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#said.push(bytes)
    else waiting.resolve(bytes)
  }

  #finish(end: 'closed' | 'reset'): void {
    this.#end = end
    if (end === 'reset') this.#waiting?.reject(new Error('ECONNRESET'))
    else this.#waiting?.resolve(undefined)
    this.#waiting = undefined
  }
}

export interface Given {
  readonly to?: readonly string[]
  readonly body?: string
  readonly policy?: HopPolicy
  readonly sender?: Partial<EnvelopeSender>
  readonly job?: Partial<DeliveryJob>
}

/** Delivers over the given connections in turn. Time jumps while nothing else moves. */
export async function deliver(
  hosts: readonly (Connection | DialFailure)[],
  {
    to = ['b@mx.test'],
    body = 'Subject: x\r\n\r\nx\r\n',
    policy = { tls: 'opportunistic' },
    sender,
    job,
  }: Given = {},
): Promise<Delivery> {
  const left = [...hosts]
  const dialer: Dialer = {
    async dial({ tls }) {
      const next = left.shift()
      if (next === undefined) throw new Error('one connection too many')
      if ('kind' in next) return { ok: false, ...next }
      return { ok: true, connection: next, tls: tls === undefined ? undefined : TLS }
    },
  }
  const clock = new TestClock()
  const deliverer = new SmtpDeliverer({
    dialer,
    clock,
    random: { bytes: (count) => new Uint8Array(count).fill(7) },
    heloName: () => 'me.test',
  })
  const result = deliverer.deliver({
    hop: { name: 'mx.test', address: '192.0.2.2', port: 25 },
    policy,
    sender: { reversePath: address('a@me.test'), bodyType: '7BIT', smtputf8: false, ...sender },
    recipients: to.map((text) => ({ address: address(text) })),
    sizeBytes: Buffer.byteLength(body, 'latin1'),
    async *body() {
      yield Buffer.from(body, 'latin1')
    },
    ...job,
  })
  let done = false
  void result.finally(() => {
    done = true
  })
  for (let turn = 0; !done && turn < 10_000; turn++) {
    await new Promise((resolve) => void setImmediate(resolve))
    if (!done && turn % 10 === 9) clock.skip()
  }
  return result
}

export function address(text: string) {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

/** `answered 250 550 …` or `no-contact 451 4.4.2`. */
export function summary(delivery: Delivery): string {
  const codes = delivery.kind === 'answered' ? delivery.answers.map(({ reply }) => reply) : [delivery.reply]
  return [delivery.kind, ...codes.map(({ code, enhanced }) => `${code} ${enhanced ?? '-'}`)].join(' ')
}
