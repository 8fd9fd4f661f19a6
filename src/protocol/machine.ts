import type { TlsFacts } from '../mail/tls-facts.ts'

/**
 * The shape of every protocol core. A core takes bytes and time in and gives bytes, questions and facts
 * out; it knows no socket, clock, promise, store, configuration or log. So it can be run in memory, cut at
 * every byte and fuzzed, and a client core can be run against a server core without a port.
 */

/** What the driver must do next. `next()` never blocks and never throws on a peer's input. */
export type Step<Ask, Tell> =
  /** Nothing to do until more bytes, an answer, a post or a tick arrive. */
  | { readonly kind: 'need-input' }
  /** Bytes for the peer. The driver owns them from here on. */
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  /** A question. Until `answer()` is called, `next()` gives only 'write' (replies already due) or 'need-input'. */
  | { readonly kind: 'ask'; readonly ask: Ask }
  /** A fact, or a piece of the message. The driver may finish handling it before it calls `next()` again. */
  | { readonly kind: 'tell'; readonly tell: Tell }
  /** Everything written so far is flushed, then TLS starts; the driver calls `tlsStarted()` afterwards. */
  | { readonly kind: 'start-tls' }
  /** Flush, then close. No step follows. */
  | { readonly kind: 'close' }

export interface Machine<Ask, Tell, Answer> {
  /** Octets of input that it keeps: not looked at yet, or parts of a command that is not whole. */
  readonly heldBytes: number
  /** Stores bytes, never parses. The machine owns `bytes` afterwards (no copy is made). */
  push(bytes: Uint8Array): void
  /** The peer has closed its side: no more `push`. */
  end(): void
  next(): Step<Ask, Tell>
  /** Settles the open ask. Calling it without one is our fault and throws. */
  answer(answer: Answer): void
  tlsStarted(facts: TlsFacts): void
  /** Time (ms, the driver's monotonic clock) at which `tick` must be called at the latest; also while an ask is open. */
  deadline(): number | undefined
  /** Called before each run of `next()` as well: waits that begin in the run begin at this time. */
  tick(nowMs: number): void
}
