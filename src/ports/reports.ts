import type { DkimResult, DmarcPolicy, DmarcPublished, Evidence, SpfResult } from '../mail/authentication.ts'
import type { TraceId } from '../mail/ids.ts'
import type { ReportedDay } from './reported-day.ts'
import type { Stored } from './store.ts'

/*
 * DMARC aggregate reports (rfc9990) and TLS reports (rfc8460): what we counted and tell others, and what others
 * counted and told us. Days are UTC, written `2026-11-24`.
 */

/** What was done with a message (rfc9990 §3.1.1.9): `pass` passed DMARC under a policy that asks for something. */
export type ReportedDisposition = 'none' | 'pass' | 'quarantine' | 'reject'

/** Why the policy was not applied as published (rfc9990 §3.1.6). */
export interface PolicyOverride {
  readonly type: 'local_policy' | 'mailing_list' | 'other' | 'policy_test_mode' | 'trusted_forwarder'
  /** For the domain's owner to read: no address, no name of a person here. */
  readonly comment?: string | undefined
}

/** One message that the inbound policy has judged. */
export interface JudgedMessage {
  readonly evidence: Evidence
  readonly disposition: ReportedDisposition
  readonly reasons: readonly PolicyOverride[]
  /** The address that was checked, canonical. */
  readonly client: string
  /** Of the reverse-path, canonical; empty where that was null. */
  readonly reversePathDomain: string
  /** It carries a report itself: left out, or two servers would for ever report on each other's reports. */
  readonly isReport?: boolean | undefined
  readonly atMs: number
}

/** Where the pipeline says what it judged, once a message, whatever came of it. */
export interface ReportTally {
  /** Not waited for and never throws. Leaves out what nobody asked to be told, and domains of ours. */
  note(judged: JudgedMessage): void
}

/** A signature in a record of a report. */
export interface ReportedDkim {
  readonly domain: string
  readonly selector: string
  readonly result: DkimResult | 'none'
}

export interface ReportedSpf {
  readonly domain: string
  readonly result: SpfResult | 'policy'
}

/** One `record` of a report (rfc9990 §3.1.1.6): so many messages that were alike. */
export interface ReportRecord {
  readonly sourceIp: string
  readonly count: number
  readonly disposition: ReportedDisposition
  /** Whether it passed *and* was aligned. */
  readonly dkimAligned: boolean
  readonly spfAligned: boolean
  readonly reasons: readonly PolicyOverride[]
  readonly headerFrom: string
  /** undefined: not told; empty: the null reverse-path. */
  readonly envelopeFrom?: string | undefined
  readonly dkim: readonly ReportedDkim[]
  readonly spf?: ReportedSpf | undefined
}

/** The record in the DNS, as it was last seen on that day. */
export interface SeenPolicy extends DmarcPublished {
  readonly domain: string
  readonly organizationalDomain?: string | undefined
}

/** What was judged on one day for one policy domain. */
export interface TalliedDay {
  readonly day: string
  readonly policyDomain: string
  readonly policy: SeenPolicy
  readonly records: readonly ReportRecord[]
  /** Messages beyond the bound on records: counted, not described. */
  readonly omitted: number
}

/** What others told us of mail in the name of a domain of ours. */
export interface ReceivedReport {
  readonly organization: string
  readonly reportId: string
  readonly policyDomain: string
  readonly beginMs: number
  readonly endMs: number
  readonly receivedAtMs: number
  readonly traceId: TraceId
  /** What they saw published. */
  readonly p?: DmarcPolicy | undefined
  readonly records: readonly ReportRecord[]
  /** Records that were left out of `records` for their number. */
  readonly omitted: number
}

/** One `failure-details` of rfc8460 §4.4. */
export interface TlsFailure {
  readonly resultType: string
  readonly count: number
  readonly sendingIp?: string | undefined
  readonly receivingHost?: string | undefined
  readonly receivingIp?: string | undefined
  readonly reasonCode?: string | undefined
}

/** One `policies` member of a TLS report (rfc8460 §4.4) about a domain of ours. */
export interface ReceivedTlsReport {
  readonly organization: string
  readonly reportId: string
  readonly policyDomain: string
  readonly policyType: string
  readonly beginMs: number
  readonly endMs: number
  readonly receivedAtMs: number
  readonly traceId: TraceId
  readonly successes: number
  readonly failed: number
  readonly failures: readonly TlsFailure[]
}

export interface ReportStore {
  /** Adds one message to its day. Not waited for, grouped with other work. */
  tally(message: TalliedMessage): void
  /** Days before `beforeDay` that are not closed: those never put off, then those put off longest ago; the oldest day first. */
  openDays(query: {
    readonly beforeDay: string
    readonly limit: number
  }): Promise<readonly { readonly day: string; readonly policyDomain: string }[]>
  talliedDay(day: string, policyDomain: string): Promise<TalliedDay | undefined>
  /** A day without a report; one that is sent is closed by `AcceptMessage.reported`, in the same commit. */
  closeDay(closed: ReportedDay): Promise<Stored<null>>
  /** No report could be made of it now: what was not tried comes before it. */
  putOffDay(putOff: PutOffDay): Promise<Stored<null>>
  /** False: that organization's report of that id about that domain is known. */
  addReceived(report: ReceivedReport): Promise<Stored<boolean>>
  addReceivedTls(report: ReceivedTlsReport): Promise<Stored<boolean>>
  /** Newest first, some at a time: `next` goes on where this ended. */
  received(query: ReceivedQuery): Promise<Page<ReceivedReport>>
  receivedTls(query: ReceivedQuery): Promise<Page<ReceivedTlsReport>>
  /** Newest day first. */
  sent(query: { readonly sinceDay: string; readonly limit: number }): Promise<readonly ReportedDay[]>
}

export interface PutOffDay {
  readonly day: string
  readonly policyDomain: string
  readonly atMs: number
}

export interface Page<T> {
  readonly reports: readonly T[]
  readonly next?: number | undefined
}

export interface ReceivedQuery {
  readonly domain?: string | undefined
  /** Those that came since. */
  readonly sinceMs: number
  readonly before?: number | undefined
}

export interface TalliedMessage {
  readonly day: string
  readonly policy: SeenPolicy
  /** `count` is 1. */
  readonly record: ReportRecord
}
