import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDay, formatInternalDate, parseDay, parseInternalDate } from './date.ts'

test('date-time as in rfc3501 §6.3.11', () => {
  assert.deepEqual(parseInternalDate('17-Jul-1996 02:44:25 -0700'), {
    ms: 837_596_665_000,
    zoneMinutes: -420,
  })
  assert.equal(formatInternalDate({ ms: 837_596_665_000, zoneMinutes: -420 }), '17-Jul-1996 02:44:25 -0700')
  assert.equal(formatInternalDate({ ms: 0, zoneMinutes: 540 }), ' 1-Jan-1970 09:00:00 +0900')
  assert.deepEqual(parseInternalDate(' 1-jan-1970 09:00:00 +0900'), { ms: 0, zoneMinutes: 540 })
  assert.deepEqual(parseInternalDate('31-Dec-2016 23:59:60 +0000'), { ms: 1_483_228_799_000, zoneMinutes: 0 })
})

test('what is no date-time', () => {
  const wrong = ['', '1-Jan-1970 09:00:00 +0900', '31-Feb-2020 00:00:00 +0000', '29-Feb-2023 00:00:00 +0000']
  const worse = ['01-Jan-1970 24:00:00 +0000', '01-Jan-1970 00:60:00 +0000', '01-Jan-1970 00:00:61 +0000']
  const zones = ['01-Jan-1970 00:00:00 +2400', '01-Jan-1970 00:00:00 +0060', '01-Jan-1970 00:00:00 GMT']
  for (const text of [
    ...wrong,
    ...worse,
    ...zones,
    '01-Foo-1970 00:00:00 +0000',
    '00-Jan-1970 00:00:00 +0000',
  ])
    assert.equal(parseInternalDate(text), undefined, text)
})

test('round trip of dates, the years 0 to 9999', () => {
  const ms = fc.integer({ min: -62_166_000_000, max: 253_402_200_000 }).map((seconds) => seconds * 1000)
  fc.assert(
    fc.property(ms, fc.integer({ min: -1439, max: 1439 }), (at, zoneMinutes) => {
      assert.deepEqual(parseInternalDate(formatInternalDate({ ms: at, zoneMinutes })), {
        ms: at,
        zoneMinutes,
      })
    }),
  )
})

test('a date beyond what the wire holds is the nearest one that it holds', () => {
  assert.equal(formatInternalDate({ ms: 9e15, zoneMinutes: 0 }), '31-Dec-9999 23:59:59 +0000')
  assert.equal(formatInternalDate({ ms: -9e15, zoneMinutes: 60 }), ' 1-Jan-0000 00:00:00 +0100')
})

test('days of SEARCH', () => {
  assert.deepEqual(parseDay('1-Feb-1994'), { year: 1994, month: 2, day: 1 })
  assert.deepEqual(parseDay('29-FEB-2000'), { year: 2000, month: 2, day: 29 })
  assert.equal(formatDay({ year: 1994, month: 2, day: 1 }), '1-Feb-1994')
  for (const text of ['29-Feb-1900', '0-Feb-2000', '31-Apr-2000', '1-Feb-94', '1-2-1994'])
    assert.equal(parseDay(text), undefined, text)
})
