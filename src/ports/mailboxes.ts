import type { MailboxId, MessageId, TraceId } from '../mail/ids.ts'
import type { SearchKey } from '../mail/search.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { Access, StagedBody, StoreFailure } from './store.ts'

export type SpecialUse = '\\Drafts' | '\\Sent' | '\\Junk' | '\\Trash' | '\\Archive' | '\\All' | '\\Flagged'

export interface MailboxInfo {
  readonly id: MailboxId
  /** Full name: Unicode NFC, `/` between levels, `INBOX` in capitals. */
  readonly name: string
  readonly specialUse?: SpecialUse | undefined
  readonly subscribed: boolean
  /** False for a name that is only a parent of others, or was deleted while it had children (rfc3501 §6.3.4). */
  readonly selectable: boolean
  readonly hasChildren: boolean
  /** rfc8474 §4. */
  readonly mailboxId: string
}

export interface MailboxStatus {
  readonly messages: number
  readonly unseen: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly sizeBytes: number
  readonly highestModseq: number
  /** Messages that no session has been told of as recent yet. */
  readonly recent: number
}

export type MailboxError =
  | {
      readonly kind:
        | 'no-such-mailbox'
        | 'exists'
        | 'has-children'
        | 'not-selectable'
        | 'invalid-name'
        | 'is-inbox'
        | 'limit'
      readonly what: string
    }
  | StoreFailure
export type MailboxResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: MailboxError }

/** What a session must tell its client, in this order, after `sync`. */
export type ViewChange =
  | { readonly kind: 'expunge'; readonly seq: number; readonly uid: number }
  | { readonly kind: 'exists'; readonly count: number }
  | { readonly kind: 'recent'; readonly count: number }
  /** Flags (or MODSEQ) of a message changed, by anyone but this session's silent STORE. */
  | { readonly kind: 'flags'; readonly seq: number; readonly uid: number }
  /** The keyword table grew: FLAGS and PERMANENTFLAGS must be told again. */
  | { readonly kind: 'keywords' }
  /** The mailbox was deleted, or the session fell too far behind: BYE. */
  | { readonly kind: 'gone'; readonly why: string }

/**
 * One session's view of a selected mailbox. Sequence numbers, UIDs and flags come from here alone, at the
 * session's version: an expunged message keeps its number until `sync({ expunges: true })` has reported it.
 * Sequence numbers are 1-based.
 */
export interface MailboxView {
  readonly mailbox: MailboxInfo
  readonly readOnly: boolean
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModseq: number
  readonly exists: number
  readonly recent: number
  /** Keywords in use, in the order of their bits. */
  readonly keywords: readonly string[]
  uid(seq: number): number
  /** 0 where the UID is not (or no longer) in this view. */
  seqOfUid(uid: number): number
  /** The first sequence number whose UID is at least `uid`; exists + 1 where there is none. */
  seqAtOrAfterUid(uid: number): number
  /** A number that is equal for equal flag sets of this view: a key for caching rendered lists. */
  flagBits(seq: number): number
  flags(seq: number): readonly string[]
  isRecent(seq: number): boolean
  modseq(seq: number): number
  message(seq: number): MessageId
  /** Sequence number of the first message without \Seen; 0 where all are seen. */
  firstUnseen(): number
  /**
   * Moves on to the newest version at once. With `expunges: false` expunged messages stay (rfc3501 §7.4.1). What is new
   * is spelt out while it is read, so that it costs no memory; it must be read before the next call.
   */
  changes(options: { readonly expunges: boolean }): Iterable<ViewChange>
  /** The same as a list. */
  sync(options: { readonly expunges: boolean }): readonly ViewChange[]
  /** Whether there is anything new. */
  readonly behind: boolean
  /** Called (at most once per event loop turn) when there is something to sync. */
  onChange(listener: () => void): void
  close(): void
}

export interface AppendMessage {
  readonly body: StagedBody
  readonly flags: readonly string[]
  readonly internalDateMs: number
  /** Minutes east of UTC as the client wrote it: INTERNALDATE is given back as it came. */
  readonly internalDateZoneMinutes: number
  /** What is known of it; where it was stored is added, and both are in the same commit (law 3). */
  readonly trace?: { readonly id: TraceId; readonly events: readonly TraceEvent[] } | undefined
}

export interface FetchWanted {
  readonly envelope?: boolean
  readonly bodyStructure?: boolean
  readonly body?: boolean
  readonly internalDate?: boolean
  readonly size?: boolean
  readonly emailId?: boolean
  readonly sections?: readonly SectionWanted[]
}

export interface FetchPace {
  /** Octets wanted at once, asked before each batch; below the usual number nothing is read ahead. */
  batchBytes(): number
}

