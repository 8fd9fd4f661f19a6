import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import { plainPeer } from './client-peer.ts'
import type {
  ClientAnswer,
  ClientAsk,
  ClientOptions,
  ClientStage,
  ClientTell,
  PeerExtensions,
  StageReply,
} from './client-types.ts'
import type { Flow } from './flow.ts'
import { Wire } from './flow.ts'
import type { ClientLimits } from './limits.ts'
import { CLIENT_LIMITS } from './limits.ts'
import { ReplyReader } from './reply-reader.ts'

export type ClientFlow<Result = void> = Flow<ClientAsk, ClientTell, ClientAnswer, Result>

/** The connection can't be used any more. */
export interface Failure extends StageReply {
  readonly failed: true
  /** The peer still listens, so QUIT is good manners. */
  readonly polite: boolean
}

/** What all stages of one connection share: its state, and how replies are read. */
export class ClientContext {
  readonly wire = new Wire<ClientAsk, ClientTell, ClientAnswer>()
  readonly options: ClientOptions
  readonly limits: ClientLimits
  readonly replies: ReplyReader
  peer: PeerExtensions = plainPeer('')
  messagesSent = 0

  constructor(options: ClientOptions) {
    this.options = options
    this.limits = { ...CLIENT_LIMITS, ...options.limits }
    this.replies = new ReplyReader(this.wire.input, this.limits)
    this.wire.tls = options.tls
  }

  /** Gathers a command. What could end its line early is our own fault and never goes out. */
  command(text: string): void {
    assert(!/[\u0000-\u001f\u007f]/.test(text), 'a control character in a command')
    this.wire.gather(Buffer.from(`${text}\r\n`, 'utf8'))
  }

  /** The next reply, or why there will be none. A 421 is the end of the connection wherever it comes. */
  *reply(stage: ClientStage, limitMs: number): ClientFlow<Reply | Failure> {
    this.wire.timer.start(limitMs)
    for (;;) {
      const read = this.replies.next()
      if (read.kind === 'reply') {
        this.wire.timer.stop()
        return read.reply.code === 421 ? peerFailure(stage, read.reply, false) : read.reply
      }
      if (read.kind === 'invalid')
        return localFailure(stage, reply(451, '4.5.0', `The server broke the protocol: ${read.why}`))
      const woken = yield* this.wire.wait()
      if (woken === 'ended')
        return localFailure(stage, reply(451, '4.4.2', 'The server closed the connection'))
      if (woken === 'expired')
        return localFailure(stage, reply(451, '4.4.2', 'The server did not answer in time'))
    }
  }

  *exchange(stage: ClientStage, command: string, limitMs: number): ClientFlow<Reply | Failure> {
    const spoken = this.unasked(stage)
    if (spoken !== undefined) return spoken
    this.command(command)
    return yield* this.reply(stage, limitMs)
  }

  /**
   * With nothing asked, nothing may have come: a reply too many would be taken for the answer to the next
   * command, which is what injected octets are for.
   */
  unasked(stage: ClientStage): Failure | undefined {
    if (this.wire.input.length === 0) return undefined
    const read = this.replies.next()
    if (read.kind === 'reply' && read.reply.code === 421) return peerFailure(stage, read.reply, false)
    return localFailure(stage, reply(451, '4.5.0', 'The server broke the protocol: it spoke unasked'))
  }
}

/** A 3xx where none belongs: what it would mean is anybody's guess, so nothing is built on it. */
export function misplaced(stage: ClientStage, said: Reply): Failure | undefined {
  if (said.code < 300 || said.code > 399) return undefined
  return localFailure(stage, reply(451, '4.5.0', `The server broke the protocol: ${said.code} to ${stage}`))
}

export function isFailure(value: Reply | StageReply | undefined): value is Failure {
  return value !== undefined && 'failed' in value
}

export function peerFailure(stage: ClientStage, said: Reply, polite = true): Failure {
  return { failed: true, stage, from: 'peer', reply: said, polite }
}

export function localFailure(stage: ClientStage, said: Reply, polite = false): Failure {
  return { failed: true, stage, from: 'local', reply: said, polite }
}
