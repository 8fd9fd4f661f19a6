import assert from 'node:assert/strict'
import { parseAddresses } from '../src/mime/address.ts'
import { composeField } from '../src/mime/compose.ts'
import { formatDate, parseDate } from '../src/mime/date.ts'
import { headerFields, unfold } from '../src/mime/header.ts'
import { HeaderSubset } from '../src/mime/header-subset.ts'
import { messageIds } from '../src/mime/ids.ts'
import { decodeParameters, parseParameters } from '../src/mime/params.ts'
import { decodeWords, encodeWords } from '../src/mime/words.ts'

/** Header values of every kind, read as if each field held them. */
export const name = 'mime-values'

export const corpus: readonly string[] = [
  'a/b; x="y\\"z" (c); f*0*=utf-8\'\'%E4%BC; f*1*=%9A; name="=?utf-8?q?a?="; q=a b c=d',
  '"A, B" <a@b>, G: c@d (x(y)), <@r,@s:e@f>;, =?utf-8?q?g,h?= <i@[1]>, a..b@c, x.@y',
  'Tue, 01 Jul 2003 (a (b) c) 10:52:37 +0200 (CEST)',
  '2003-07-01T10:52:37.5+02:00 pm JST 1-Jul-03',
  '=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?= =?utf-8*ja?q?=E4=BC?=\r\n =?utf-8?q?=9A?= \u00e9 \u001b$B2q\u001b(B',
  '<a@b> <c\r\n @d><<e>',
  'X: y\r\n z\nGarbage\r\n: \r\n\r\n',
]

export function fuzz(input: Uint8Array): void {
  const value = Buffer.from(input).toString('latin1')
  const { text } = decodeWords(value)
  // What is encoded is decoded to the same text.
  const shown = text.replace(/[\x00-\x1f\x7f]/g, ' ').toWellFormed()
  assert.equal(
    decodeWords(encodeWords(shown)).text,
    shown.includes('=?') || /[^\x20-\x7e]/.test(shown) ? shown : decodeWords(shown).text,
  )
  assert.equal(headerFields(Buffer.from(composeField('Subject', shown))).length, 1)
  const date = parseDate(unfold(value))
  if (date !== undefined && date.ms % 1000 === 0) assert.equal(parseDate(formatDate(date.ms, 0))?.ms, date.ms)
  parseAddresses(value)
  decodeParameters(parseParameters(value).raw)
  messageIds(value)
  let from = 0
  for (const field of headerFields(input)) {
    assert.ok(field.start >= from && field.end <= input.length)
    from = field.end
  }
  const all = new HeaderSubset([], true).of(input)
  assert.deepEqual(Buffer.from(all), Buffer.from(input.subarray(0, all.length)))
}
