/** What DNS said. A temporary failure (SERVFAIL, time-out, lies) is never confused with "there is none". */
export type Answer<T> =
  | {
      readonly kind: 'found'
      readonly records: readonly T[]
      readonly ttlSeconds: number
      readonly authenticated: boolean
    }
  /** The name does not exist (NXDOMAIN). */
  | { readonly kind: 'no-name' }
  /** The name exists without such a record. */
  | { readonly kind: 'no-data' }
  | {
      readonly kind: 'temporary'
      readonly cause: string
      /** Too many questions of ours wait: it says nothing of the servers that would have been asked. */
      readonly isCrowded?: true | undefined
    }

export interface MxRecord {
  readonly preference: number
  /** Canonical; the empty text is the null MX (rfc7505 §3). */
  readonly exchange: string
}

/** A bounded, caching resolver. Names are canonical domains. */
export interface Resolver {
  mx(domain: string): Promise<Answer<MxRecord>>
  a(name: string): Promise<Answer<string>>
  aaaa(name: string): Promise<Answer<string>>
  txt(name: string): Promise<Answer<string>>
  ptr(address: string): Promise<Answer<string>>
}
