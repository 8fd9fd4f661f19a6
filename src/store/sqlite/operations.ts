import type { ScramKeys, StoredCredential } from '../../ports/accounts.ts'
import type { MailboxError } from '../../ports/mailboxes.ts'
import type { StoreFailure } from '../../ports/store.ts'
import type { MailboxEvent } from '../views/hub.ts'
import type { ReportedRow, ReportOperation } from './report-rows.ts'

/**
 * What the main thread asks of the writer and what it hears back. Operations travel as one JSON text and one
 * buffer a tick (see packing.ts): texts and numbers here, octets as indexes into the operation's blobs.
 */
export type Operation =
  | AcceptOperation
  | { readonly op: 'trace'; readonly trace: TraceRows }
  | AppendOperation
  | {
      readonly op: 'create'
      readonly owner: number
      readonly name: string
      readonly specialUse: string | null
      readonly nowMs: number
    }
  | { readonly op: 'delete'; readonly owner: number; readonly name: string; readonly nowMs: number }
  | {
      readonly op: 'rename'
      readonly owner: number
      readonly from: string
      readonly to: string
      readonly nowMs: number
    }
  | { readonly op: 'subscribe'; readonly owner: number; readonly name: string; readonly on: boolean }
  | FlagsOperation
  | CopyOperation
  | ({ readonly op: 'expunge'; readonly ranges: readonly number[] } & InMailbox)
  | {
      /** Undoes a part of a COPY that could not be finished. */
      readonly op: 'take-back'
      readonly owner: number
      /** Of its target, whatever that is called by now. */
      readonly uidValidity: number
      readonly ranges: readonly number[]
      readonly copy: string
      /** All of this COPY has been undone with it. */
      readonly isLast: boolean
    }
  /** Goes on with a RENAME of INBOX (rfc3501 §6.3.5) up to the last UID that it had then. */
  | { readonly op: 'empty-inbox'; readonly owner: number; readonly to: string; readonly upTo: number }
  | { readonly op: 'release'; readonly mailbox: number; readonly upTo: number | null }
  | {
      readonly op: 'add-account'
      readonly login: string
      readonly quota: number | null
      readonly nowMs: number
      readonly credential: CredentialRow | null
    }
  | { readonly op: 'remove-account'; readonly login: string }
  | { readonly op: 'set-quota'; readonly login: string; readonly quota: number | null }
  | { readonly op: 'set-language'; readonly login: string; readonly language: string | null }
  | {
      readonly op: 'set-credential'
      readonly login: string
      readonly nowMs: number
      readonly credential: CredentialRow
    }
  | { readonly op: 'set-alias'; readonly alias: string; readonly targets: readonly string[] }
  | { readonly op: 'remove-alias'; readonly alias: string }
  | { readonly op: 'good-address'; readonly account: number; readonly address: string; readonly atMs: number }
  | RecordOperation
  | HeldOperation
  | ReportOperation
  | { readonly op: 'add-trust'; readonly entry: Omit<TrustRow, 'id'> }
  | { readonly op: 'remove-trust'; readonly id: number }
  | { readonly op: 'retain'; readonly beforeMs: number | null; readonly maxBytes: number | null }

/** A mailbox of an owner. The owner is checked in the writer too: no id of another's mailbox gets through. */
export interface InMailbox {
  readonly owner: number
  readonly mailbox: number
}

export interface FlagNames {
  /** Bits of mail/flags. */
  readonly system: number
  readonly keywords: readonly string[]
}

/** A staged body on its way into its row. Blob 0 is the prefix, then the others as named. */
export interface BodyRow {
  readonly size: number
  readonly headerSize: number
  readonly crc: number
  readonly file: string | null
  readonly sentDay: string | null
  readonly messageId: string | null
  readonly references: readonly string[]
  /** Index of the first of its blobs: prefix, envelope, structure, body, parts, head, and text where it is no file. */
  readonly blob: number
}

export interface TraceRows {
  readonly id: string
  readonly atMs: number
  /** JSON array of events. */
  readonly events: string
  /** Lower-case addresses, for finding; separated by line ends. */
  readonly senders: string
  readonly recipients: string
}

export interface QueueRow {
  readonly sender: string
  readonly recipients: readonly { readonly address: string; readonly detail: string }[]
  readonly nextMs: number
  /** Octets of the prefix that do not go out. */
  readonly skip: number
}

export interface AcceptOperation {
  readonly op: 'accept'
  readonly trace: TraceRows
  readonly body: BodyRow
  readonly receivedMs: number
  readonly deliveries: readonly DeliveryRow[]
  readonly queue: QueueRow | null
  readonly reported?: ReportedRow | null
  /** Deliveries and queue are in its plan, and come about when it is released. */
  readonly hold?: HoldRow | null
}

export interface DeliveryRow {
  readonly owner: number
  readonly mailbox: string
  /** A special use: its mailbox is preferred. */
  readonly use?: string | null
  readonly flags: FlagNames
}

