import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeQuotedPrintable, encodeQuotedPrintable } from './quoted-printable.ts'

const decode = (text: string): string => decodeQuotedPrintable(Buffer.from(text, 'latin1')).toString('latin1')

test('round trip: any octets whose line ends are CRLF', () => {
  const unit = fc.constantFrom('a', '=', ' ', '\t', '\r\n', '\u00e9', '.', '\0', '-')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 300 }), (text) => {
      const encoded = encodeQuotedPrintable(Buffer.from(text, 'latin1'))
      assert.equal(decode(encoded), text)
      for (const line of encoded.split('\r\n')) assert.match(line, /^[\t\x20-\x7e]{0,76}$(?<![ \t])/)
    }),
    { numRuns: 300 },
  )
})

test('cut at every byte: the beginning is decoded the same', () => {
  const encoded = 'caf=C3=A9 =\r\nau lait  \r\n=3D100=\n%'
  const whole = decode(encoded)
  for (let cut = 0; cut < encoded.length; cut++) {
    const piece = decode(encoded.slice(0, cut))
      .trimEnd()
      .replace(/=[0-9A-F]?$/, '')
    assert.ok(whole.startsWith(piece), `${cut}: ${piece}`)
  }
})

test('soft line breaks of both forms and white space before line ends go', () => {
  assert.equal(decode('a=\r\nb=\nc= \t\r\nd'), 'abcd')
  assert.equal(decode('a \t\r\nb \nc  '), 'a\r\nb\nc')
  assert.equal(decode('a=20\r\n'), 'a \r\n')
  assert.equal(decode('end='), 'end')
})

test('what is no escape stays as it is', () => {
  assert.equal(decode('a=b=ZZ=4'), 'a=b=ZZ=4')
  assert.equal(decode('=c3=e9'), '\u00c3\u00e9')
  assert.equal(decode('a==41'), 'a=A')
})
