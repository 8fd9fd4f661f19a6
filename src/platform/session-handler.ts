import type { TlsFacts } from '../mail/tls-facts.ts'
import type { CloseReason, Peer } from './peer.ts'

/** A session's hold on its connection. */
export interface SessionConnection {
  readonly peer: Peer
  /** Present once TLS stands. */
  readonly tls: TlsFacts | undefined
  readonly gone: boolean
  /** Runs the core after the session gave it something (`post`). Safe at any time, also from `ask` and `tell`. */
  pump(): void
  /**
   * For a session that makes a long answer piece by piece: resolves with true once the peer has room for more,
   * with false as soon as the connection is gone. Never rejects.
   */
  drained(): Promise<boolean>
  /** Cuts the connection off at once; what was not sent is lost. */
  cut(cause: string): void
  /** Octets that the session keeps for this client, beside what lies in the connection itself. */
  hold(sizeBytes: number): void
  /**
   * From now on what is kept is kept for a login; '' for many, such as those behind another mail server of ours.
   * False, and nothing changes, where this login has too many connections.
   */
  belongsTo(login: string): boolean
  /** Memory is short: work had better be done in small pieces. */
  readonly isTight: boolean
  /** Whether memory lets new work begin; false: it had better be put off. */
  admits(): boolean
}

/** Answers one core's questions and takes its facts. What it throws or rejects with is our fault: logged, connection cut. */
export interface SessionHandler<Ask, Tell, Answer> {
  /** First of all, before any byte moves. */
  attached(connection: SessionConnection): void
  ask(ask: Ask): Answer | Promise<Answer>
  /** The core rests until a returned promise resolves: how a slow disk slows its client down. */
  tell(tell: Tell): void | Promise<void>
  /** Last of all, exactly once; an open question need not be answered any more. */
  closed(reason: CloseReason): void
  /**
   * Memory is short, and this client holds the most: lets go of what can be done without, telling it by `hold`.
   * False, or no such method: the connection is cut.
   */
  shed?(): boolean
}

/** Whether an answer comes later. */
export function isPromise<T>(answer: T | Promise<T>): answer is Promise<T> {
  return answer instanceof Promise
}
