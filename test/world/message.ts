import type { Chance } from './chance.ts'

/** Above what the store keeps in the database, so that the body becomes a file. */
const LARGE_BYTES = 262_145

/** A message that can be told from all others, and that shows where octets of it are missing. */
export function makeContent(
  chance: Chance,
  about: { readonly token: string; readonly from: string },
): Uint8Array {
  const { token, from } = about
  const size = chance.weighted({ small: 20, middle: 4, large: 1 })
  const bytes = { small: 200, middle: 9_000, large: LARGE_BYTES }[size] + chance.below(1_000)
  const head =
    `From: <${from}>\r\nTo: <somebody@a.test>\r\nSubject: ${token}\r\nDate: Thu, 1 Jan 2026 09:00:00 +0900\r\n` +
    `Message-ID: <${token}@world.test>\r\n\r\n`
  const line = `.${token} ${'x'.repeat(60)}\r\n`
  return Buffer.from(`${head}${line.repeat(Math.ceil(bytes / line.length))}end of ${token}\r\n`)
}

/** The token of a message by its Subject; '-' where it is none that anybody sent: a report. */
export function tokenOf(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, Math.min(octets.length, 8_192)).toString(
    'latin1',
  )
  const end = text.indexOf('\r\n\r\n')
  return /^Subject: (\S+)\r?$/m.exec(end < 0 ? text : text.slice(0, end))?.[1] ?? '-'
}

/** What a delivery report says: of which message, and which recipients it failed for. */
export interface Report {
  readonly token: string
  readonly failed: readonly string[]
}

export function readReport(octets: Uint8Array): Report | undefined {
  const text = Buffer.from(octets.buffer, octets.byteOffset, Math.min(octets.length, 32_768)).toString(
    'latin1',
  )
  if (!text.includes('report-type=delivery-status')) return undefined
  const blocks = text.split(/^(?=Final-Recipient: )/m).slice(1)
  const failed = blocks
    .filter((block) => /^Action: failed\r$/m.test(block))
    .map((block) => /^Final-Recipient: rfc822; ?(\S+)/i.exec(block)?.[1] ?? '')
  const token = [...text.matchAll(/^Subject: (\S+)\r$/gm)].at(-1)?.[1] ?? '-'
  return { token, failed }
}

export function endsWith(octets: Uint8Array, end: Uint8Array): boolean {
  const { buffer, byteOffset, length } = octets
  return length >= end.length && Buffer.from(buffer, byteOffset + length - end.length, end.length).equals(end)
}
