import { visible } from '../bytes/ascii.ts'
import { formatAddress } from '../mail/address.ts'
import { formatReply } from '../mail/reply.ts'
import { composeTextPart } from './compose.ts'
import { formatDate } from './date.ts'
import { statusOf } from './delivery-report-status.ts'
import type { DeliveryReport, ReportedRecipient } from './delivery-report-types.ts'
import { REPORT_ACTIONS, REPORT_TEXTS, type ReportAction, reasonOf, type Sentence } from './report-texts.ts'

/** The part for people: everything in English, then everything in Japanese. */
export function humanPart(report: DeliveryReport): Buffer {
  return composeTextPart(`${inLanguage(report, 'english')}\n----------\n\n${inLanguage(report, 'japanese')}`)
}

function inLanguage(report: DeliveryReport, language: keyof Sentence): string {
  return REPORT_ACTIONS.map((action) => section(report, action, language)).join('')
}

/** One action with its recipients; empty where it has none. */
function section(report: DeliveryReport, action: ReportAction, language: keyof Sentence): string {
  const recipients = report.recipients.filter((one) => one.action === action)
  if (recipients.length === 0) return ''
  const { before, after } = REPORT_TEXTS[action]
  const until = recipients[0]?.willRetryUntilMs
  const last = until === undefined ? '' : formatDate(until, report.zoneMinutes)
  const list = recipients.map((one) => lines(one, language)).join('\n')
  return `${before[language]}\n\n${list}\n\n${after[language].replace('{until}', last)}\n\n`
}

function lines(recipient: ReportedRecipient, language: keyof Sentence): string {
  const { address, action, reply, remoteHost } = recipient
  const shown = [`    ${visible(formatAddress(address))}`]
  if (action === 'delivered' || action === 'relayed') return shown.join('\n')
  const reasons = [
    reasonOf(statusOf(recipient)),
    recipient.expired ? reasonOf(reply.enhanced ?? '') : undefined,
  ]
  for (const reason of reasons) if (reason !== undefined) shown.push(`        ${reason[language]}`)
  const from = remoteHost === undefined ? '' : `${remoteHost}: `
  shown.push(`        ${visible(from + formatReply(reply))}`)
  return shown.join('\n')
}
