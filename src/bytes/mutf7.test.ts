import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeMutf7, encodeMutf7 } from './mutf7.ts'

test('the examples of rfc3501 §5.1.3', () => {
  assert.equal(encodeMutf7('~peter/mail/台北/日本語'), '~peter/mail/&U,BTFw-/&ZeVnLIqe-')
  assert.equal(decodeMutf7('~peter/mail/&U,BTFw-/&ZeVnLIqe-'), '~peter/mail/台北/日本語')
  assert.equal(decodeMutf7('&Jjo-!'), '☺!')
  assert.equal(encodeMutf7('AT&T'), 'AT&-T')
  assert.equal(decodeMutf7('AT&-T'), 'AT&T')
})

test('a pair of surrogates in one shift', () => {
  assert.equal(encodeMutf7('📬'), '&2D3c7A-')
  assert.equal(decodeMutf7('&2D3c7A-'), '📬')
})

test('attack 27b: forms that are not the one right form are refused', () => {
  const wrong = {
    'not closed': 'x&Jjo',
    'not closed before ASCII': '&Jjo!',
    'printable ASCII in base64': '&AEE-',
    'ampersand in base64': '&ACY-',
    'two shifts side by side': '&U,BTFw-&ZeVnLIqe-',
    'padding bits set': '&Jjp-',
    'half an octet pair': '&Jj-',
    'one letter': '&J-',
    'padding signs': '&Jjo=-',
    'the other alphabet': '&U/BTFw-',
    'half a surrogate pair': '&2D0-',
    'raw UTF-8': 'été',
    'control character': 'a\tb',
    NUL: 'a\0b',
    'nothing of base64': '&*-',
  }
  for (const [why, wire] of Object.entries(wrong)) assert.equal(decodeMutf7(wire), undefined, why)
})

test('round trip of any name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const wire = encodeMutf7(name)
      assert.match(wire, /^[\x20-\x7e]*$/)
      assert.equal(decodeMutf7(wire), name)
    }),
  )
})

test('attack 27b: no two wire forms mean one name', () => {
  const alphabet = fc.constantFrom('&', '-', 'A', 'U', ',', 'B', 'T', 'F', 'w', '+', 'Z', 'e', 'V', 'n', '/')
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 14 }), (letters) => {
      const wire = letters.join('')
      const name = decodeMutf7(wire)
      if (name !== undefined) assert.equal(encodeMutf7(name), wire)
    }),
    { numRuns: 2000 },
  )
})
