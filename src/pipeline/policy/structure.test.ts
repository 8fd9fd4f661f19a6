import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReply } from '../../mail/reply.ts'
import { readHeader } from '../header-checks.ts'
import { headerFacts } from './header-facts.ts'
import { structureFault } from './structure.ts'

const FROM = 'From: a@bigmail.test\r\n'
const DATE = 'Date: Tue, 24 Nov 2026 06:00:00 +0900\r\n'
const SETTINGS = { requiredHeaders: true, multiValueFrom: 'refuse' } as const

function answer(fields: string, settings: Partial<Parameters<typeof structureFault>[2]> = {}): string {
  const block = Buffer.from(`${fields}\r\n`)
  const fault = structureFault(block, readHeader(block), { ...SETTINGS, ...settings })
  return fault === undefined ? 'taken' : formatReply(fault.reply)
}

const ROWS: readonly (readonly [string, string, RegExp])[] = [
  ['B05 raw UTF-8 stays', `${FROM}${DATE}Subject: テスト\r\n`, /^taken$/],
  [
    'B20 two From',
    `${FROM}From: b@bigmail.test\r\n${DATE}`,
    /^554 5\.6\.0 2 From fields; RFC 5322 section 3\.6 allows one$/,
  ],
  [
    'B21 two domains',
    `From: a@bigmail.test, b@strict.test\r\n${DATE}`,
    /^554 5\.7\.1 .*bigmail\.test, strict\.test/,
  ],
  ['B22 two authors of one domain', `From: a@bigmail.test, b@bigmail.test\r\n${DATE}`, /^taken$/],
  ['B23 empty From', `From:\r\n${DATE}`, /^554 5\.6\.0 The From field is empty/],
  ['B24 From without a domain', `From: pokemon\r\n${DATE}`, /^554 5\.6\.0 The From field .*RFC 5322/],
  ['B25 no Date', FROM, /^554 5\.6\.0 No Date field; RFC 5322 section 3\.6 asks for one$/],
  ['B26 no From', DATE, /^554 5\.6\.0 No From field; RFC 5322 section 3\.6 asks for one$/],
  ['B27 no Message-ID and To', `${FROM}${DATE}Subject: x\r\n`, /^taken$/],
  ['B28 two Subject', `${FROM}${DATE}Subject: x\r\nsubject : y\r\n`, /^554 5\.6\.0 2 Subject fields/],
  ['B29 two Date', `${FROM}${DATE}${DATE}`, /^554 5\.6\.0 2 Date fields/],
  ['two To', `${FROM}${DATE}To: a@x.test\r\nTo: b@x.test\r\n`, /^554 5\.6\.0 2 To fields/],
  [
    'two Received and Comments are free',
    `Received: x\r\nReceived: y\r\nComments: a\r\nComments: b\r\n${FROM}${DATE}`,
    /^taken$/,
  ],
  [
    'a header without end',
    `${FROM}${DATE}${'X: y\r\n'.repeat(2_000)}`,
    /^554 5\.6\.0 The header has 2000 fields or more/,
  ],
]
for (const [row, fields, want] of ROWS)
  test(`${row}: ${want.source}`, () => assert.match(answer(fields), want))

test('RequiredHeaders off: counts are forgiven, an unclear author is not', () => {
  const off = { requiredHeaders: false }
  assert.equal(answer(FROM, off), 'taken')
  assert.equal(answer(DATE, off), 'taken')
  assert.equal(answer(`${FROM}${DATE}Subject: x\r\nSubject: y\r\n`, off), 'taken')
  assert.match(answer(`${FROM}From: b@bigmail.test\r\n`, off), /^554 5\.6\.0 2 From fields/)
  assert.match(answer('From: pokemon\r\n', off), /^554 5\.6\.0 The From field/)
})

test('RejectMultiValueFrom off', () => {
  assert.equal(answer(`From: a@bigmail.test, b@strict.test\r\n${DATE}`, { multiValueFrom: 'allow' }), 'taken')
})

const facts = (fields: string) => headerFacts(readHeader(Buffer.from(`${fields}\r\n`)))

test('attack 34a: a List-Id is the one between brackets, lower case; two say nothing', () => {
  assert.equal(
    facts('List-Id: FreeBSD users <freebsd-users.BSDlist.test>\r\n').listId,
    'freebsd-users.bsdlist.test',
  )
  assert.equal(facts('List-Id: <a.test>\r\nList-ID: <b.test>\r\n').listId, undefined)
  assert.equal(facts('List-Id: <a.test> <b.test>\r\n').listId, undefined)
  assert.equal(facts('List-Id: a.test\r\n').listId, undefined)
  assert.deepEqual(facts('List-Id: a.test\r\nPrecedence: list\r\n').listFields, ['List-Id', 'Precedence'])
  assert.deepEqual(facts('Precedence: bulk\r\nSubject: list\r\n'), {
    listId: undefined,
    listFields: [],
    hasArc: false,
  })
  assert.ok(facts('ARC-Seal: i=1; a=x\r\n').hasArc)
})
