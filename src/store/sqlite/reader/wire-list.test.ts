import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageScanner } from '../../../mime/scanner.ts'
import { isWireList } from './wire-list.ts'

const of = (text: string): Uint8Array => Buffer.from(text, 'latin1')

test('what we write is a list; cut at every byte it is none', () => {
  const scanner = new MessageScanner()
  const message =
    'From: "a\\"b" <a@b.test>\r\nSubject: caf\xe9 (\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x--\r\n'
  scanner.push(of(message))
  const { body, bodyStructure, envelope } = scanner.end(new Uint8Array(0))
  for (const wire of [envelope, body, bodyStructure]) {
    assert(isWireList(wire), Buffer.from(wire).toString('latin1'))
    for (let end = 0; end < wire.length; end++) assert(!isWireList(wire.subarray(0, end)), `cut at ${end}`)
  }
})

test('quotes, literals and lists must end, and nothing may stand behind them', () => {
  for (const [text, is] of [
    ['()', true],
    ['("a" NIL 5 {3}\r\n(") "\\"")', true],
    ['("a\r\n")', false],
    ['({9}\r\nabc)', false],
    ['({3}abc)', false],
    ['({}\r\n)', false],
    ['({99999999999}\r\n)', false],
    ['() ()', false],
    ['("a)', false],
    ['(\x01)', false],
    ['(é)', false],
    ['a', false],
    ['', false],
  ] as const)
    assert.equal(isWireList(of(text)), is, text)
})
