import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageScanner } from './scanner.ts'

function envelope(...fields: string[]): string {
  const scanner = new MessageScanner()
  scanner.push(Buffer.from(`${fields.join('\r\n')}\r\n\r\n`, 'latin1'))
  return Buffer.from(scanner.end(new Uint8Array()).envelope).toString('latin1')
}

const FROM = '((NIL NIL "a" "b.test"))'

test('an empty header gives NIL throughout', () => {
  assert.equal(envelope('X: y'), '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)')
})

test('Sender and Reply-To are From where they are absent or empty', () => {
  assert.equal(
    envelope('From: a@b.test', 'Reply-To:'),
    `(NIL NIL ${FROM} ${FROM} ${FROM} NIL NIL NIL NIL NIL)`,
  )
  assert.equal(
    envelope('From: a@b.test', 'Sender: s@b.test', 'Reply-To: r@b.test'),
    `(NIL NIL ${FROM} ((NIL NIL "s" "b.test")) ((NIL NIL "r" "b.test")) NIL NIL NIL NIL NIL)`,
  )
})

test('text fields stand as written, on one line', () => {
  assert.equal(
    envelope(
      'Date: Tue, 1 Jul 2003',
      'Subject: =?utf-8?q?a?=\r\n b',
      'Message-ID: <1@x>',
      'In-Reply-To: <0@x>',
    ),
    '("Tue, 1 Jul 2003" "=?utf-8?q?a?= b" NIL NIL NIL NIL NIL NIL "<0@x>" "<1@x>")',
  )
  assert.equal(envelope('Subject:'), '(NIL "" NIL NIL NIL NIL NIL NIL NIL NIL)')
})

test('what a quoted string cannot hold becomes a literal, and NUL goes', () => {
  assert.equal(envelope('Subject: say "\\"'), '(NIL "say \\"\\\\\\"" NIL NIL NIL NIL NIL NIL NIL NIL)')
  assert.equal(envelope('Subject: caf\u00e9'), '(NIL {4}\r\ncaf\u00e9 NIL NIL NIL NIL NIL NIL NIL NIL)')
  assert.equal(envelope('Subject: a\rb\0c'), '(NIL "abc" NIL NIL NIL NIL NIL NIL NIL NIL)')
})

test('groups have their markers, and a missing half is never NIL', () => {
  assert.equal(
    envelope('To: G: a@b.test;, "N" <@r:c@d>, root', 'Cc: Undisclosed:;'),
    '(NIL NIL NIL NIL NIL ((NIL NIL "G" NIL)(NIL NIL "a" "b.test")(NIL NIL NIL NIL)("N" "@r" "c" "d")(NIL NIL "root" "MISSING_DOMAIN"))' +
      ' ((NIL NIL "Undisclosed" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)',
  )
})

test('of several From fields the first counts, destination fields are joined', () => {
  assert.equal(
    envelope('From: a@b.test', 'From: x@y.test', 'To: a@b.test', 'To: a@b.test'),
    `(NIL NIL ${FROM} ${FROM} ${FROM} ((NIL NIL "a" "b.test")(NIL NIL "a" "b.test")) NIL NIL NIL NIL)`,
  )
})
