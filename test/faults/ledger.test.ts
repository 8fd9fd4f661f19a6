import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountLedger, compare, type Mailboxes, moved } from './ledger.ts'
import { letterId, letterOf, readLetter, stuffed } from './letter.ts'

const inbox = (...ids: string[]): Mailboxes => new Map([['INBOX', ids.map((id) => ({ id, flags: '' }))]])

test('an acknowledged letter must be there once; an unanswered one may be', () => {
  const ledger = new AccountLedger('a')
  for (const id of ['known', 'open']) ledger.sent(id)
  ledger.delivered('known')
  const settled = (actual: Mailboxes) => {
    const fresh = new AccountLedger('a')
    for (const id of ['known', 'open']) fresh.sent(id)
    fresh.delivered('known')
    return fresh.settle(actual)
  }
  assert.deepEqual(settled(inbox('known')), [])
  assert.deepEqual(settled(inbox('open', 'known')), [])
  assert.deepEqual(settled(inbox('open')), ['a INBOX: known is missing'])
  assert.deepEqual(settled(inbox('known', 'known')), ['a INBOX: known is there 1 times more'])
  assert.deepEqual(settled(inbox('known', 'open', 'open')), ['a INBOX: open is there 2 times more'])
  assert.deepEqual(settled(inbox('known', 'ghost')), ['a INBOX: ghost must not be there'])
})

test('what a mailbox was seen to hold must stay, though nobody answered for it', () => {
  const ledger = new AccountLedger('a')
  ledger.sent('open')
  assert.deepEqual(ledger.seen([{ id: 'open', flags: '' }]), [])
  assert.deepEqual(ledger.seen([{ id: 'ghost', flags: '' }]).length, 1)
  ledger.delivered('open')
  assert.deepEqual(ledger.settle(inbox()), ['a INBOX: open is missing'])
})

test('an unanswered move is done whole or not at all', () => {
  const start: Mailboxes = new Map([...inbox('one', 'two'), ['Kept', []]])
  const settled = (actual: Mailboxes) => {
    const ledger = new AccountLedger('a')
    ledger.adopt(['INBOX', 'Kept'])
    ledger.mailboxes = start
    ledger.begin(moved('INBOX', new Set(['one', 'two']), 'Kept'))
    return ledger.settle(actual)
  }
  const after: Mailboxes = new Map([...inbox(), ['Kept', inbox('one', 'two').get('INBOX') ?? []]])
  assert.deepEqual(settled(start), [])
  assert.deepEqual(settled(after), [])
  const half: Mailboxes = new Map([...inbox('one'), ['Kept', inbox('two').get('INBOX') ?? []]])
  assert.match(settled(half).join('\n'), /neither before nor after: MOVE one,two/)
  const both: Mailboxes = new Map([...start, ['Kept', inbox('one', 'two').get('INBOX') ?? []]])
  assert.match(settled(both).join('\n'), /neither/)
  assert.match(settled(new Map([...inbox(), ['Kept', []]])).join('\n'), /is missing/)
})

test('flags and mailboxes count, too', () => {
  const seen: Mailboxes = new Map([['INBOX', [{ id: 'one', flags: '\\Seen' }]]])
  assert.deepEqual(compare('a', inbox('one'), seen), ['a INBOX: one has the flags (\\Seen), not ()'])
  assert.deepEqual(compare('a', inbox(), new Map()), ['a INBOX: this mailbox is missing'])
  assert.deepEqual(compare('a', new Map(), inbox()), ['a INBOX: this mailbox must not be there'])
})

test('a letter is known by its octets, behind the fields of a server', () => {
  const id = letterId('k1-2', 3000, 'anna')
  const octets = letterOf(id)
  assert.equal(octets.length, 3000)
  assert.deepEqual(readLetter(octets), { kind: 'letter', id })
  const front = Buffer.from('Return-Path: <x@y.test>\r\nReceived: from z\r\n\tby q; now\r\n')
  assert.deepEqual(readLetter(Buffer.concat([front, octets])), { kind: 'letter', id })
  for (const cut of [octets.subarray(0, 2999), Buffer.concat([octets, Buffer.from('x')])])
    assert.equal(readLetter(cut).kind, 'broken')
  const changed = Buffer.from(octets)
  changed[2000] = (changed[2000] ?? 0) ^ 1
  assert.match(JSON.stringify(readLetter(changed)), /from octet 2000/)
  assert.equal(readLetter(Buffer.concat([Buffer.from('no field\r\n'), octets])).kind, 'broken')
})

test('a letter on the wire has its dots doubled', () => {
  const sent = stuffed(letterOf(letterId('t', 20_000))).toString('latin1')
  assert.doesNotMatch(sent, /^\.[^.]/m)
  assert.equal(sent.replace(/^\./gm, ''), letterOf(letterId('t', 20_000)).toString('latin1'))
})
