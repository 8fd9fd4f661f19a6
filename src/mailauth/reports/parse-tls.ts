import { canonicalDomain } from '../../mail/domain.ts'
import { canonicalIp } from '../../mail/ip.ts'
import type { TlsFailure } from '../../ports/reports.ts'
import { REPORT_LIMITS } from './limits.ts'
import { decodeReportText } from './report-text.ts'
import { shownText } from './shown-text.ts'

/** A TLS report as a value (rfc8460 §4.4). */
export interface TlsReport {
  readonly organization: string
  readonly reportId: string
  readonly contact?: string | undefined
  readonly beginMs: number
  readonly endMs: number
  readonly policies: readonly TlsPolicy[]
}

export interface TlsPolicy {
  readonly domain: string
  readonly type: string
  readonly successes: number
  readonly failed: number
  readonly failures: readonly TlsFailure[]
}

export type ParsedTls =
  | { readonly ok: true; readonly report: TlsReport }
  | { readonly ok: false; readonly why: string }

/** Reads a report; members that are missing or of another kind are left out. Never throws. */
export function parseTlsReport(octets: Uint8Array): ParsedTls {
  const text = decodeReportText(octets)
  if (isTooDeep(text)) return refuse('its objects stand in one another too deeply')
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return refuse('it is no JSON')
  }
  const organization = textOf(read, 'organization-name') ?? textOf(read, 'contact-info')
  const reportId = textOf(read, 'report-id')
  if (organization === undefined || reportId === undefined)
    return refuse('it does not say whose it is, or has no report id')
  const range = member(read, 'date-range')
  const [beginMs, endMs] = [timeOf(range, 'start-datetime'), timeOf(range, 'end-datetime')]
  if (beginMs === undefined || endMs === undefined || endMs < beginMs)
    return refuse('it does not say about which time it is')
  const policies = listOf(read, 'policies')
    .slice(0, REPORT_LIMITS.tlsPolicies)
    .map(readPolicy)
    .filter((policy) => policy !== undefined)
  if (policies.length === 0) return refuse('it names no domain')
  const contact = textOf(read, 'contact-info')
  return { ok: true, report: { organization, reportId, contact, beginMs, endMs, policies } }
}

const refuse = (why: string): ParsedTls => ({ ok: false, why })

function readPolicy(entry: unknown): TlsPolicy | undefined {
  const policy = member(entry, 'policy')
  const domain = canonicalDomain(textOf(policy, 'policy-domain') ?? '')
  if (domain === undefined) return undefined
  const summary = member(entry, 'summary')
  return {
    domain,
    type: textOf(policy, 'policy-type') ?? 'unknown',
    successes: countOf(summary, 'total-successful-session-count'),
    failed: countOf(summary, 'total-failure-session-count'),
    failures: listOf(entry, 'failure-details').slice(0, REPORT_LIMITS.tlsFailures).map(readFailure),
  }
}

function readFailure(failure: unknown): TlsFailure {
  return {
    resultType: textOf(failure, 'result-type') ?? 'unknown',
    count: countOf(failure, 'failed-session-count'),
    sendingIp: canonicalIp(textOf(failure, 'sending-mta-ip') ?? ''),
    receivingHost: textOf(failure, 'receiving-mx-hostname'),
    receivingIp: canonicalIp(textOf(failure, 'receiving-ip') ?? ''),
    reasonCode: textOf(failure, 'failure-reason-code'),
  }
}

/** The report as its sender writes it: for tests and tools that make some. */
export function composeTlsReport(report: TlsReport): string {
  const time = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
  return JSON.stringify({
    'organization-name': report.organization,
    'date-range': { 'start-datetime': time(report.beginMs), 'end-datetime': time(report.endMs) },
    'contact-info': report.contact,
    'report-id': report.reportId,
    policies: report.policies.map((policy) => ({
      policy: { 'policy-type': policy.type, 'policy-domain': policy.domain },
      summary: {
        'total-successful-session-count': policy.successes,
        'total-failure-session-count': policy.failed,
      },
      'failure-details': policy.failures.map((failure) => ({
        'result-type': failure.resultType,
        'sending-mta-ip': failure.sendingIp,
        'receiving-mx-hostname': failure.receivingHost,
        'receiving-ip': failure.receivingIp,
        'failed-session-count': failure.count,
        'failure-reason-code': failure.reasonCode,
      })),
    })),
  })
}

/** Only brackets are counted, also those in texts: a report has few of them there. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === 0x7b || char === 0x5b) {
      if (++depth > REPORT_LIMITS.jsonDepth) return true
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return false
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name)
  return Array.isArray(found) ? found : []
}

function textOf(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  if (typeof found !== 'string') return undefined
  const text = shownText(found)
  return text === '' ? undefined : text
}

/** Some reporters write numbers as texts. */
function countOf(value: unknown, name: string): number {
  const found = Number(member(value, name) ?? 0)
  return Number.isSafeInteger(found) && found >= 0 ? found : 0
}

function timeOf(value: unknown, name: string): number | undefined {
  const ms = Date.parse(textOf(value, name) ?? '')
  return Number.isSafeInteger(ms) ? ms : undefined
}