export interface SectionWanted {
  readonly path: readonly number[]
  readonly what:
    | 'all'
    | 'header'
    | 'text'
    | 'mime'
    | { readonly fields: readonly string[]; readonly not: boolean }
  readonly partial?: { readonly offset: number; readonly length: number } | undefined
}

/** A section's octets: at once where they are few, else as a stream of known length. null: no such part. */
export type SectionBytes =
  | Uint8Array
  | { readonly sizeBytes: number; stream(): AsyncIterable<Uint8Array> }
  | null

export interface FetchRow {
  readonly seq: number
  readonly uid: number
  /** The message is damaged: why, for the log. Nothing else of it is given. */
  readonly damaged?: string | undefined
  /** IMAP wire text, computed at arrival. */
  readonly envelope?: Uint8Array | undefined
  readonly bodyStructure?: Uint8Array | undefined
  readonly body?: Uint8Array | undefined
  readonly internalDateMs?: number | undefined
  readonly internalDateZoneMinutes?: number | undefined
  readonly sizeBytes?: number | undefined
  readonly emailId?: string | undefined
  readonly threadId?: string | undefined
  readonly sections?: readonly SectionBytes[] | undefined
}

export interface StoreFlags {
  readonly uids: readonly number[]
  readonly action: 'add' | 'remove' | 'replace'
  readonly flags: readonly string[]
  /** The view that asks does not report these changes at its next `sync`: its session tells them itself. */
  readonly silent: boolean
  /** rfc7162 §3.1.3; decided where the write happens. */
  readonly unchangedSince?: number | undefined
}

export interface CopyResult {
  readonly uidValidity: number
  readonly sourceUids: readonly number[]
  readonly targetUids: readonly number[]
  /** Why a MOVE ended before all were moved; those named above are. */
  readonly unfinished?: MailboxError | undefined
}

/** Mailboxes and their messages. */
export interface Mailboxes {
  list(access: Access): Promise<readonly MailboxInfo[]>
  /** Makes missing parents too (rfc3501 §6.3.3). */
  create(access: Access, name: string, specialUse?: SpecialUse): Promise<MailboxResult<MailboxInfo>>
  delete(access: Access, name: string): Promise<MailboxResult<undefined>>
  /** Renames children along; INBOX moves its messages instead (rfc3501 §6.3.5). */
  rename(access: Access, from: string, to: string): Promise<MailboxResult<undefined>>
  /** A subscription may name what does not exist (rfc3501 §6.3.6). */
  subscribe(access: Access, name: string, on: boolean): Promise<MailboxResult<undefined>>
  subscriptions(access: Access): Promise<readonly string[]>
  status(access: Access, name: string): Promise<MailboxResult<MailboxStatus>>
  /** SELECT and EXAMINE. Only a read-write view takes \Recent away from later sessions. */
  open(
    access: Access,
    name: string,
    options: { readonly readOnly: boolean },
  ): Promise<MailboxResult<MailboxView>>
  append(
    access: Access,
    name: string,
    messages: readonly AppendMessage[],
  ): Promise<MailboxResult<{ readonly uidValidity: number; readonly uids: readonly number[] }>>
  /**
   * Rows in the order asked, in bounded batches, read ahead of the consumer by at most one. A message that
   * another session expunged and this view still shows is still there. One that is damaged is named as such; the
   * others are given.
   */
  fetch(
    access: Access,
    view: MailboxView,
    seqs: readonly number[],
    wanted: FetchWanted,
    pace?: FetchPace,
  ): AsyncIterable<readonly FetchRow[]>
  /**
   * Resolves after the commit and after `view` has it; tells how many messages changed, and which UNCHANGEDSINCE kept
   * back. UIDs that are gone are left out silently.
   */
  storeFlags(
    access: Access,
    view: MailboxView,
    change: StoreFlags,
  ): Promise<MailboxResult<{ readonly changed: number; readonly modified: readonly number[] }>>
  /** All or none. Of many messages (`COPY_SLICE_ROWS`) some may be there for a while, and after a crash for good. */
  copy(
    access: Access,
    view: MailboxView,
    uids: readonly number[],
    to: string,
  ): Promise<MailboxResult<CopyResult>>
  /** rfc6851 §3.3: each message is moved or left as it was; many are moved in several commits. */
  move(
    access: Access,
    view: MailboxView,
    uids: readonly number[],
    to: string,
  ): Promise<MailboxResult<CopyResult>>
  /** Removes messages with \Deleted; with `uids` only those of them (rfc4315 §2.1). Many go in several commits. */
  expunge(
    access: Access,
    view: MailboxView,
    uids?: readonly number[],
  ): Promise<MailboxResult<readonly number[]>>
  /** Matching sequence numbers, ascending. */
  search(access: Access, view: MailboxView, key: SearchKey): Promise<MailboxResult<readonly number[]>>
}
