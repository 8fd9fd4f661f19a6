import { assert } from '../../mail/assert.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Step } from '../machine.ts'
import type { FetchSection } from './commands/fetch.ts'
import { Conversation } from './conversation.ts'
import { FetchStream } from './fetch-stream.ts'
import { IMAP_LIMITS } from './limits.ts'
import { encodeResponse, type ImapResponse } from './response.ts'
import { encodeCondition } from './responses/condition.ts'
import type { FetchData } from './responses/fetch.ts'
import type { ImapState } from './states.ts'
import type {
  Bye,
  ByeReason,
  ImapAnswer,
  ImapAsk,
  ImapServerMachine,
  ImapServerOptions,
  ImapTell,
  ImapUpdate,
} from './types.ts'

type ImapStep = Step<ImapAsk, ImapTell>

const NEED_INPUT: ImapStep = { kind: 'need-input' }
const CLOSE: ImapStep = { kind: 'close' }

/**
 * The server side of one IMAP connection as a machine (rfc3501). What is said when is `Conversation`'s; here
 * is only how it is driven: output gathers while there is input to work on, the conversation rests while an
 * ask is open, and it is left where it waits when the client goes, time runs out or we shut down.
 */
export class ImapServer implements ImapServerMachine {
  readonly #talk: Conversation
  readonly #flow: ReturnType<Conversation['run']>
  readonly #fetch: FetchStream
  readonly #gatherOctets: number
  #asking: ImapAsk['kind'] | undefined
  #answer: ImapAnswer | undefined
  /** Steps that go before the conversation's next one. */
  #held: ImapStep[] = []
  #ended = false
  #closed = false

  constructor(options: ImapServerOptions) {
    const limits = { ...IMAP_LIMITS, ...options.limits }
    this.#gatherOctets = limits.gatherOctets
    this.#talk = new Conversation({ limits, literals: options.literals, tls: options.tls })
    this.#talk.input.timer.tick(options.nowMs)
    this.#fetch = new FetchStream(this.#talk.out)
    this.#flow = this.#talk.run()
  }

  get state(): ImapState {
    return this.#closed ? 'logout' : this.#talk.state
  }

  get pendingWriteBytes(): number {
    return this.#talk.out.pendingBytes
  }

  get mayExpunge(): boolean {
    return this.#talk.mayExpunge && !this.#fetch.open
  }

  get heldBytes(): number {
    return this.#talk.input.heldOctets
  }

