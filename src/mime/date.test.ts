import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, parseDate } from './date.ts'

test('dates of rfc5322 and its obsolete forms', () => {
  const ms = Date.UTC(2003, 6, 1, 8, 52, 37)
  const cases: readonly (readonly [string, string[]])[] = [
    ['Tue, 1 Jul 2003 10:52:37 +0200', []],
    ['1 Jul 2003 10:52:37 +0200 (CEST)', []],
    [' Tue,  01   Jul\t2003 (a (nested) comment) 10:52:37 +0200', []],
    ['Tue, 1 Jul 03 08:52:37 GMT', ['date-short-year', 'date-obsolete-zone']],
    ['Tue, 1 Jul 103 04:52:37 EDT', ['date-short-year', 'date-obsolete-zone']],
    ['Tue, 1 Jul 2003 08:52:37 Z', ['date-zone-name']],
    ['Tue, 1 Jul 2003 08:52:37 K', ['date-obsolete-zone']],
    ['Tue, 1 Jul 2003 17:52:37 JST', ['date-zone-name']],
    ['Tuesday, 1 July 2003 08:52:37 +00:00', ['date-day-name', 'date-month-name', 'date-zone-form']],
    ['Tue Jul  1 08:52:37 2003', ['date-without-zone']],
    ['2003-07-01T08:52:37Z', ['date-iso-form', 'date-zone-name']],
    ['2003-07-01 10:52:37.123+0200', ['date-iso-form', 'date-clock']],
    ['1-Jul-2003 10:52:37 +0200', ['date-hyphens']],
    ['Tue, 1 Jul 2003 08.52.37 -0000', ['date-clock']],
    ['Tue, 1 Jul 2003 08:52:37 am GMT+0000', ['date-12-hours', 'date-zone-form']],
  ]
  for (const [text, tags] of cases) {
    const date = parseDate(text)
    assert.equal(date?.ms, ms, text)
    assert.deepEqual(date?.leniencies, tags, text)
  }
})

test('the day is the one that was written', () => {
  assert.equal(parseDate('Tue, 1 Jul 2003 00:10:00 +0900')?.day, '2003-07-01')
  assert.equal(parseDate('1 Jul 2003')?.day, '2003-07-01')
  assert.equal(parseDate('Sat, 31 Dec 2016 23:59:60 +0000')?.day, '2016-12-31')
})

test('what is no date is none', () => {
  for (const text of [
    '',
    'Whenever',
    '32 Jul 2003 10:00:00 +0000',
    '30 Feb 2003 10:00:00 +0000',
    '1 Jul 2003 25:00:00 +0000',
    '1 Jul 2003 10:61:00 +0000',
    '0 Jul 2003 10:00:00 +0000',
    '1 Xxx 2003 10:00:00 +0000',
    `1 Jul 2003 10:00:00 +0000${' '.repeat(1000)}`,
  ])
    assert.equal(parseDate(text), undefined, text)
})

test('round trip: a date that is written is read', () => {
  const moment = fc.integer({ min: Date.UTC(100, 1), max: Date.UTC(9999, 11) })
  fc.assert(
    fc.property(moment, fc.integer({ min: -1439, max: 1439 }), (ms, zone) => {
      const whole = Math.floor(ms / 1000) * 1000
      assert.deepEqual(parseDate(formatDate(whole, zone)), {
        ms: whole,
        day: new Date(whole + zone * 60_000).toISOString().slice(0, 10),
        zoneMinutes: zone,
        leniencies: [],
      })
    }),
  )
})

test('white space and comments around the colons of a time (rfc5322 §4.3 and its Appendix A.6.3)', () => {
  assert.equal(
    parseDate('Fri, 21 Nov 1997 09(comment):   55  :  06 -0600')?.ms,
    Date.parse('1997-11-21T09:55:06-06:00'),
  )
})

test('cut at every byte: reading never fails', () => {
  const text = 'Tue, 01 Jul 2003 (a (b) c) 10:52:37 +0200 (CEST)'
  for (let cut = 0; cut <= text.length; cut++) {
    parseDate(text.slice(0, cut))
    assert.ok(parseDate(text.slice(0, cut)) === undefined || cut >= '1 Jul 2003'.length)
  }
})

test('forms are as the RFCs have them', () => {
  assert.equal(formatDate(0, 540), 'Thu, 1 Jan 1970 09:00:00 +0900')
  assert.equal(formatDate(0, -90), 'Wed, 31 Dec 1969 22:30:00 -0130')
})
