import { asBuffer, isAscii } from '../bytes/ascii.ts'
import { formatAddress, needsUtf8 } from '../mail/address.ts'
import { composeMultipart, composePart } from './compose.ts'
import { formatDate } from './date.ts'
import { statusPart } from './delivery-report-status.ts'
import { humanPart } from './delivery-report-text.ts'
import type { DeliveryReport } from './delivery-report-types.ts'
import { MAX_REPORTED_HEADER_BYTES } from './limits.ts'
import { REPORT_ACTIONS, REPORT_TEXTS } from './report-texts.ts'

/**
 * The report as a message: a text that a person understands, in English and Japanese, then the parts for
 * programs (rfc3464 §2, rfc6522 §3; rfc6533 §3 where it may and must hold UTF-8).
 */
export function composeDeliveryReport(report: DeliveryReport): Buffer {
  const isGlobal = isGlobalReport(report)
  const type = isGlobal ? 'global-delivery-status' : 'delivery-status'
  const parts = [humanPart(report), statusPart(report, isGlobal), originalPart(report, isGlobal)]
  return Buffer.concat([
    Buffer.from(head(report)),
    composeMultipart('report', boundaryFor(parts, report.unique), parts, { 'report-type': type }),
  ])
}

/** One that no part holds: the original may be a report of ours, sent back by somebody who hopes to add parts. */
function boundaryFor(parts: readonly Uint8Array[], unique: string): string {
  let boundary = `report-${unique}`
  while (parts.some((part) => asBuffer(part).includes(`--${boundary}`))) boundary += 'x'
  return boundary
}

/** Whether the report needs SMTPUTF8 itself: an address has UTF-8, and its sender is known to take that. */
export function isGlobalReport({ to, smtputf8, recipients }: DeliveryReport): boolean {
  return needsUtf8(to) || (smtputf8 && recipients.some(({ address }) => needsUtf8(address)))
}

function head(report: DeliveryReport): string {
  const { hostname, nowMs, zoneMinutes, unique, to, recipients } = report
  const worst = REPORT_ACTIONS.find((action) => recipients.some((one) => one.action === action)) ?? 'failed'
  return [
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${formatAddress(to)}>`,
    `Subject: ${REPORT_TEXTS[worst].subject}`,
    `Date: ${formatDate(nowMs, zoneMinutes)}`,
    `Message-ID: <${unique}@${hostname}>`,
    // rfc3834 §3.1.7: no vacation program may answer this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    '',
  ].join('\r\n')
}

/** rfc6533 §4 names the forms whose header may hold UTF-8. */
function originalPart({ original }: DeliveryReport, isGlobal: boolean): Buffer {
  const { kind } = original
  const octets = kind === 'full' ? original.octets : wholeLines(original.octets)
  const full = isGlobal ? 'message/global' : 'message/rfc822'
  const header = isGlobal ? 'message/global-headers' : 'text/rfc822-headers'
  return composePart(
    [
      `Content-Type: ${kind === 'full' ? full : header}\r\n`,
      ...(isAscii(octets) ? [] : ['Content-Transfer-Encoding: 8bit\r\n']),
    ],
    octets,
  )
}

/** At most so much, cut behind a line. */
function wholeLines(header: Uint8Array): Uint8Array {
  if (header.length <= MAX_REPORTED_HEADER_BYTES) return header
  const cut = header.subarray(0, MAX_REPORTED_HEADER_BYTES)
  return cut.subarray(0, asBuffer(cut).lastIndexOf('\r\n') + 2)
}