  push(bytes: Uint8Array): void {
    if (!this.#closed) this.#talk.input.queue.push(bytes)
  }

  end(): void {
    this.#ended = true
  }

  deadline(): number | undefined {
    if (this.#closed) return undefined
    const [wait, total] = [this.#talk.input.timer.deadline(), this.#talk.input.total.deadline()]
    return wait === undefined || total === undefined ? (wait ?? total) : Math.min(wait, total)
  }

  tick(nowMs: number): void {
    this.#talk.input.timer.tick(nowMs)
    this.#talk.input.total.tick(nowMs)
  }

  tlsStarted(facts: TlsFacts): void {
    const octets = this.#talk.input.queue.length
    this.#talk.input.clear()
    if (octets > 0)
      this.#held.push({ kind: 'tell', tell: { kind: 'attack', what: 'plaintext-behind-starttls', octets } })
    this.#talk.tls = facts
  }

  answer(answer: ImapAnswer): void {
    if (this.#closed) return
    assert(this.#asking !== undefined && this.#answer === undefined, 'answer without an open ask')
    assert(!this.#fetch.open, 'answer within a FETCH response')
    this.#answer = answer
    this.#fetch.rest()
  }

  next(): ImapStep {
    if (this.#talk.out.pendingBytes >= this.#gatherOctets) return this.#write()
    for (;;) {
      const held = this.#held.shift()
      if (held !== undefined) return held
      if (this.#closed) return this.#talk.out.pendingBytes > 0 ? this.#write() : CLOSE
      if (this.#asking !== undefined && this.#answer === undefined) return this.#rest()
      const step = this.#advance()
      if (step.kind !== 'need-input') return step
      const bye = this.#leave()
      if (!bye) return this.#rest()
    }
  }

  send(response: ImapResponse): void {
    assert(
      this.#closed || (this.#asking !== undefined && this.#answer === undefined),
      'send without an open ask',
    )
    this.#say(response)
  }

  post(update: ImapUpdate): void {
    this.#say(update)
  }

  fetchStart(sequence: number, items: readonly FetchData[]): void {
    assert(this.#closed || this.#asking === 'command', 'FETCH response without a command')
    if (!this.#closed) this.#fetch.start(sequence, items)
  }

  fetchItems(items: readonly FetchData[]): void {
    if (!this.#closed) this.#fetch.items(items)
  }

  fetchLiteral(item: FetchSection, sizeBytes: number): void {
    if (!this.#closed) this.#fetch.literal(item, sizeBytes)
  }

  fetchChunk(octets: Uint8Array): void {
    if (!this.#closed) this.#fetch.chunk(octets)
  }

  fetchEnd(): void {
    if (!this.#closed) this.#fetch.end()
  }

  shutdown(bye: Bye): void {
    this.#talk.stopping ??= bye
  }

  abort(): void {
    this.#talk.out.clear()
    this.#close()
  }

  /** One step of the conversation. */
  #advance(): ImapStep {
    const answer = this.#answer
    this.#answer = undefined
    this.#asking = undefined
    const result = this.#flow.next(answer)
    if (result.done === true) {
      this.#close()
      return this.#talk.out.pendingBytes > 0 ? this.#write() : CLOSE
    }
    const step = result.value
    if (step.kind === 'ask') this.#asking = step.ask.kind
    if (step.kind === 'start-tls' && this.#talk.out.pendingBytes > 0) {
      this.#held.push(step)
      return this.#write()
    }
    return step
  }

  /** Nothing to do: what is due is written. */
  #rest(): ImapStep {
    return this.#talk.out.pendingBytes > 0 ? this.#write() : NEED_INPUT
  }

  /** Looks for a reason to end a conversation that waits for input. The reason's steps are held then. */
  #leave(): boolean {
    const { doing, input, stopping } = this.#talk
    if (this.#ended) this.#close('connection closed')
    // Between the completion of STARTTLS and the handshake nothing can be said.
    else if (doing === 'tls' && input.timer.expired) this.#close('no TLS in time')
    else if (input.timer.expired || input.total.expired)
      this.#bye('autologout', { text: 'nothing heard for too long' })
    else if (stopping !== undefined && doing !== 'append' && doing !== 'tls') this.#bye('shutdown', stopping)
    return this.#closed
  }

  #bye(why: ByeReason, bye: Bye): void {
    this.#talk.out.text(encodeCondition({ kind: 'condition', status: 'BYE', ...bye }))
    this.#close(bye.text)
    this.#held.push({ kind: 'tell', tell: { kind: 'bye', why, cause: bye.text } })
  }

  #close(cause = 'closed'): void {
    if (this.#closed) return
    this.#closed = true
    this.#talk.input.clear()
    this.#talk.input.timer.stop()
    this.#talk.input.total.stop()
    this.#answer = undefined
    if (this.#talk.doing === 'append')
      this.#held.push({ kind: 'tell', tell: { kind: 'append-abort', cause } })
    if (this.#talk.doing === 'auth') this.#held.push({ kind: 'tell', tell: { kind: 'auth-cancel', cause } })
  }

  #write(): ImapStep {
    return { kind: 'write', bytes: this.#talk.out.take() }
  }

  #say(response: ImapResponse): void {
    if (this.#closed) return
    assert(this.#talk.doing !== 'greeting', 'a response before the greeting')
    assert(!this.#fetch.open, 'a response within a FETCH response')
    assert(response.kind !== 'expunge' || this.mayExpunge, 'EXPUNGE is not allowed now')
    if (response.kind === 'fetch') this.#fetch.whole(response)
    else this.#talk.out.text(encodeResponse(response))
  }
}
