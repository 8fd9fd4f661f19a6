import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  INBOX,
  isBelow,
  MAX_COMPONENT_OCTETS,
  MAX_DEPTH,
  type MailboxName,
  mailboxAncestors,
  parentMailbox,
  parseMailboxName,
  parseNewMailboxName,
} from './mailbox-name.ts'

test('INBOX in any case is one mailbox, at the top only', () => {
  assert.equal(parseMailboxName('inbox'), INBOX)
  assert.equal(parseMailboxName('InBoX/Work'), 'INBOX/Work')
  assert.equal(parseMailboxName('inboxes'), 'inboxes')
  assert.equal(parseMailboxName('ınbox'), 'ınbox')
  assert.equal(parseMailboxName('Work/inbox'), 'Work/inbox')
})

test('attack 32d: composed and decomposed letters are one name', () => {
  assert.equal(parseMailboxName('e\u0301te\u0301'), 'été')
  assert.equal(parseMailboxName('か\u3099'), 'が')
})

test('attack 27a: names that lead elsewhere or break a line are refused', () => {
  const wrong = [
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/.',
    'a\0b',
    'a\r\nb',
    'a\u0085b',
  ]
  for (const name of [
    ...wrong,
    'a%',
    '*',
    '#news',
    '\ud800',
    'a\uffffb',
    'a\u2028b',
    'x'.repeat(MAX_COMPONENT_OCTETS + 1),
  ])
    assert.equal(parseMailboxName(name), undefined, JSON.stringify(name))
  assert.equal(
    parseMailboxName(
      Array(MAX_DEPTH + 1)
        .fill('a')
        .join('/'),
    ),
    undefined,
  )
  assert.ok(parseMailboxName(Array(MAX_DEPTH).fill('a').join('/')))
  assert.equal(parseMailboxName(Array(5).fill('x'.repeat(MAX_COMPONENT_OCTETS)).join('/')), undefined)
  assert.equal(parseMailboxName('日'.repeat(86)), undefined)
})

test('CREATE may end with one separator (rfc3501 §6.3.3)', () => {
  assert.equal(parseNewMailboxName('a/b/'), 'a/b')
  assert.equal(parseNewMailboxName('a//'), undefined)
  assert.equal(parseNewMailboxName('/'), undefined)
})

test('the tree', () => {
  const name = 'a/b/c' as MailboxName
  assert.equal(parentMailbox(name), 'a/b')
  assert.equal(parentMailbox(INBOX), undefined)
  assert.deepEqual(mailboxAncestors(name), ['a', 'a/b'])
  assert.ok(isBelow(name, 'a' as MailboxName))
  assert.ok(!isBelow('ab' as MailboxName, 'a' as MailboxName))
  assert.ok(!isBelow(name, name))
})
