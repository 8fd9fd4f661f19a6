import type { ReceivedReport, ReceivedTlsReport, ReportRecord } from '../../ports/reports.ts'

/** Sources that are told apart; what others send is counted together. */
const SOURCES = 10_000
const DAY_MS = 24 * 3_600_000

/** Why mail from a source did not pass. */
export type FailureKind = 'forwarded' | 'spf-not-aligned' | 'dkim-not-aligned' | 'dkim-broken' | 'nothing'

export interface Source {
  readonly ip: string
  messages: number
  passed: number
  /** Of those that passed: by DKIM, by SPF; many by both. */
  byDkim: number
  bySpf: number
  refused: number
  readonly failures: Map<FailureKind, Failure>
}

export interface Failure {
  messages: number
  readonly headerFrom: string
  /** The domain that passed without being aligned. */
  readonly domain: string
}

export interface DayCount {
  passed: number
  failed: number
}

/** Adds up what others report of mail in our name, in bounded memory. */
export class ReportSummary {
  readonly sources = new Map<string, Source>()
  readonly days = new Map<string, DayCount>()
  readonly organizations = new Set<string>()
  reports = 0
  messages = 0
  passed = 0
  /** Messages of sources beyond the bound, and of records that were not kept. */
  others = 0

  add(report: ReceivedReport): void {
    this.reports++
    this.organizations.add(report.organization)
    // Most reports are of one day; a longer one is shown where it begins.
    const day = new Date(Math.floor(report.beginMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10)
    for (const record of report.records) this.#record(record, day)
    this.messages += report.omitted
    this.others += report.omitted
  }

  /** The busiest first. */
  busiest(): readonly Source[] {
    return [...this.sources.values()].sort((one, other) => other.messages - one.messages)
  }

  #record(record: ReportRecord, day: string): void {
    const { count, dkimAligned, spfAligned } = record
    const isPass = dkimAligned || spfAligned
    this.messages += count
    if (isPass) this.passed += count
    const onDay = this.days.get(day) ?? { passed: 0, failed: 0 }
    onDay[isPass ? 'passed' : 'failed'] += count
    this.days.set(day, onDay)
    const source = this.#source(record.sourceIp)
    if (source === undefined) {
      this.others += count
      return
    }
    source.messages += count
    if (isPass) source.passed += count
    if (dkimAligned) source.byDkim += count
    if (spfAligned) source.bySpf += count
    if (record.disposition === 'reject' || record.disposition === 'quarantine') source.refused += count
    if (!isPass) noteFailure(source, record)
  }

  #source(ip: string): Source | undefined {
    const known = this.sources.get(ip)
    if (known !== undefined || this.sources.size >= SOURCES) return known
    const made = { ip, messages: 0, passed: 0, byDkim: 0, bySpf: 0, refused: 0, failures: new Map() }
    this.sources.set(ip, made)
    return made
  }
}

function noteFailure(source: Source, record: ReportRecord): void {
  const { kind, domain } = failureOf(record)
  const known = source.failures.get(kind) ?? { messages: 0, headerFrom: record.headerFrom, domain }
  known.messages += record.count
  source.failures.set(kind, known)
}

/** What explains most: a passing signature of another domain tells more than a passing envelope. */
function failureOf({ dkim, headerFrom, reasons, spf }: ReportRecord): { kind: FailureKind; domain: string } {
  if (reasons.some(({ type }) => type === 'mailing_list' || type === 'trusted_forwarder'))
    return { kind: 'forwarded', domain: '' }
  const signer = dkim.find(({ result }) => result === 'pass')
  if (signer !== undefined) return { kind: 'dkim-not-aligned', domain: signer.domain }
  if (spf?.result === 'pass') return { kind: 'spf-not-aligned', domain: spf.domain }
  const broken = dkim.find(({ domain }) => domain === headerFrom || headerFrom.endsWith(`.${domain}`))
  return broken === undefined
    ? { kind: 'nothing', domain: '' }
    : { kind: 'dkim-broken', domain: broken.domain }
}

const messagesText = (count: number): string => (count === 1 ? '1 message' : `${count} messages`)

/** What one source does wrong and what to do, a sentence for each kind of failure. */
export function adviceFor(source: Source): readonly string[] {
  return [...source.failures].map(([kind, failure]) => {
    const mail = `Mail of ${source.ip} (${messagesText(failure.messages)})`
    return `${mail} ${ADVICE[kind](failure)}`
  })
}

const ADVICE: Readonly<Record<FailureKind, (failure: Failure) => string>> = {
  forwarded: () => 'came through a mailing list or forwarder, whose reporter knows it: nothing to do.',
  'spf-not-aligned': ({ domain, headerFrom }) =>
    `passed SPF, but for ${domain}, which is not aligned with ${headerFrom}. If it is yours, let it sign with DKIM for ${headerFrom}, or send with an envelope address there; if it is not, it is forged.`,
  'dkim-not-aligned': ({ domain, headerFrom }) =>
    `has a valid signature, but of ${domain}, which is not aligned with ${headerFrom}. If a service sends it for you, set up DKIM for ${headerFrom} there; a mailing list signs so too.`,
  'dkim-broken': ({ domain }) =>
    `carried a signature of ${domain} that no longer fits, and SPF did not pass: it was most likely changed on its way by a list or forwarder, or its key is not in the DNS.`,
  nothing: ({ headerFrom }) =>
    `as ${headerFrom} passed nothing. If the host is yours, put it into the SPF record and let it sign; if it is not, it is forged, and "p=reject" keeps it out.`,
}

/** `1 report tells`, `2 reports tell`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** Lines about TLS to our MX hosts (rfc8460). */
export function tlsLines(reports: readonly ReceivedTlsReport[]): readonly string[] {
  if (reports.length === 0) return []
  let [good, bad] = [0, 0]
  const causes = new Map<string, number>()
  for (const report of reports) {
    good += report.successes
    bad += report.failed
    for (const { count, receivingHost, resultType } of report.failures) {
      const cause = `${resultType}${receivingHost === undefined ? '' : ` at ${receivingHost}`}`
      causes.set(cause, (causes.get(cause) ?? 0) + count)
    }
  }
  const head = `TLS: ${counted(reports.length, 'report tells', 'reports tell')} of ${good} connections that were safe and ${bad} that failed.`
  const worst = [...causes].sort((one, other) => other[1] - one[1]).slice(0, 10)
  return [head, ...worst.map(([cause, count]) => `  ${counted(count, 'time')} ${cause}`)]
}
