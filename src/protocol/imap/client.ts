import { decodeBase64Strict, encodeBase64 } from '../../bytes/base64.ts'
import { assert } from '../../mail/assert.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Step } from '../machine.ts'
import { Timer } from '../timer.ts'
import {
  IMAP_CLIENT_LIMITS,
  type ImapClientAnswer,
  type ImapClientAsk,
  type ImapClientLimits,
  type ImapClientMachine,
  type ImapClientOptions,
  type ImapClientTell,
} from './client-types.ts'
import type { ImapCommand } from './command.ts'
import { encodeCommand } from './encode-command.ts'
import { LITERAL_MINUS_OCTETS } from './limits.ts'
import { Output } from './output.ts'
import type { ServerLine } from './parse-response.ts'
import type { WirePart } from './reader.ts'
import { ResponseInput } from './response-flow.ts'

type ClientStep = Step<ImapClientAsk, ImapClientTell>

const NEED_INPUT: ClientStep = { kind: 'need-input' }
const CLOSE: ClientStep = { kind: 'close' }

/** After these the client waits: what follows depends on how they end, or would be taken for a part of them. */
const ALONE: ReadonlySet<ImapCommand['kind']> = new Set([
  'authenticate',
  'starttls',
  'idle',
  'login',
  'logout',
  'append',
  'enable',
])

interface Sending {
  readonly tag: string
  readonly kind: ImapCommand['kind']
  /** Not yet written. */
  parts: WirePart[]
}

/** The client side of one IMAP connection as a machine: for tests, measurements and fetching mail from elsewhere. */
export class ImapClient implements ImapClientMachine {
  readonly #limits: ImapClientLimits
  readonly #literals: ImapClientOptions['literals']
  readonly #input: ResponseInput
  readonly #timer = new Timer()
  readonly #out = new Output()
  #lines: Generator<ClientStep, ServerLine, void> | undefined
  #queue: Sending[] = []
  /** Written whole, or waiting for a continuation. */
  #open: Sending[] = []
  #waiting: 'no' | 'literal' | 'append' | 'go' = 'no'
  #appendLeft = 0
  #asking: ImapClientAsk | undefined
  #held: ClientStep[] = []
  #greeted = false
  #tlsPending = false
  #ended = false
  #closed = false
  #count = 0

  constructor(options: ImapClientOptions) {
    this.#limits = { ...IMAP_CLIENT_LIMITS, ...options.limits }
    this.#literals = options.literals
    this.#input = new ResponseInput(this.#limits)
    this.#timer.tick(options.nowMs)
    this.#timer.start(this.#limits.replyTimeoutMs)
  }

  command(command: ImapCommand): string {
    const tag = `c${++this.#count}`
    this.#queue.push({ tag, kind: command.kind, parts: encodeCommand(tag, command) })
    return tag
  }

  done(): void {
    this.#out.text('DONE\r\n')
  }

  get heldBytes(): number {
    return this.#input.queue.length
  }

