import { latin1, visible } from '../bytes/ascii.ts'
import { encodeBase64 } from '../bytes/base64.ts'
import { type Address, formatAddress, needsUtf8 } from '../mail/address.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { formatDate } from './date.ts'
import { REPORT_TEXTS } from './report-texts.ts'

export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed'

export interface ReportedRecipient {
  readonly address: Address
  /** rfc3461 §4.2, decoded. */
  readonly orcpt?: string | undefined
  readonly reply: Reply
  readonly remoteHost?: string | undefined
}

/** What a delivery status notification tells. */
export interface DeliveryReport {
  readonly action: ReportAction
  readonly to: Address
  readonly hostname: string
  readonly arrivedAtMs: number
  readonly nowMs: number
  readonly zoneMinutes: number
  /** For 'delayed': when we give up. */
  readonly willRetryUntilMs?: number | undefined
  readonly envid?: string | undefined
  readonly recipients: readonly ReportedRecipient[]
  /** The original's header block, or the whole of it. */
  readonly original: { readonly kind: 'header' | 'full'; readonly octets: Uint8Array }
  /** Unique text of letters and digits, for Message-ID and boundary. */
  readonly unique: string
}

/**
 * The report as a message: a text that a person understands, in English and Japanese, then the parts for
 * programs (rfc3464 §2, rfc6522 §3; rfc6533 §3 where an address has UTF-8).
 */
export function composeDeliveryReport(report: DeliveryReport): Buffer {
  const global = report.recipients.some(({ address }) => needsUtf8(address))
  const boundary = `report-${report.unique}`
  const { octets } = report.original
  return Buffer.concat([
    Buffer.from(head(report, boundary)),
    Buffer.from(`--${boundary}\r\n${humanPart(report)}`),
    Buffer.from(`\r\n--${boundary}\r\n${statusPart(report, global)}`),
    Buffer.from(`\r\n--${boundary}\r\n${originalHead(report)}`),
    octets,
    Buffer.from(`${endsWithNewline(octets) ? '' : '\r\n'}\r\n--${boundary}--\r\n`),
  ])
}

function head(report: DeliveryReport, boundary: string): string {
  const { hostname, nowMs, zoneMinutes, unique, to, action } = report
  return [
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${formatAddress(to)}>`,
    `Subject: ${REPORT_TEXTS[action].subject}`,
    `Date: ${formatDate(nowMs, zoneMinutes)}`,
    `Message-ID: <${unique}@${hostname}>`,
    // rfc3834 §3.1.7: no vacation program may answer this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
    '',
    '',
  ].join('\r\n')
}

function humanPart(report: DeliveryReport): string {
  const texts = REPORT_TEXTS[report.action]
  const until =
    report.willRetryUntilMs === undefined ? '' : formatDate(report.willRetryUntilMs, report.zoneMinutes)
  const list = report.recipients
    .map(({ address, reply, remoteHost }) => `    ${formatAddress(address)}\n${said(reply, remoteHost)}`)
    .join('\n')
  const text = `${texts.english(until)}\n\n${list}\n\n${texts.englishEnd(until)}\n\n----------\n\n${texts.japanese(until)}\n\n${list}\n\n${texts.japaneseEnd(until)}\n`
  const lines = encodeBase64(Buffer.from(text.replace(/\n/g, '\r\n'))).match(/.{1,76}/g) ?? []
  return `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines.join('\r\n')}\r\n`
}

function said(reply: Reply, host: string | undefined): string {
  const words = visible(formatReply(reply))
  return host === undefined ? `        ${words}` : `        ${host}: ${words}`
}

function statusPart(report: DeliveryReport, global: boolean): string {
  const { hostname, envid, arrivedAtMs, zoneMinutes } = report
  const type = global ? 'message/global-delivery-status' : 'message/delivery-status'
  const message = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(envid === undefined ? [] : [`Original-Envelope-Id: ${oneLine(envid)}`]),
    `Arrival-Date: ${formatDate(arrivedAtMs, zoneMinutes)}`,
  ]
  const groups = report.recipients.map((recipient) => recipientFields(report, recipient, global).join('\r\n'))
  return `Content-Type: ${type}\r\n${global ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n${[message.join('\r\n'), ...groups].join('\r\n\r\n')}\r\n`
}

function recipientFields(report: DeliveryReport, recipient: ReportedRecipient, global: boolean): string[] {
  const { address, orcpt, reply, remoteHost } = recipient
  const type = global && needsUtf8(address) ? 'utf-8' : 'rfc822'
  return [
    ...(orcpt === undefined ? [] : [`Original-Recipient: ${oneLine(orcpt)}`]),
    `Final-Recipient: ${type}; ${formatAddress(address)}`,
    `Action: ${report.action}`,
    `Status: ${statusOf(reply)}`,
    ...(remoteHost === undefined ? [] : [`Remote-MTA: dns; ${remoteHost}`]),
    `Diagnostic-Code: smtp; ${oneLine(formatReply(reply))}`,
    `Last-Attempt-Date: ${formatDate(report.nowMs, report.zoneMinutes)}`,
    ...(report.willRetryUntilMs === undefined
      ? []
      : [`Will-Retry-Until: ${formatDate(report.willRetryUntilMs, report.zoneMinutes)}`]),
  ]
}

/** rfc3463 §2; made from the reply's class where the host gave none. */
function statusOf(reply: Reply): string {
  return reply.enhanced ?? `${Math.floor(reply.code / 100)}.0.0`
}

function originalHead({ original }: DeliveryReport): string {
  const eightBit = /[\x80-\xff]/.test(latin1(original.octets))
  const type = original.kind === 'full' ? 'message/rfc822' : 'text/rfc822-headers'
  return `Content-Type: ${type}\r\n${eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n`
}

/** A peer's words in a header field: no line end and no 8-bit octet may get through. */
function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replace(/[^\u0020-\u007e]/g, '?')
    .slice(0, 500)
}

function endsWithNewline(octets: Uint8Array): boolean {
  return octets.length >= 1 && octets[octets.length - 1] === 0x0a
}
