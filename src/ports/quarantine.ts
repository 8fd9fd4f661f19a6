import type { Evidence } from '../mail/authentication.ts'
import type { AccountId, TraceId } from '../mail/ids.ts'
import type { Reason } from '../mail/trace.ts'
import type { AcceptedEntry, Stored } from './store.ts'

/** What is kept with a message that is held instead of delivered. */
export interface NewHold {
  readonly reasons: readonly Reason[]
  readonly evidence: Evidence
  readonly untilMs: number
  /** Decoded, cut: what a list shows. */
  readonly from: string
  readonly subject: string
  readonly client: string
  readonly helo: string
  /** Of the List-Id field, where there is one. */
  readonly list?: string | undefined
  /** Recipients who do not exist here: kept only to be shown. */
  readonly unknown?: readonly string[] | undefined
}

/** A held message. Its id is that of its trace. */
export interface Held extends NewHold {
  readonly id: TraceId
  readonly heldAtMs: number
  readonly reversePath: string
  readonly sizeBytes: number
  readonly recipients: readonly HeldRecipient[]
}

export interface HeldRecipient {
  readonly address: string
  /** undefined: a recipient elsewhere, or nobody here. */
  readonly account?: AccountId | undefined
}

export interface Quarantine {
  /** Newest first. @param before only older ones than this id. */
  list(query: {
    readonly account?: AccountId | undefined
    readonly sinceMs?: number | undefined
    readonly before?: TraceId | undefined
    readonly limit: number
  }): Promise<readonly Held[]>
  get(id: TraceId): Promise<Held | undefined>
  /** The octets, of at most `maxBytes`; undefined where it is not there any more. Throws on damage. */
  content(id: TraceId, maxBytes: number): Promise<Uint8Array | undefined>
  /** Delivers it as it would have been: one commit, with the trace. Recipients whose account is gone are left out. */
  release(
    id: TraceId,
    how: { readonly by: string; readonly nowMs: number },
  ): Promise<Stored<readonly AcceptedEntry[]> | undefined>
  /** False where it is not there any more. */
  delete(id: TraceId, how: { readonly by: string; readonly nowMs: number }): Promise<boolean>
  /** Removes what is past its time, then the oldest until all fit. @returns how many went. */
  expire(limits: { readonly nowMs: number; readonly maxBytes: number }): Promise<number>
  totals(): Promise<{ readonly count: number; readonly bytes: number }>
}
