import type { Address } from '../mail/address.ts'
import type { AccountId, TraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { ReadableContent } from './mail-auth.ts'
import type { NewHold } from './new-hold.ts'
import type { NewQueueItem } from './new-queue-item.ts'
import type { ReportedDay } from './reported-day.ts'

/** Who asks, and whose data it is. Every call carries both (shared mailboxes come later without a new contract). */
export interface Access {
  readonly actor: Actor
  readonly owner: AccountId
}

export type Actor =
  | { readonly kind: 'account'; readonly account: AccountId }
  /** The server itself: delivery, an operator's command. */
  | { readonly kind: 'system'; readonly what: string }

/** Why nothing was written. Nothing is half-written: a failure means that the store is as it was. */
export interface StoreFailure {
  readonly kind: 'full' | 'io' | 'over-quota' | 'no-such-mailbox' | 'no-such-account' | 'too-big' | 'closed'
  /** For the trace and the log; never for a peer. */
  readonly cause: string
}

export type Stored<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: StoreFailure }

/** Takes one message's content while it streams in. Small ones stay in memory, large ones go to a file at once. */
export interface BodyWriter {
  /** Octets in memory for it now, its structure included. */
  readonly heldBytes: number
  /** A returned promise asks for patience (a file is being written). Never rejects: a fault shows at `finish`. */
  write(chunk: Uint8Array): void | Promise<void>
  /**
   * Ends the content. A large body is fsynced, file and folder, before this resolves.
   * `header` is the content's header block with its empty line, cut at the store's limit.
   */
  finish(): Promise<Stored<StagedBody>>
  /** Throws everything away; safe at any time before `accept` or `append`. */
  abort(): void
}

/** Readable until it is stored or discarded. */
export interface StagedBody extends ReadableContent {
  readonly header: Uint8Array
  /** Opaque to everyone but the store that made it. */
  readonly handle: object
  /** Throws it away (after a refusal). */
  discard(): void
}

export interface Delivery {
  readonly owner: AccountId
  /** Path below the account; `INBOX` where it no longer exists. */
  readonly mailbox: string
  /** It goes to the mailbox of this use (rfc6154 §2) instead, where the account has one. */
  readonly specialUse?: '\\Junk' | undefined
  readonly flags: readonly string[]
  readonly recipient: Address
}

export interface AcceptMessage {
  readonly traceId: TraceId
  readonly trace: readonly TraceEvent[]
  readonly body: StagedBody
  /** Trace fields that we add in front (Return-Path, Received, missing Date and Message-ID), CRLF-ended. */
  readonly prefix: Uint8Array
  readonly reversePath: Address | null
  readonly receivedAtMs: number
  readonly deliveries: readonly Delivery[]
  readonly queue?: NewQueueItem | undefined
  /**
   * It is held: deliveries and queue are kept with it, and come about when it is released; no quota refuses it. The
   * store adds the fact `quarantined` to the trace. The answer is an empty list.
   */
  readonly hold?: NewHold | undefined
  /** It is a report of ours about that day, which is closed by the same commit. */
  readonly reported?: ReportedDay | undefined
}

export interface AcceptedEntry {
  readonly owner: AccountId
  readonly mailbox: string
  readonly uid: number
}

/** Law 3: the only way in for mail. One commit holds body, entries, queue rows and trace. */
export interface Intake {
  /**
   * Why no message would be taken now, asked before its content comes; undefined: it would.
   * @param sizeBytes as announced; 0 where it was not.
   */
  room(sizeBytes: number): StoreFailure | undefined | Promise<StoreFailure | undefined>
  /** @param maxBytes at more, `finish` gives 'too-big'. */
  body(maxBytes: number): BodyWriter
  /** Resolves after the durable commit. A quota that ran out meanwhile fails the whole message with 'over-quota'. */
  accept(message: AcceptMessage): Promise<Stored<readonly AcceptedEntry[]>>
  /** A trace without a message: what was refused or never finished. Not waited for, grouped with other work. */
  trace(traceId: TraceId, events: readonly TraceEvent[]): void
}

export interface TraceRecord {
  readonly id: TraceId
  readonly events: readonly TraceEvent[]
}

export interface Traces {
  find(query: {
    readonly id?: string | undefined
    /** Part of an address, case does not matter. */
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly limit: number
  }): Promise<readonly TraceRecord[]>
}
