import type { SearchKey } from '../../mail/search.ts'
import type { FetchWanted } from '../../ports/mailboxes.ts'
import type { AccountRow, HeldRecipientRow, TrustRow } from './operations.ts'
import type { ReportAnswers, ReportQuestion } from './report-rows.ts'

/** What the main thread asks of the reader. Each question is answered at one go, in one snapshot, and is bounded. */
export type Question =
  | { readonly ask: 'directory' }
  /** Octets of pages that nothing uses. */
  | { readonly ask: 'reusable' }
  | { readonly ask: 'credentials'; readonly account: number }
  | { readonly ask: 'mailboxes'; readonly owner: number }
  | {
      readonly ask: 'status'
      readonly owner: number
      readonly name: string
    }
  | { readonly ask: 'count-from'; readonly mailbox: number; readonly uid: number }
  | { readonly ask: 'info'; readonly owner: number; readonly name: string }
  | { readonly ask: 'load'; readonly owner: number; readonly mailbox: number }
  | {
      readonly ask: 'fetch'
      readonly messages: readonly number[]
      readonly wanted: FetchWanted
      readonly maxBytes: number
    }
  | ScanQuestion
  | {
      readonly ask: 'due'
      readonly nowMs: number
      readonly beyondMs: number
      readonly limit: number
      readonly busy: readonly number[]
    }
  | { readonly ask: 'next-due' }
  | { readonly ask: 'queue-item'; readonly id: number }
  | { readonly ask: 'queue-list'; readonly limit: number; readonly after: number }
  | { readonly ask: 'queue-body'; readonly id: number }
  | HeldQuestion
  | ReportQuestion
  | { readonly ask: 'trust' }
  | { readonly ask: 'trace'; readonly id: string }
  | {
      readonly ask: 'find-traces'
      readonly from: string
      readonly to: string
      /** Rows below this one. */
      readonly before: number
      readonly limit: number
    }

export type HeldQuestion =
  | {
      readonly ask: 'held-list'
      readonly account: number | null
      readonly sinceMs: number | null
      readonly before: string | null
      readonly limit: number
    }
  | { readonly ask: 'held'; readonly trace: string }
  | { readonly ask: 'held-body'; readonly trace: string }
  | { readonly ask: 'held-totals' }
  | { readonly ask: 'held-networks'; readonly aboveBytes: number; readonly limit: number }
  | { readonly ask: 'held-untold' }
  | { readonly ask: 'held-untold-of'; readonly account: number; readonly limit: number }

export interface ScanQuestion {
  readonly ask: 'scan'
  readonly key: ScanKey
  readonly messages: readonly number[]
  /** Answers of the leaves that the view knows: one octet for each of them, message by message. */
  readonly known: Uint8Array
  readonly knownCount: number
}

/** A SEARCH tree whose leaves about sequence numbers, UIDs and flags are answered already. */
export type ScanKey =
  | { readonly kind: 'known'; readonly index: number }
  | { readonly kind: 'not'; readonly key: ScanKey }
  | { readonly kind: 'or'; readonly left: ScanKey; readonly right: ScanKey }
  | { readonly kind: 'and'; readonly keys: readonly ScanKey[] }
  | Extract<SearchKey, { kind: 'header' | 'body' | 'text' | 'date' | 'size' }>

