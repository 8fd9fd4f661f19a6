import type { Address } from '../mail/address.ts'
import type { AccountId } from '../mail/ids.ts'

/** Where mail for an address goes. */
export type Resolution =
  /** Ours, and somebody is there. `via` says how it was found; `detail` is what stood behind the separator. */
  | {
      readonly kind: 'local'
      readonly via: 'account' | 'alias' | 'catch-all'
      readonly accounts: readonly LocalTarget[]
      /** An alias may name addresses elsewhere; they are queued. */
      readonly remote: readonly Address[]
    }
  /** Our domain, nobody there: 550 5.1.1. */
  | { readonly kind: 'no-such-user' }
  /** Not our domain: relaying. */
  | { readonly kind: 'not-ours' }
  /** An alias that leads to itself, or through too many others: our own configuration's fault. */
  | { readonly kind: 'alias-loop'; readonly through: readonly string[] }

export interface LocalTarget {
  readonly account: AccountId
  /** The account's own address, for the trace. */
  readonly login: string
  readonly detail?: string | undefined
  /** True where the quota leaves no room; RCPT answers 452 4.2.2. */
  readonly overQuota: boolean
  /** What the quota leaves; undefined: no quota. A message declared larger (rfc1870 §6.1) is 452 4.2.2 at RCPT too. */
  readonly roomBytes?: number | undefined
}

/** Who is here: answers from memory, kept current by the store's events; never waits for a disk. */
export interface Directory {
  isOurDomain(domain: string): boolean
  /** Understands `+` details, aliases (nested, bounded), catch-all and postmaster of each of our domains. */
  resolve(address: Address): Resolution
  /** Whether the account may write `address` as envelope or From: its own, `+` forms of it, its aliases. */
  mayUse(account: AccountId, address: Address): boolean
  /** The account's own address. */
  loginOf(account: AccountId): string | undefined
}
