import type { DmarcPolicy } from '../../mail/authentication.ts'
import type { PolicyOverride, ReportRecord, SeenPolicy } from '../../ports/reports.ts'
import { xmlText } from './xml-text.ts'

/** A DMARC aggregate report as a value (rfc9990 §3.1.1). Times are seconds since 1970. */
export interface AggregateReport {
  readonly organization: string
  readonly email: string
  readonly extraContact?: string | undefined
  readonly reportId: string
  readonly beginSeconds: number
  readonly endSeconds: number
  readonly errors: readonly string[]
  readonly generator?: string | undefined
  readonly policy: PublishedPolicy
  readonly records: readonly ReportRecord[]
}

/** `policy_published`; what was not told is undefined. */
export interface PublishedPolicy {
  readonly domain: string
  readonly p?: DmarcPolicy | undefined
  readonly sp?: DmarcPolicy | undefined
  readonly np?: DmarcPolicy | undefined
  readonly adkim?: 'r' | 's' | undefined
  readonly aspf?: 'r' | 's' | undefined
  readonly fo?: string | undefined
  readonly testing?: boolean | undefined
  readonly discovery?: 'psl' | 'treewalk' | undefined
}

/** Unspecified tags have their default values (rfc9990 §3.1.1.5): `sp` is `p`, `np` is `sp`. */
export function publishedPolicy(seen: SeenPolicy): PublishedPolicy {
  const { adkim, aspf, domain, fo, p } = seen
  const sp = seen.sp ?? p
  return { domain, p, sp, np: seen.np ?? sp, adkim, aspf, fo, testing: seen.t, discovery: 'treewalk' }
}

/** The report as XML that the schema of rfc9990 accepts. Every text may be a peer's. */
export function composeAggregate(report: AggregateReport): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
    ' <version>1.0</version>',
    ...block(' ', 'report_metadata', metadata(report)),
    ...block(' ', 'policy_published', policyLines(report.policy)),
    ...report.records.flatMap((record) => block(' ', 'record', recordLines(record))),
    '</feedback>',
    '',
  ].join('\n')
}

function metadata(report: AggregateReport): readonly string[] {
  const { beginSeconds, endSeconds, errors } = report
  return [
    leaf('org_name', report.organization),
    leaf('email', report.email),
    ...optional('extra_contact_info', report.extraContact),
    leaf('report_id', report.reportId),
    ...block('', 'date_range', [leaf('begin', String(beginSeconds)), leaf('end', String(endSeconds))]),
    ...optional('error', errors.length === 0 ? undefined : errors.join('; ')),
    ...optional('generator', report.generator),
  ]
}

function policyLines(policy: PublishedPolicy): readonly string[] {
  return [
    leaf('domain', policy.domain),
    ...optional('discovery_method', policy.discovery),
    leaf('p', policy.p ?? 'none'),
    ...optional('sp', policy.sp),
    ...optional('np', policy.np),
    ...optional('fo', policy.fo),
    ...optional('adkim', policy.adkim),
    ...optional('aspf', policy.aspf),
    ...optional('testing', policy.testing === undefined ? undefined : policy.testing ? 'y' : 'n'),
  ]
}

function recordLines(record: ReportRecord): readonly string[] {
  const evaluated = [
    leaf('disposition', record.disposition),
    leaf('dkim', record.dkimAligned ? 'pass' : 'fail'),
    leaf('spf', record.spfAligned ? 'pass' : 'fail'),
    ...record.reasons.flatMap((reason) => block('', 'reason', reasonLines(reason))),
  ]
  const results = [
    ...record.dkim.flatMap(({ domain, result, selector }) =>
      block('', 'dkim', [leaf('domain', domain), leaf('selector', selector), leaf('result', result)]),
    ),
    ...(record.spf === undefined
      ? []
      : block('', 'spf', [
          leaf('domain', record.spf.domain),
          // Only the identity of MAIL FROM counts for DMARC (rfc9990 §3.1.1.13); a null one is that of HELO (rfc7208 §2.4).
          leaf('scope', 'mfrom'),
          leaf('result', record.spf.result),
        ])),
  ]
  return [
    ...block('', 'row', [
      leaf('source_ip', record.sourceIp),
      leaf('count', String(record.count)),
      ...block('', 'policy_evaluated', evaluated),
    ]),
    ...block('', 'identifiers', [
      leaf('header_from', record.headerFrom),
      ...optional('envelope_from', record.envelopeFrom),
    ]),
    ...block('', 'auth_results', results),
  ]
}

function reasonLines({ comment, type }: PolicyOverride): readonly string[] {
  return [leaf('type', type), ...optional('comment', comment)]
}

const leaf = (name: string, text: string): string => `<${name}>${xmlText(text)}</${name}>`

const optional = (name: string, text: string | undefined): readonly string[] =>
  text === undefined ? [] : [leaf(name, text)]

function block(indent: string, name: string, lines: readonly string[]): readonly string[] {
  return [`${indent}<${name}>`, ...lines.map((line) => `${indent} ${line}`), `${indent}</${name}>`]
}
