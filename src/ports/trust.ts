import type { Network } from '../mail/ip.ts'

/** What a forger can't write: a passing signature, a valid seal, a passing envelope domain. */
export type TrustKey =
  | { readonly kind: 'dkim'; readonly domain: string }
  | { readonly kind: 'arc'; readonly domain: string }
  | { readonly kind: 'spf'; readonly domain: string }

/** An exception from the DMARC policy, and from nothing else. */
export interface TrustEntry {
  readonly id: number
  readonly key: TrustKey
  /** Narrow it: the List-Id (rfc2919) between the brackets, lower case; the client's network. */
  readonly list?: string | undefined
  readonly host?: Network | undefined
  readonly why?: string | undefined
  readonly addedAtMs: number
  readonly untilMs?: number | undefined
}

/** Small and in memory; changed by operators only. Entries past their time stay until they are removed. */
export interface TrustList {
  /** By number. */
  entries(): readonly TrustEntry[]
  /** Its number is given to no other again. Rejects where the store can't write or has too many. */
  add(entry: Omit<TrustEntry, 'id'>): Promise<TrustEntry>
  /** False where there is none of that number. */
  remove(id: number): Promise<boolean>
}
