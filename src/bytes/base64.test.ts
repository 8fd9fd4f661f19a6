import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, decodeBase64Strict, encodeBase64, encodeBase64Lines } from './base64.ts'

test('round trip: any octets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(new Uint8Array(decodeBase64(Buffer.from(encodeBase64(bytes)))), bytes)
      assert.deepEqual(new Uint8Array(decodeBase64(Buffer.from(encodeBase64Lines(bytes)))), bytes)
      assert.deepEqual(new Uint8Array(decodeBase64Strict(encodeBase64(bytes)) ?? []), bytes)
    }),
    { numRuns: 200 },
  )
})

test('cut at every byte: what is whole is decoded, strictly only at a group', () => {
  const text = 'SGVsbG8gd29ybGQ='
  for (let cut = 0; cut <= text.length; cut++) {
    const loose = decodeBase64(Buffer.from(text.slice(0, cut))).toString()
    assert.ok('Hello world'.startsWith(loose) && loose.length >= Math.floor((cut - 1) / 4) * 3)
    assert.equal(decodeBase64Strict(text.slice(0, cut)) !== undefined, cut % 4 === 0)
  }
})

test('strict decoding refuses every second spelling', () => {
  for (const text of ['QQ', 'QQ=', 'QR==', 'QQ==\r\n', ' QQ==', 'Q-==', 'QUJ=', '=', '====', 'QQ==QQ=='])
    assert.equal(decodeBase64Strict(text), undefined, text)
  assert.equal(decodeBase64Strict('')?.length, 0)
})

test('a body forgives line ends, foreign octets, missing padding and padding in the middle', () => {
  const decode = (text: string): string => decodeBase64(Buffer.from(text, 'latin1')).toString()
  assert.equal(decode('SGVs\r\nbG8=\r\n'), 'Hello')
  assert.equal(decode('SG!Vs*b_G-8'), 'Hello')
  assert.equal(decode('SGVsbG8'), 'Hello')
  assert.equal(decode('QQ==QUI=QUJD'), 'AABABC')
  assert.equal(decode('===='), '')
})

test('lines have at most 76 characters', () => {
  const lines = encodeBase64Lines(Buffer.alloc(200)).split('\r\n')
  assert.deepEqual(
    lines.map((line) => line.length),
    [76, 76, 76, 40, 0],
  )
})