export interface HoldRow {
  readonly untilMs: number
  /** The reverse-path, empty for the null one. */
  readonly sender: string
  /** Of the client: one sender's mail is told from others' by it. */
  readonly network: string
  /** JSON of `NewHold`. */
  readonly hold: string
  /** JSON of `HoldPlan`. */
  readonly plan: string
  readonly recipients: readonly HeldRecipientRow[]
}

/** `account` is null of a recipient elsewhere. */
export type HeldRecipientRow = readonly [address: string, account: number | null]

export type HeldOperation =
  | { readonly op: 'release-held'; readonly trace: string; readonly by: string; readonly nowMs: number }
  | { readonly op: 'delete-held'; readonly trace: string; readonly by: string; readonly nowMs: number }
  | {
      /**
       * One slice. Without `excessBytes`: those past their time; with it the oldest, of one network or of all, until so
       * much is gone.
       */
      readonly op: 'expire-held'
      readonly nowMs: number
      readonly excessBytes: number | null
      readonly network: string | null
    }
  | {
      readonly op: 'told-held'
      readonly account: number
      readonly traces: readonly string[]
      readonly nowMs: number
    }

export interface TrustRow {
  readonly id: number
  readonly kind: string
  readonly domain: string
  readonly list: string | null
  readonly host: string | null
  readonly why: string | null
  readonly addedMs: number
  readonly untilMs: number | null
}

export interface AppendOperation {
  readonly op: 'append'
  readonly owner: number
  readonly mailbox: string
  readonly messages: readonly {
    readonly body: BodyRow
    readonly flags: FlagNames
    readonly dateMs: number
    readonly zone: number
    readonly trace: TraceRows | null
  }[]
}

export interface FlagsOperation extends InMailbox {
  readonly op: 'flags'
  /** Pairs first, last of UIDs; between them is nothing that the session does not see. */
  readonly ranges: readonly number[]
  readonly action: 'add' | 'remove' | 'replace'
  readonly flags: FlagNames
  readonly unchangedSince: number | null
  /** The view that asked, 0 for none: it need not be told of a silent change. */
  readonly view: number
  readonly silent: boolean
}

export interface CopyOperation extends InMailbox {
  readonly op: 'copy' | 'move'
  readonly ranges: readonly number[]
  readonly to: string
  /** The UIDVALIDITY that the first of several operations found in `to`: another mailbox may have taken the name since. */
  readonly toUidValidity?: number
  /** A COPY that takes several operations: what names it, and whether this is the last of them. */
  readonly part?: { readonly copy: string; readonly isLast: boolean }
}

export interface CredentialRow extends Omit<StoredCredential, 'account' | 'createdAtMs' | 'scram'> {
  readonly scram: string | null
}

export interface RecordOperation {
  readonly op: 'record'
  readonly id: number
  readonly nowMs: number
  readonly outcomes: readonly {
    readonly address: string
    readonly state: string
    readonly attempts: number
    readonly nextMs: number
    readonly detail: string
  }[]
  /** JSON array of events. */
  readonly trace: string | null
  /** Under which the trace is kept where the item is gone. */
  readonly traceId: string | null
  readonly dsn: AcceptOperation | null
}

/** Why an operation was refused; the ports' own words. */
export type Refusal =
  | StoreFailure
  | Exclude<MailboxError, StoreFailure>
  | { readonly kind: 'no-such-account' | 'no-such-alias' | 'bad-target' | 'exists'; readonly what: string }

/** Answers to one group, then what changed by it: results are given out after the events are applied. */
export interface GroupReport {
  readonly results: readonly (readonly [call: number, ok: 0 | 1, value: unknown])[]
  readonly events: readonly StoreEvent[]
}

/** What main keeps current by. Never published before COMMIT. */
export type StoreEvent =
  | MailboxEvent
  | { readonly e: 'used'; readonly account: number; readonly used: number }
  | { readonly e: 'account'; readonly account: AccountRow }
  | { readonly e: 'account-gone'; readonly account: number; readonly login: string }
  | { readonly e: 'credential'; readonly login: string }
  | { readonly e: 'alias'; readonly alias: string; readonly targets: readonly string[] | null }
  | { readonly e: 'queue' }
  | { readonly e: 'trust'; readonly entry: TrustRow }
  | { readonly e: 'trust-gone'; readonly id: number }

export interface AccountRow {
  readonly id: number
  readonly login: string
  readonly createdMs: number
  readonly quota: number | null
  readonly used: number
  readonly disabled: boolean
  readonly language?: string | null
}

export function packScram(keys: readonly ScramKeys[] | undefined): string | null {
  if (keys === undefined) return null
  const text = (octets: Uint8Array): string => Buffer.from(octets).toString('base64')
  return JSON.stringify(
    keys.map((one) => [one.hash, text(one.salt), one.iterations, text(one.storedKey), text(one.serverKey)]),
  )
}

export function unpackScram(packed: string | null): readonly ScramKeys[] | undefined {
  if (packed === null) return undefined
  const rows = JSON.parse(packed) as [ScramKeys['hash'], string, number, string, string][]
  const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
  return rows.map(([hash, salt, iterations, storedKey, serverKey]) => ({
    hash,
    salt: octets(salt),
    iterations,
    storedKey: octets(storedKey),
    serverKey: octets(serverKey),
  }))
}
