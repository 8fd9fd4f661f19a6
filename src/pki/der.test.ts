import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bitString,
  integer,
  objectId,
  octetString,
  sequence,
  smallInteger,
  time,
  toPem,
  utf8String,
} from './der.ts'

const hex = (der: Buffer): string => der.toString('hex')

test('the elements of X.690', () => {
  assert.equal(hex(objectId('1.2.840.113549.1.9.14')), '06092a864886f70d01090e')
  assert.equal(hex(objectId('2.5.29.17')), '0603551d11')
  assert.equal(hex(objectId('2.999.3')), '0603883703')
  assert.equal(hex(integer(Buffer.of(0))), '020100')
  assert.equal(hex(integer(Buffer.of())), '020100')
  assert.equal(hex(integer(Buffer.of(0, 0, 0x7f))), '02017f')
  assert.equal(hex(integer(Buffer.of(0x80))), '02020080')
  assert.equal(hex(smallInteger(2)), '020102')
  assert.equal(hex(bitString(Buffer.of(0x06), 1)), '03020106')
  assert.equal(hex(utf8String('ä')), '0c02c3a4')
  assert.equal(hex(sequence()), '3000')
})

test('lengths of one, two and three octets', () => {
  assert.equal(hex(octetString(Buffer.alloc(127))).slice(0, 4), '047f')
  assert.equal(hex(octetString(Buffer.alloc(128))).slice(0, 6), '048180')
  assert.equal(hex(octetString(Buffer.alloc(256))).slice(0, 8), '04820100')
})

test('times change their form in 2050', () => {
  assert.equal(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)).toString('latin1', 2), '491231235959Z')
  assert.equal(time(Date.UTC(2050, 0)).toString('latin1', 2), '20500101000000Z')
  assert.equal(time(0)[0], 0x17)
  assert.equal(time(Date.UTC(2050, 0))[0], 0x18)
})

test('PEM lines have 64 characters', () => {
  assert.equal(toPem('X', Buffer.alloc(49)), `-----BEGIN X-----\n${'A'.repeat(64)}\nAA==\n-----END X-----\n`)
})