export interface Answers extends ReportAnswers {
  reusable: number
  directory: DirectoryRows
  credentials: readonly (readonly [name: string, argon2id: string, scram: string | null, createdMs: number])[]
  mailboxes: { readonly rows: readonly MailboxRow[]; readonly subscriptions: readonly string[] }
  status: StatusRow | undefined
  'count-from': number
  info: InfoRow | undefined
  load: LoadedMailbox | undefined
  fetch: FetchedRows
  scan: {
    readonly done: number
    readonly hits: readonly number[]
    readonly damaged: readonly (readonly [index: number, why: string])[]
  }
  due: readonly QueueRows[]
  'next-due': number | undefined
  'queue-item': QueueRows | undefined
  'queue-list': readonly QueueRows[]
  'queue-body': QueueBody | undefined
  /** `last`: to go on behind; undefined where that is all. */
  'held-list': { readonly rows: readonly HeldRows[]; readonly last: string | undefined }
  held: HeldRows | undefined
  'held-body': QueueBody | undefined
  'held-totals': { readonly count: number; readonly bytes: number }
  'held-networks': readonly (readonly [network: string, bytes: number])[]
  'held-untold': readonly number[]
  'held-untold-of': readonly HeldRows[]
  trust: readonly TrustRow[]
  trace: readonly string[]
  'find-traces': { readonly ids: readonly string[]; readonly next: number | undefined }
}

export interface DirectoryRows {
  readonly accounts: readonly AccountRow[]
  readonly aliases: readonly (readonly [alias: string, targets: readonly string[]])[]
  readonly good: readonly (readonly [account: number, address: string, atMs: number])[]
}

export type MailboxRow = readonly [id: number, name: string, specialUse: string | null, selectable: number]

export interface InfoRow {
  readonly id: number
  readonly name: string
  readonly specialUse: string | null
  readonly selectable: boolean
  readonly subscribed: boolean
  readonly hasChildren: boolean
}

export interface StatusRow {
  readonly id: number
  readonly selectable: boolean
  readonly messages: number
  readonly unseen: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly size: number
  readonly highestModseq: number
}

/** A mailbox as it is in one snapshot. The arrays are transferred. */
export interface LoadedMailbox {
  readonly id: number
  readonly name: string
  readonly uidNext: number
  readonly uidValidity: number
  readonly highestModseq: number
  readonly keywords: readonly string[]
  readonly uids: Uint32Array
  readonly messageIds: Float64Array
  readonly flags: Float64Array
  readonly modseqs: Float64Array
}

/**
 * Rows of a FETCH: for each message its place among those asked for and its id, then a number for each thing wanted, in the order of
 * `FetchWanted`: the value itself, or the length of octets in `bytes` (-1: none; -2: see `streams`).
 */
export interface FetchedRows {
  /** How many of the messages asked for were looked at; the rest did not fit. */
  readonly done: number
  readonly numbers: Float64Array
  readonly bytes: Uint8Array
  readonly streams: readonly FileRange[]
  /** Files that rows take octets from: to be proved before those are given out. */
  readonly files: readonly NeededFile[]
  /** Messages that can't be read, by their place among those asked for. */
  readonly damaged: readonly (readonly [index: number, why: string])[]
}

/** What a body file must be like. */
export interface NeededFile {
  /** The place of its message among those asked for. */
  readonly index: number
  readonly file: string
  readonly contentBytes: number
  /** With `prefix`; see body-crc.ts. */
  readonly crc: number
  readonly prefix: Uint8Array
}

/** Octets too many to be handed over: some from the prefix, the others from a body file. */
export interface FileRange {
  readonly before: Uint8Array
  readonly file: string
  readonly offset: number
  readonly length: number
}

export interface QueueRows {
  readonly id: number
  readonly trace: string
  readonly sender: string
  readonly size: number
  readonly arrivedMs: number
  readonly recipients: readonly (readonly [
    address: string,
    state: string,
    attempts: number,
    nextMs: number,
    detail: string,
  ])[]
}

export interface QueueBody {
  readonly octets: Uint8Array
  readonly header: Uint8Array
  readonly rest: FileRange | undefined
  /** Of a body in the database: why it is not what was stored. */
  readonly damaged?: string | undefined
  /** Of a body in a file: what must be proved first. */
  readonly needed?: NeededFile | undefined
}

export interface HeldRows {
  readonly trace: string
  readonly heldMs: number
  readonly untilMs: number
  readonly sender: string
  readonly size: number
  /** JSON of `NewHold`. */
  readonly hold: string
  readonly recipients: readonly HeldRecipientRow[]
}
