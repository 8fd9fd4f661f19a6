import { LineReader } from '../../bytes/lines.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPermanent, reply } from '../../mail/reply.ts'
import type { ContentScanner } from './data.ts'
import type { Flow } from './flow.ts'
import { Wire } from './flow.ts'
import type { ServerLimits } from './limits.ts'
import { SERVER_LIMITS } from './limits.ts'
import { encodeReply } from './reply.ts'
import type { Phase } from './states.ts'
import type {
  AttackKind,
  ClosingReason,
  ServerAnswer,
  ServerAsk,
  ServerOptions,
  ServerTell,
} from './types.ts'

export type ServerFlow<Result = void> = Flow<ServerAsk, ServerTell, ServerAnswer, Result>

/** What is to happen after a command. */
export type Outcome = 'go-on' | 'closed'

/** What all commands of one connection share: its state, and how things are said. */
export class ServerContext {
  readonly wire = new Wire<ServerAsk, ServerTell, ServerAnswer>()
  readonly lines = new LineReader(this.wire.input)
  readonly options: ServerOptions
  readonly limits: ServerLimits

  phase: Phase = 'greeted'
  tls: boolean
  authenticated = false
  mechanisms: readonly string[]
  /** Of the open transaction. */
  sender: EnvelopeSender | undefined
  recipients = 0
  /** rfc6531 §3.7.4: the last MAIL had SMTPUTF8. */
  utf8Replies = false
  content: ContentScanner | undefined
  chunks = 0
  /** Of the connection. */
  messages = 0
  errors = 0
  idleCommands = 0
  authFailures = 0
  shutdown: Reply | undefined

  constructor(options: ServerOptions) {
    this.options = options
    this.limits = { ...SERVER_LIMITS, ...options.limits }
    this.tls = options.tls !== undefined
    this.mechanisms = this.tls ? options.offers.auth.tls : options.offers.auth.clear
  }

  /** Gathers a reply; replies to pipelined commands go out together. 421 and 521 close. */
  *say(said: Reply): ServerFlow<Outcome> {
    return yield* this.sayAll([said])
  }

  /** Several replies to one command (LMTP's end of data); for the budget of errors they are one. */
  *sayAll(replies: readonly Reply[]): ServerFlow<Outcome> {
    for (const said of replies) this.wire.gather(encodeReply(said, { utf8: this.utf8Replies }))
    const last = replies.find(({ code }) => code === 421 || code === 521)
    if (last !== undefined) return yield* this.close('refused', last)
    if (this.wire.gatheredBytes > this.limits.gatheredReplyBytes) yield* this.wire.flush()
    // A 4xx is our own trouble or greylisting, not the client's mistake.
    if (!replies.some(isPermanent)) return 'go-on'
    if (++this.errors < this.limits.errors) return 'go-on'
    yield* this.attack('too-many-errors', `${this.errors} errors`)
    return yield* this.sayAndClose('attack', reply(421, '4.7.0', `${this.options.hostname} Too many errors`))
  }

  /** The core's own refusal of a command. */
  *refuse(verb: string, said: Reply): ServerFlow<Outcome> {
    yield* this.wire.tell({ kind: 'refused', verb, reply: said })
    return yield* this.say(said)
  }

  *sayAndClose(why: ClosingReason, said: Reply): ServerFlow<Outcome> {
    this.wire.gather(encodeReply(said))
    return yield* this.close(why, said)
  }

  *close(why: ClosingReason, said?: Reply): ServerFlow<Outcome> {
    yield* this.dropTransaction('closed')
    yield* this.wire.tell(
      said === undefined ? { kind: 'closing', why } : { kind: 'closing', why, reply: said },
    )
    yield* this.wire.flush()
    yield { kind: 'close' }
    return 'closed'
  }

  *attack(attack: AttackKind, detail: string): ServerFlow {
    yield* this.wire.tell({ kind: 'attack', attack, detail })
  }

  /** Asks the session; undefined: it did not answer in time, and the connection is closed with 421. */
  *ask(question: ServerAsk): ServerFlow<ServerAnswer | undefined> {
    const answer = yield* this.wire.ask(question, this.limits.askMs)
    if (answer === undefined)
      yield* this.sayAndClose('no-answer', reply(421, '4.3.0', 'No answer from ourselves'))
    return answer
  }

  /** Ends the open transaction without a message. Nothing of it is left for the next one. */
  *dropTransaction(by: 'RSET' | 'HELO' | 'STARTTLS' | 'refused' | 'closed', said?: Reply): ServerFlow {
    const { sender, content } = this
    this.clearTransaction()
    if (content !== undefined) {
      const why = by === 'refused' ? 'refused' : by === 'closed' ? 'lost' : 'reset'
      yield* this.wire.tell(
        said === undefined ? { kind: 'body-aborted', why } : { kind: 'body-aborted', why, reply: said },
      )
    }
    if (sender !== undefined) yield* this.wire.tell({ kind: 'reset', by })
  }

  clearTransaction(): void {
    this.sender = undefined
    this.recipients = 0
    this.content = undefined
    this.chunks = 0
    this.wire.total.stop()
    if (this.phase === 'mail' || this.phase === 'rcpt' || this.phase === 'chunks') this.phase = 'ready'
  }

  /** The peer stopped: too slow, or gone. */
  *lost(woken: 'expired' | 'ended'): ServerFlow<Outcome> {
    if (woken === 'ended') return yield* this.close('peer-closed')
    // rfc5321 §3.8: 421 tells why before the connection closes.
    return yield* this.sayAndClose('timeout', reply(421, '4.4.2', `${this.options.hostname} Timeout`))
  }
}
