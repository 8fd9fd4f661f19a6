import { ByteQueue } from '../../bytes/queue.ts'
import { assert } from '../../mail/assert.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Machine, Step } from '../machine.ts'
import { Timer } from '../timer.ts'

/**
 * A conversation written in the order in which it happens: a generator that gives steps out and gets the
 * answer of its last ask in (undefined where none came in time). It waits for nothing; who runs it decides
 * when it goes on.
 */
export type Flow<Ask, Tell, Answer, Result = void> = Generator<Step<Ask, Tell>, Result, Answer | undefined>

/** Why a wait for input ended. */
export type Woken = 'input' | 'ended' | 'expired' | 'posted'

const NEED_INPUT = { kind: 'need-input' } as const
const CLOSE = { kind: 'close' } as const

/** What a conversation sees of its connection: octets in, octets gathered to go out, the time limits. */
export class Wire<Ask, Tell, Answer> {
  readonly input = new ByteQueue()
  /** Of the present wait. */
  readonly timer = new Timer()
  /** Of something that has many waits, such as a message's content. */
  readonly total = new Timer()
  tls: TlsFacts | undefined
  /** The peer sends no more. */
  ended = false
  /** Another entrance than `push` was used. */
  posted = false
  /** Clear text that was pushed between 'start-tls' and `tlsStarted`. */
  behindTlsBytes = 0
  #out: Uint8Array[] = []
  #outBytes = 0

  get expired(): boolean {
    return this.timer.expired || this.total.expired
  }

  get gatheredBytes(): number {
    return this.#outBytes
  }

  /** Gathers octets; they go out with the next flush. */
  gather(bytes: Uint8Array): void {
    this.#out.push(bytes)
    this.#outBytes += bytes.length
  }

  *flush(): Flow<Ask, Tell, Answer> {
    if (this.#outBytes === 0) return
    const bytes = this.#out.length === 1 ? (this.#out[0] as Uint8Array) : Buffer.concat(this.#out)
    this.#out = []
    this.#outBytes = 0
    yield { kind: 'write', bytes }
  }

  /** Writes what is due, then waits until there is more input than there was, or another reason to look. */
  *wait(): Flow<Ask, Tell, Answer, Woken> {
    const before = this.input.length
    yield* this.flush()
    for (;;) {
      if (this.input.length > before) return 'input'
      if (this.expired) return 'expired'
      if (this.ended) return 'ended'
      if (this.posted) {
        this.posted = false
        return 'posted'
      }
      yield NEED_INPUT
    }
  }

  /** Undefined: not answered within `limitMs`; a later answer is dropped. */
  *ask(ask: Ask, limitMs: number | undefined): Flow<Ask, Tell, Answer, Answer | undefined> {
    if (limitMs === undefined) this.timer.stop()
    else this.timer.start(limitMs)
    const answer = yield { kind: 'ask', ask }
    this.timer.stop()
    return answer
  }

  *tell(tell: Tell): Flow<Ask, Tell, Answer> {
    yield { kind: 'tell', tell }
  }

  /**
   * Starts TLS. False: it did not stand in time, or the peer left. Octets that came before it stood are clear
   * text that somebody may have injected (rfc3207 §4.2): they are dropped, and counted for the caller.
   */
  *startTls(limitMs: number): Flow<Ask, Tell, Answer, { started: boolean; droppedBytes: number }> {
    yield* this.flush()
    let droppedBytes = this.input.length
    this.input.clear()
    this.tls = undefined
    this.timer.start(limitMs)
    yield { kind: 'start-tls' }
    while (this.tls === undefined) {
      if (this.expired || this.ended) return { started: false, droppedBytes }
      yield NEED_INPUT
    }
    droppedBytes += this.behindTlsBytes
    this.behindTlsBytes = 0
    this.timer.stop()
    return { started: true, droppedBytes }
  }
}

/** Runs a flow as a machine. */
export class FlowMachine<Ask, Tell, Answer> implements Machine<Ask, Tell, Answer> {
  readonly #wire: Wire<Ask, Tell, Answer>
  readonly #flow: Flow<Ask, Tell, Answer>
  #asking = false
  #lateAnswers = 0
  #answer: Answer | undefined
  #done = false

  constructor(wire: Wire<Ask, Tell, Answer>, flow: Flow<Ask, Tell, Answer>) {
    this.#wire = wire
    this.#flow = flow
  }

  get heldBytes(): number {
    return this.#wire.input.length
  }

  push(bytes: Uint8Array): void {
    if (!this.#done) this.#wire.input.push(bytes)
  }

  end(): void {
    this.#wire.ended = true
  }

  next(): Step<Ask, Tell> {
    if (this.#done) return CLOSE
    if (this.#asking && this.#answer === undefined) {
      if (!this.#wire.expired) return NEED_INPUT
      this.#lateAnswers++
    }
    const answer = this.#answer
    this.#answer = undefined
    const result = this.#flow.next(answer)
    if (result.done === true || result.value.kind === 'close') {
      this.#done = true
      this.#asking = false
      this.#wire.timer.stop()
      this.#wire.total.stop()
      this.#wire.input.clear()
      return CLOSE
    }
    this.#asking = result.value.kind === 'ask'
    return result.value
  }

  answer(answer: Answer): void {
    if (!this.#asking && this.#lateAnswers > 0) {
      // The core gave up waiting and has told the peer so.
      this.#lateAnswers--
      return
    }
    assert(this.#asking && this.#answer === undefined, 'answer without an open ask')
    this.#answer = answer
  }

  tlsStarted(facts: TlsFacts): void {
    this.#wire.behindTlsBytes += this.#wire.input.length
    this.#wire.input.clear()
    this.#wire.tls = facts
  }

  deadline(): number | undefined {
    const wait = this.#wire.timer.deadline()
    const total = this.#wire.total.deadline()
    if (wait === undefined || total === undefined) return wait ?? total
    return Math.min(wait, total)
  }

  tick(nowMs: number): void {
    this.#wire.timer.tick(nowMs)
    this.#wire.total.tick(nowMs)
  }
}
