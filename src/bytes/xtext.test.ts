import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeXtext, encodeXtext } from './xtext.ts'

test('examples', () => {
  assert.equal(encodeXtext('a+b=c d'), 'a+2Bb+3Dc+20d')
  assert.equal(decodeXtext('a+2Bb+3Dc+20d'), 'a+b=c d')
  assert.equal(decodeXtext('+C3+A9'), 'é')
  assert.equal(decodeXtext('+E9'), 'é', 'octets that are no UTF-8 are Latin-1')
  for (const bad of ['+', '+2', '+2G', 'a=b', 'a b', 'a\0', '+ 2'])
    assert.equal(decodeXtext(bad), undefined, bad)
})

test('property: round trip, as ASCII', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((s) => s.isWellFormed() && !s.includes('\ufffd'))
  fc.assert(
    fc.property(text, (s) => {
      assert.match(encodeXtext(s), /^[!-~]*$/)
      assert.equal(decodeXtext(encodeXtext(s)), s)
    }),
  )
})
