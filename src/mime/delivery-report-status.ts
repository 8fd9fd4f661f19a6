import { visible } from '../bytes/ascii.ts'
import { escapeUtf8Address } from '../bytes/xtext.ts'
import { type Address, formatAddress, needsUtf8 } from '../mail/address.ts'
import { formatReply } from '../mail/reply.ts'
import { formatDate } from './date.ts'
import type { DeliveryReport, ReportedRecipient } from './delivery-report-types.ts'

/** A field of a status part may be long, but nobody reads more of it. */
const MAX_FIELD_CHARS = 500

/** The part for programs (rfc3464 §2). Without `isGlobal` it is ASCII, whatever the addresses are. */
export function statusPart(report: DeliveryReport, isGlobal: boolean): Buffer {
  const { hostname, envid, arrivedAtMs, zoneMinutes } = report
  const type = isGlobal ? 'message/global-delivery-status' : 'message/delivery-status'
  const message = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(envid === undefined ? [] : [`Original-Envelope-Id: ${oneLine(envid)}`]),
    `Arrival-Date: ${formatDate(arrivedAtMs, zoneMinutes)}`,
  ]
  const groups = [message, ...report.recipients.map((one) => recipientFields(report, one, isGlobal))]
  const fields = groups.map((group) => `${group.join('\r\n')}\r\n`).join('\r\n')
  return Buffer.from(
    `Content-Type: ${type}\r\n${isGlobal ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n${fields}`,
  )
}

/** rfc3463 §2; made from the reply's class where the host gave none. */
export function statusOf({ action, expired, reply }: ReportedRecipient): string {
  // rfc3463 §3.5: what the last host said of its own troubles is not why the message came back.
  if (expired === true) return '4.4.7'
  if (reply.enhanced !== undefined) return reply.enhanced
  return `${action === 'failed' && reply.code < 500 ? 5 : Math.floor(reply.code / 100)}.0.0`
}

function recipientFields(report: DeliveryReport, recipient: ReportedRecipient, isGlobal: boolean): string[] {
  const { address, action, orcpt, reply, remoteHost, willRetryUntilMs } = recipient
  return [
    ...(orcpt === undefined ? [] : [`Original-Recipient: ${originalRecipient(orcpt, isGlobal)}`]),
    `Final-Recipient: ${typedAddress(address, isGlobal)}`,
    `Action: ${action}`,
    `Status: ${statusOf(recipient)}`,
    ...(remoteHost === undefined ? [] : [`Remote-MTA: dns; ${oneLine(remoteHost)}`]),
    // rfc3464 §2.3.6: what no host said is no diagnostic of SMTP; a type of our own begins with x-.
    `Diagnostic-Code: ${remoteHost === undefined ? 'x-hikyaku' : 'smtp'}; ${oneLine(formatReply(reply))}`,
    `Last-Attempt-Date: ${formatDate(report.nowMs, report.zoneMinutes)}`,
    ...(willRetryUntilMs === undefined
      ? []
      : [`Will-Retry-Until: ${formatDate(willRetryUntilMs, report.zoneMinutes)}`]),
  ]
}

/** rfc6533 §3: with UTF-8 as it is where the report may hold it, else in its ASCII form. */
function typedAddress(address: Address, isGlobal: boolean): string {
  const text = formatAddress(address)
  if (!needsUtf8(address)) return `rfc822; ${text}`
  return `utf-8; ${isGlobal ? text : escapeUtf8Address(text)}`
}

/** The sender looks for what it gave: only of the type `utf-8` can more than ASCII come through (rfc6533 §3). */
function originalRecipient(orcpt: string, isGlobal: boolean): string {
  const text = orcpt.slice('utf-8;'.length)
  if (!orcpt.startsWith('utf-8;')) return oneLine(orcpt)
  return `utf-8; ${isGlobal ? visible(text).slice(0, MAX_FIELD_CHARS) : oneLine(escapeUtf8Address(text))}`
}

/** A peer's words in a header field: no line end and no 8-bit octet may get through. */
function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replace(/[^\u0020-\u007e]/gu, '?')
    .slice(0, MAX_FIELD_CHARS)
}
