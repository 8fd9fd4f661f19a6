import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'

/** rfc5321 §4.5.3.1.5: a reply line with its code and line end. */
const LINE_OCTETS = 512
/** A session's text of more lines is our own fault; clients that count lines must not be hurt by it. */
const MAX_LINES = 100

export interface ReplyStyle {
  /** rfc6531 §3.7.4: UTF-8 in replies only to who asked for SMTPUTF8. */
  readonly utf8: boolean
}

/**
 * A reply as it goes on the wire. Whatever the text holds, the result is well-formed lines: controls become
 * spaces (a peer's own words come back in texts), long lines are split, non-ASCII becomes `?` unless allowed.
 */
export function encodeReply(reply: Reply, style: ReplyStyle = { utf8: false }): Buffer {
  const { code, enhanced } = reply
  assert(Number.isInteger(code) && code >= 200 && code <= 599, `reply code ${code}`)
  assert(enhanced === undefined || isEnhanced(enhanced, code), `enhanced code ${enhanced} with ${code}`)
  // rfc2034 §4: the enhanced code stands in each line.
  const prefix = enhanced === undefined ? '' : `${enhanced} `
  const [only] = reply.lines
  if (reply.lines.length === 1 && only !== undefined && PLAIN_LINE.test(only))
    return Buffer.from(`${code} ${prefix}${only}\r\n`, 'latin1')
  const room = LINE_OCTETS - 'ddd-'.length - '\r\n'.length - prefix.length
  const lines = reply.lines.flatMap((line) => linesOf(line, room, style)).slice(0, MAX_LINES)
  if (lines.length === 0) lines.push('')
  const last = lines.length - 1
  return Buffer.from(lines.map((text, i) => `${code}${i < last ? '-' : ' '}${prefix}${text}\r\n`).join(''))
}

// Nearly every line is this, and needs no cleaning and no cutting.
const PLAIN_LINE = /^[ -~]{0,480}$/

/** One text as the lines that it takes. */
function linesOf(text: string, room: number, style: ReplyStyle): string[] {
  return PLAIN_LINE.test(text) ? [text] : splitText(cleanText(text, style), room)
}

/** Text that can stand in one line of a reply. */
function cleanText(text: string, style: ReplyStyle): string {
  const printable = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').toWellFormed()
  return style.utf8 ? printable : printable.replace(/[^\u0000-\u007f]/gu, '?')
}

/** Cuts at spaces where there are any; never inside a character. */
function splitText(text: string, room: number): string[] {
  const pieces: string[] = []
  let rest = text
  while (Buffer.byteLength(rest) > room) {
    let cut = 0
    let octets = 0
    let space = 0
    for (const char of rest) {
      octets += Buffer.byteLength(char)
      if (octets > room) break
      cut += char.length
      if (char === ' ') space = cut
    }
    const end = space > room / 2 ? space : cut
    pieces.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end)
  }
  pieces.push(rest)
  return pieces
}

/** rfc3463 §2: class, subject, detail; the class must agree with the code (rfc2034 §4). */
export function isEnhanced(text: string, code: number): boolean {
  const match = /^([245])\.\d{1,3}\.\d{1,3}$/.exec(text)
  return match !== null && Number(match[1]) === Math.floor(code / 100)
}
