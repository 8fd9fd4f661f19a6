import type { AccountId, TraceId } from '../mail/ids.ts'
import type { NewHold } from './new-hold.ts'
import type { AcceptedEntry, Stored } from './store.ts'

/** `by` is for the trace: who did it, such as `operator` or an account's address. */
export interface HeldAction {
  readonly by: string
  readonly nowMs: number
}

/** A held message. Its id is that of its trace. */
export interface Held extends NewHold {
  readonly id: TraceId
  readonly heldAtMs: number
  readonly reversePath: string
  readonly sizeBytes: number
  /** Those it would go to; `unknown` ones are not among them. */
  readonly recipients: readonly HeldRecipient[]
}

export interface HeldRecipient {
  readonly address: string
  /** undefined: a recipient elsewhere. An account that is gone keeps its number here. */
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
  /**
   * The octets as they stand in the store, our own fields in front first: of at most `maxBytes`, undefined where it is
   * not there any more. Throws on damage.
   */
  content(id: TraceId, maxBytes: number): Promise<Uint8Array | undefined>
  /**
   * Delivers it as it would have been: one commit, with the trace (`released`, `stored`, `queued`). Recipients whose
   * account is gone are left out. undefined where it is not there any more. A failure leaves it held: `over-quota`
   * where one mailbox is full, `no-such-account` where nobody is left to take it.
   */
  release(id: TraceId, how: HeldAction): Promise<Stored<readonly AcceptedEntry[]> | undefined>
  /** The trace tells of it (`deleted`). `value` is false where it is not there any more. */
  delete(id: TraceId, how: HeldAction): Promise<Stored<boolean>>
  /**
   * Removes what is past its time. Then, until all take no more than `maxBytes`, the oldest of whichever network holds
   * most of it; where none holds much, the oldest of all. In slices; the trace of each tells (`expired`). @param nowMs the time that is believed, see `Store.believedNow`. @returns how many went.
   */
  expire(limits: { readonly nowMs: number; readonly maxBytes: number }): Promise<Stored<number>>
  /** `bytes`: what they take, evidence included. */
  totals(): Promise<{ readonly count: number; readonly bytes: number }>
  /** Accounts (that still are) with held messages that no digest has told them of. */
  undigestedAccounts(): Promise<readonly AccountId[]>
  /** What no digest has told the account of, oldest first. */
  undigested(account: AccountId, limit: number): Promise<readonly Held[]>
  /** A digest has told the account of these. To be called when the digest is stored: told twice is better than never. */
  markDigested(account: AccountId, ids: readonly TraceId[], nowMs: number): Promise<Stored<undefined>>
}
