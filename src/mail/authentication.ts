/*
 * What authentication found out about a message, as values: results in the words of rfc8601 §2.7, with what each
 * stands on. They go into Authentication-Results, the trace, the quarantine and the reports; nothing here decides.
 */

/** rfc7208 §2.6. */
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'

export interface SpfFinding {
  readonly result: SpfResult
  /** The domain that was asked: of the reverse-path, or of HELO where that is null (rfc7208 §2.4). Canonical. */
  readonly domain: string
  readonly identity: 'mailfrom' | 'helo'
  /** What decided, for people: the mechanism that matched, the error. */
  readonly why?: string | undefined
}

/** rfc8601 §2.7.1; a message without a signature has no finding at all. */
export type DkimResult = 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'

export interface DkimFinding {
  readonly result: DkimResult
  /** `d=`, canonical; empty where it could not be read. */
  readonly domain: string
  readonly selector: string
  /** `i=`, as written. */
  readonly identity?: string | undefined
  readonly algorithm?: string | undefined
  readonly keyBits?: number | undefined
  /** Lower-case names of the fields that are signed. */
  readonly signs: readonly string[]
  /** Octets of the body that `l=` left unsigned; such a signature never passes here. */
  readonly unsignedBytes?: number | undefined
  /** The first characters of `b=`: tells signatures apart (rfc6008 §4). */
  readonly b?: string | undefined
  readonly why?: string | undefined
}

export interface ArcFinding {
  readonly result: 'none' | 'pass' | 'fail'
  /** `d=` of each seal, the first sealer first. */
  readonly sealers: readonly string[]
  /** What the newest sealer said that it saw (its ARC-Authentication-Results, without `i=`). */
  readonly said?: string | undefined
  readonly why?: string | undefined
}

export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

export interface DmarcFinding {
  readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'
  /** The Author Domain (rfc9989 §3.2.2), canonical; empty where there is none or more than one. */
  readonly domain: string
  /** Where the record that applies was found. */
  readonly policyDomain?: string | undefined
  readonly organizationalDomain?: string | undefined
  /** What the domain asks for this message: after `sp`, `np` and `t`. */
  readonly policy?: DmarcPolicy | undefined
  readonly published?: DmarcPublished | undefined
  /** Of a `temperror`: the DNS of the Author Domain gives no answer at all, not only none about its policy. */
  readonly isUnreachable?: boolean | undefined
  /** The identifiers that aligned. */
  readonly aligned: { readonly spf?: string | undefined; readonly dkim?: string | undefined }
  /** Where we read more into a record than rfc9989 does: `pct=0 read as t=y`. */
  readonly leniency?: string | undefined
  readonly why?: string | undefined
}

export interface DmarcPublished {
  readonly p: DmarcPolicy
  readonly sp?: DmarcPolicy | undefined
  readonly np?: DmarcPolicy | undefined
  readonly adkim: 'r' | 's'
  readonly aspf: 'r' | 's'
  readonly t: boolean
  readonly fo?: string | undefined
  /** As published, in order. */
  readonly rua: readonly string[]
}

/** One answer of the DNS that a finding stands on. */
export interface DnsSeen {
  readonly name: string
  readonly type: string
  /** The records as texts, cut where they are many or long; or `no such name`, `no such record`, `failed: cause`. */
  readonly said: string
}

/** All that was found out about one message. */
export interface Evidence {
  readonly spf: SpfFinding
  readonly dkim: readonly DkimFinding[]
  readonly arc: ArcFinding
  readonly dmarc: DmarcFinding
  readonly dns: readonly DnsSeen[]
  /** Limits that were reached, each a sentence: what was not looked at. */
  readonly limits: readonly string[]
}
