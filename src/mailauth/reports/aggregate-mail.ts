import { gzipSync } from 'node:zlib'
import { encodeBase64Lines } from '../../bytes/base64.ts'
import type { Address } from '../../mail/address.ts'
import {
  composeAddressField,
  composeField,
  composeMultipart,
  composeParameterField,
  composePart,
  composeRawField,
  composeTextPart,
} from '../../mime/compose.ts'
import { formatDate } from '../../mime/date.ts'
import { type AggregateReport, composeAggregate } from './aggregate.ts'
import { REPORT_LIMITS } from './limits.ts'

/** A report on its way: what its mail says beside it. */
export interface ReportMail {
  /** Our domain: who reports. It is the domain of `from` and of the reverse-path, so that SPF aligns (rfc9990 §3.4.2). */
  readonly submitter: string
  readonly from: Address
  readonly to: readonly Address[]
  readonly nowMs: number
}

export interface ComposedReport {
  readonly octets: Buffer
  readonly fileName: string
  /** Messages whose records were left out so that the mail is not too large. */
  readonly omitted: number
}

/** `REPORTER!DOMAIN!BEGIN!END.xml.gz` (rfc9990 §3.4.2). The same report has the same name, whenever it is sent. */
function reportFileName(report: AggregateReport, submitter: string): string {
  const { beginSeconds, endSeconds, policy } = report
  return `${submitter}!${policy.domain}!${beginSeconds}!${endSeconds}.xml.gz`
}

/** `Report Domain: D Submitter: S Report-ID: <ID>` (rfc9990 §3.4.2). */
function reportSubject(report: AggregateReport, submitter: string): string {
  return `Report Domain: ${report.policy.domain} Submitter: ${submitter} Report-ID: <${report.reportId}>`
}

/**
 * The mail with the report. What is too large for a mail loses its rarest records: the counts that matter stay.
 * @returns undefined where not even one record fits.
 */
export function composeReportMail(report: AggregateReport, mail: ReportMail): ComposedReport | undefined {
  let records = report.records.toSorted((one, other) => other.count - one.count)
  while (records.length > 0) {
    const octets = compose({ ...report, records }, mail)
    if (octets.length <= REPORT_LIMITS.sentBytes) {
      const sum = (list: typeof records): number => list.reduce((total, { count }) => total + count, 0)
      const omitted = sum([...report.records]) - sum(records)
      return { octets, fileName: reportFileName(report, mail.submitter), omitted }
    }
    records = records.slice(0, Math.floor(records.length / 2))
  }
  return undefined
}

function compose(report: AggregateReport, mail: ReportMail): Buffer {
  const { from, nowMs, submitter, to } = mail
  const file = reportFileName(report, submitter)
  const zipped = encodeBase64Lines(gzipSync(composeAggregate(report)))
  const parts = [
    composeTextPart(humanText(report, submitter)),
    composePart(
      [
        composeParameterField('Content-Type', 'application/gzip', { name: file }),
        composeParameterField('Content-Disposition', 'attachment', { filename: file }),
        'Content-Transfer-Encoding: base64\r\n',
      ],
      Buffer.from(zipped, 'latin1'),
    ),
  ]
  const head = [
    composeAddressField('From', [{ name: `DMARC reports of ${submitter}`, address: from }]),
    composeAddressField(
      'To',
      to.map((address) => ({ address })),
    ),
    composeField('Subject', reportSubject(report, submitter)),
    `Date: ${formatDate(nowMs, 0)}\r\n`,
    composeRawField('Message-ID', `<${report.reportId}>`),
    // rfc3834 §3.1.7: no vacation program may answer this.
    'Auto-Submitted: auto-generated\r\n',
    'MIME-Version: 1.0\r\n',
  ]
  const boundary = `report-${report.beginSeconds}-${report.reportId.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}`
  return Buffer.concat([Buffer.from(head.join('')), composeMultipart('mixed', boundary, parts)])
}

function humanText(report: AggregateReport, submitter: string): string {
  const day = new Date(report.beginSeconds * 1000).toISOString().slice(0, 10)
  const count = report.records.reduce((total, record) => total + record.count, 0)
  return [
    `This is a DMARC aggregate report (RFC 9990) of ${submitter}`,
    `about mail from ${report.policy.domain} on ${day} (UTC): ${count} messages.`,
    'The attached file is for programs; the record in the DNS asks for it.',
    `Questions: ${report.email}`,
    '',
  ].join('\n')
}

/** `LABEL` unique among reports about one domain: the day and the domain, as rfc9990 §3.4.1 shows. */
export function reportIdOf(day: string, policyDomain: string, submitter: string): string {
  return `${day}_${policyDomain}@${submitter}`
}
