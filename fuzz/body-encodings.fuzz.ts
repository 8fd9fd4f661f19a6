import assert from 'node:assert/strict'
import { decodeBase64, decodeBase64Strict, encodeBase64, encodeBase64Lines } from '../src/bytes/base64.ts'
import { decodeQuotedPrintable, encodeQuotedPrintable } from '../src/bytes/quoted-printable.ts'
import { decodeTransfer } from '../src/mime/text.ts'

/** base64 and quoted-printable there and back, and on octets that are neither. */
export const name = 'body-encodings'

export const corpus: readonly string[] = [
  'SGVs\r\nbG8=',
  'QQ==QUI=',
  'caf=C3=A9 =\r\nx \r\n=',
  'Hello \t\n=3d',
  '\u0000\u00ff',
]

export function fuzz(input: Uint8Array): void {
  const octets = Buffer.from(input)
  assert.deepEqual(decodeBase64(Buffer.from(encodeBase64(octets))), octets)
  assert.deepEqual(decodeTransfer(Buffer.from(encodeBase64Lines(octets)), 'base64'), octets)
  const text = octets.toString('latin1')
  const strict = decodeBase64Strict(text)
  if (strict !== undefined) assert.equal(encodeBase64(strict), text)
  assert.ok(decodeBase64(octets).length <= octets.length)
  // Line ends of both forms become CRLF, nothing else changes.
  const lines = Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1')
  assert.deepEqual(decodeQuotedPrintable(Buffer.from(encodeQuotedPrintable(octets))), lines)
  assert.ok(decodeQuotedPrintable(octets).length <= octets.length)
}
