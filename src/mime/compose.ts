import { encodeBase64Lines } from '../bytes/base64.ts'
import { encodeQuotedPrintable } from '../bytes/quoted-printable.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import { encodePhrase, encodeWords } from './words.ts'

/**
 * Building headers and bodies that no value can break out of. A line end or another control character in a
 * value is refused as our fault: who passes a peer's text cleans it first (`bytes/ascii.ts` `visible`).
 */

/** rfc5322 §2.1.1: lines should have at most 78 characters and must not have more than 998; rfc2047 §2 allows 76. */
const FOLD_CHARS = 76
const MAX_LINE_CHARS = 998
/** Before a single space: where a line may be folded so that unfolding gives the value back octet by octet. */
const FOLDS = /(?<=[^ ])(?= [^ ])/

/** A field of free text with its CRLF: encoded words where the text is not ASCII, folded. */
export function composeField(name: string, text: string): string {
  assertText(text)
  // A word that no fold can break is encoded, which splits it.
  const hasLongWord = text.split(FOLDS).some((word) => word.length > MAX_LINE_CHARS / 2)
  return fold(name, hasLongWord ? encodeWords(text, { always: true }) : encodeWords(text))
}

/** A field whose value is structured and ASCII already, as a Message-ID or a Date. */
export function composeRawField(name: string, value: string): string {
  assert(/^[\x20-\x7e]*$/.test(value), `value of ${name} is not plain ASCII`)
  return fold(name, value)
}

/** An address field: names are quoted or encoded as they need. */
export function composeAddressField(name: string, mailboxes: readonly NamedAddress[]): string {
  const list = mailboxes.map(({ name: display, address }) => {
    const spec = formatAddress(address)
    if (display === undefined || display === '') return spec
    assertText(display)
    return `${encodePhrase(display)} <${spec}>`
  })
  const value = list.join(', ')
  assertText(value)
  return fold(name, value)
}

export interface NamedAddress {
  readonly name?: string | undefined
  readonly address: Address
}

/** `multipart/report; report-type=delivery-status; boundary="…"`: rfc2231 form where a value is not ASCII. */
export function composeParameterField(
  name: string,
  value: string,
  params: Readonly<Record<string, string>> = {},
): string {
  const pieces = Object.entries(params).map(([key, text]) => {
    assertText(text)
    if (/^[A-Za-z0-9!#$&+.^_`{|}~-]+$/.test(text)) return `; ${key}=${text}`
    if (/^[\x20-\x7e]*$/.test(text)) return `; ${key}="${text.replace(/["\\]/g, '\\$&')}"`
    return `; ${key}*=utf-8''${percentEncoded(text)}`
  })
  return composeRawField(name, value + pieces.join(''))
}

/** A text part: its Content fields, an empty line, its body, encoded as its characters need. */
export function composeTextPart(text: string, subtype = 'plain'): Buffer {
  const body = text.replace(/\r\n|\r|\n/g, '\r\n')
  const octets = Buffer.from(body, 'utf8')
  const isAscii = /^[\x00-\x7f]*$/.test(body)
  const isPlain =
    isAscii && !body.includes('\0') && body.split('\r\n').every((line) => line.length <= FOLD_CHARS)
  const contentType = composeParameterField('Content-Type', `text/${subtype}`, {
    charset: isAscii ? 'us-ascii' : 'utf-8',
  })
  // Escaping triples what is not ASCII; Japanese text is shorter and no less readable in base64.
  const encoding = isPlain ? '7bit' : isAscii ? 'quoted-printable' : 'base64'
  const encoded = isPlain ? body : isAscii ? encodeQuotedPrintable(octets) : encodeBase64Lines(octets)
  return Buffer.from(`${contentType}Content-Transfer-Encoding: ${encoding}\r\n\r\n${encoded}`, 'latin1')
}

/** A part of Content fields as they are (each with its CRLF) and a body of octets that needs no encoding. */
export function composePart(fields: readonly string[], body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${fields.join('')}\r\n`, 'latin1'), body])
}

/**
 * A multipart entity: Content-Type with its parameters and the boundary, an empty line, the parts. The
 * boundary comes from the caller's random source; that no part holds it is asserted.
 */
export function composeMultipart(
  subtype: string,
  boundary: string,
  parts: readonly Uint8Array[],
  params: Readonly<Record<string, string>> = {},
): Buffer {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const pieces: Uint8Array[] = [
    Buffer.from(
      `${composeParameterField('Content-Type', `multipart/${subtype}`, { ...params, boundary })}\r\n`,
      'latin1',
    ),
  ]
  for (const part of parts) {
    assert(Buffer.from(part).indexOf(delimiter) < 0, 'boundary occurs within a part')
    pieces.push(delimiter, CRLF, part, CRLF)
  }
  pieces.push(delimiter, Buffer.from('--\r\n', 'latin1'))
  return Buffer.concat(pieces)
}

const CRLF = Buffer.from('\r\n', 'latin1')

function fold(name: string, value: string): string {
  assert(/^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name), 'field name')
  let out = ''
  let line = `${name}:`
  for (const word of value.split(FOLDS)) {
    const piece = line === `${name}:` && word !== '' && !word.startsWith(' ') ? ` ${word}` : word
    if (line.length + piece.length > FOLD_CHARS && line !== `${name}:`) {
      out += `${line}\r\n`
      line = piece
    } else {
      line += piece
    }
  }
  out += line
  assert(
    out.split('\r\n').every((folded) => Buffer.byteLength(folded) <= MAX_LINE_CHARS),
    `a line of ${name} is too long`,
  )
  return `${out}\r\n`
}

function assertText(text: string): void {
  assert(!/[\x00-\x08\x0a-\x1f\x7f]/.test(text), 'control character in a header value')
}

function percentEncoded(text: string): string {
  let out = ''
  for (const octet of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(octet)
    out += /[A-Za-z0-9._-]/.test(char) ? char : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
