import type { ReportedDay } from '../../ports/reported-day.ts'

/* What the main thread and the store's threads tell each other of reports. */

export interface TallyRow {
  readonly day: string
  readonly domain: string
  /** JSON of `SeenPolicy`. */
  readonly policy: string
  readonly hash: string
  /** JSON of `ReportRecord` without its count. */
  readonly record: string
}

export interface ReportedRow {
  readonly day: string
  readonly domain: string
  readonly reportId: string
  readonly atMs: number
  readonly recipients: number
}

export interface PutOffRow {
  readonly day: string
  readonly domain: string
  readonly atMs: number
}

export interface ReceivedRow {
  readonly kind: 'dmarc' | 'tls'
  readonly organization: string
  readonly reportId: string
  readonly domain: string
  readonly part: string
  readonly receivedMs: number
  /** JSON of the whole. */
  readonly report: string
}

export type ReportOperation =
  | { readonly op: 'tally'; readonly row: TallyRow }
  | { readonly op: 'close-day'; readonly row: ReportedRow }
  | { readonly op: 'put-off-day'; readonly row: PutOffRow }
  | { readonly op: 'add-report'; readonly row: ReceivedRow }

export type ReportQuestion =
  | { readonly ask: 'report-days'; readonly before: string; readonly limit: number }
  | { readonly ask: 'report-day'; readonly day: string; readonly domain: string }
  | {
      readonly ask: 'reports-received'
      readonly kind: 'dmarc' | 'tls'
      /** Empty: all. */
      readonly domain: string
      readonly sinceMs: number
      readonly before: number
    }
  | { readonly ask: 'reports-sent'; readonly since: string; readonly limit: number }

export interface ReportAnswers {
  'report-days': readonly (readonly [day: string, domain: string])[]
  'report-day':
    | {
        readonly policy: string
        readonly omitted: number
        readonly records: readonly (readonly [record: string, count: number])[]
      }
    | undefined
  'reports-received': { readonly reports: readonly string[]; readonly next: number | undefined }
  'reports-sent': readonly ReportedRow[]
}

export function reportedRow({ atMs, day, policyDomain, recipients, reportId }: ReportedDay): ReportedRow {
  return { atMs, day, domain: policyDomain, recipients, reportId }
}