  push(bytes: Uint8Array): void {
    if (!this.#closed) this.#input.queue.push(bytes)
  }

  end(): void {
    this.#ended = true
  }

  deadline(): number | undefined {
    return this.#closed ? undefined : this.#timer.deadline()
  }

  tick(nowMs: number): void {
    this.#timer.tick(nowMs)
  }

  /** Octets that came before TLS stood are no server's that we could trust. */
  tlsStarted(_facts: TlsFacts): void {
    this.#input.clear()
    this.#lines = undefined
    this.#tlsPending = false
  }

  answer(answer: ImapClientAnswer): void {
    const ask = this.#asking
    assert(ask !== undefined, 'answer without an open ask')
    this.#asking = undefined
    if (ask.kind === 'challenge') {
      assert(answer.kind !== 'append-data', 'a challenge is answered by auth-response or cancel')
      this.#out.text(answer.kind === 'cancel' ? '*\r\n' : `${encodeBase64(answer.octets)}\r\n`)
      return
    }
    assert(answer.kind === 'append-data', 'append-data is answered by append-data')
    const { octets } = answer
    assert(octets.length > 0 && octets.length <= this.#appendLeft, 'append-data of the wrong size')
    this.#appendLeft -= octets.length
    this.#out.octets(octets)
  }

  next(): ClientStep {
    for (;;) {
      const held = this.#held.shift()
      if (held !== undefined) return held
      if (this.#closed) return CLOSE
      if (this.#asking !== undefined || this.#tlsPending) return this.#rest()
      const asked = this.#send()
      if (asked !== undefined) return asked
      const step = this.#receive()
      if (step === undefined) continue
      if (step.kind !== 'need-input') return step
      if (this.#out.pendingBytes > 0) return this.#rest()
      if (this.#ended) this.#lose('connection closed')
      else if (this.#timer.expired) this.#lose('no reply in time')
      else return step
    }
  }

  #rest(): ClientStep {
    return this.#out.pendingBytes > 0 ? { kind: 'write', bytes: this.#out.take() } : NEED_INPUT
  }

  /** Writes what may be written now. */
  #send(): ClientStep | undefined {
    if (this.#waiting === 'append') return this.#askAppend()
    while (this.#greeted && this.#waiting !== 'literal') {
      const alone = this.#open.some((one) => ALONE.has(one.kind))
      const current = this.#waiting === 'go' ? this.#open.at(-1) : alone ? undefined : this.#queue.shift()
      if (current === undefined) return undefined
      if (this.#waiting === 'no') {
        this.#open.push(current)
        this.#timer.start(this.#limits.replyTimeoutMs)
      }
      if (this.#writeParts(current)) return this.#askAppend()
    }
    return undefined
  }

  /** Writes a command up to the next literal that has to wait; true where a message is to follow now. */
  #writeParts(current: Sending): boolean {
    for (;;) {
      const part = current.parts[0]
      if (part === undefined) {
        this.#out.text('\r\n')
        this.#waiting = 'no'
        return false
      }
      if (part.kind !== 'text') {
        const size = part.kind === 'literal' ? part.octets.length : part.sizeBytes
        if (this.#waiting !== 'go' && !this.#announce(size)) return false
        this.#waiting = 'no'
        if (part.kind === 'announced') {
          this.#appendLeft = size
          this.#waiting = 'append'
          return true
        }
        this.#out.text(part.octets)
      } else this.#out.text(part.text)
      current.parts.shift()
    }
  }

  /** Whether the literal's octets may follow at once. */
  #announce(size: number): boolean {
    const most = { 'LITERAL+': Number.POSITIVE_INFINITY, 'LITERAL-': LITERAL_MINUS_OCTETS, none: -1 }
    const now = size <= most[this.#literals]
    this.#out.text(`{${size}${now ? '+' : ''}}\r\n`)
    if (!now) this.#waiting = 'literal'
    return now
  }

  #askAppend(): ClientStep | undefined {
    const current = this.#open.at(-1)
    if (current === undefined) return undefined
    if (this.#appendLeft === 0) {
      this.#out.text('\r\n')
      this.#waiting = 'no'
      return undefined
    }
    this.#asking = { kind: 'append-data', tag: current.tag, left: this.#appendLeft }
    return { kind: 'ask', ask: this.#asking }
  }

  /** One step of reading; undefined where a line was understood and nothing is to be said of it. */
  #receive(): ClientStep | undefined {
    this.#lines ??= this.#input.next()
    const result = this.#lines.next()
    if (result.done !== true) return result.value
    this.#lines = undefined
    this.#timer.touch()
    return this.#understand(result.value)
  }

  #understand(line: ServerLine): ClientStep | undefined {
    switch (line.kind) {
      case 'malformed':
        this.#lose(line.cause)
        return undefined
      case 'unknown':
        return undefined
      case 'continue':
        return this.#continue(line.text)
      case 'tagged':
        return this.#complete(line)
      case 'untagged': {
        const { response } = line
        if (this.#greeted) return { kind: 'tell', tell: { kind: 'response', response } }
        this.#greeted = true
        this.#timer.stop()
        if (response.kind === 'condition')
          return { kind: 'tell', tell: { kind: 'greeting', condition: response } }
        this.#lose('no greeting')
        return undefined
      }
    }
  }

  #continue(text: string): ClientStep | undefined {
    const current = this.#open.at(-1)
    if (this.#waiting === 'literal') {
      this.#waiting = 'go'
      return undefined
    }
    if (current?.kind === 'idle') {
      this.#timer.stop()
      return { kind: 'tell', tell: { kind: 'idling', tag: current.tag } }
    }
    const octets = decodeBase64Strict(text.trim())
    if (current?.kind !== 'authenticate' || octets === undefined) {
      this.#lose('a continuation that nobody waits for')
      return undefined
    }
    this.#asking = { kind: 'challenge', tag: current.tag, octets }
    return { kind: 'ask', ask: this.#asking }
  }

  #complete(line: Extract<ServerLine, { kind: 'tagged' }>): ClientStep | undefined {
    const { tag, condition } = line
    const at = this.#open.findIndex((one) => one.tag === tag)
    const current = this.#open[at]
    if (current === undefined) {
      this.#lose('a completion of no command')
      return undefined
    }
    if (this.#waiting === 'append' && current.kind === 'append') {
      this.#lose('a message was refused while it was sent')
      return undefined
    }
    // A refused literal ends its command; the rest is never sent.
    if (at === this.#open.length - 1 && current.parts.length > 0) this.#waiting = 'no'
    this.#open.splice(at, 1)
    if (this.#open.length === 0) this.#timer.stop()
    if (current.kind === 'starttls' && condition.status === 'OK') {
      this.#tlsPending = true
      this.#held.push({ kind: 'start-tls' })
    }
    return { kind: 'tell', tell: { kind: 'done', tag, condition } }
  }

  #lose(cause: string): void {
    this.#closed = true
    this.#timer.stop()
    this.#input.clear()
    this.#held.push({ kind: 'tell', tell: { kind: 'lost', cause } })
  }
}
