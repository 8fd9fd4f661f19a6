import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '../ports/resolver.ts'
import { Inquiry, type InquiryOptions } from './dns.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { StillClock, ZoneDns } from './zone.test-kit.ts'

const ZONE = {
  'a.example': {
    TXT: ['one', 'two\x1b[2J'],
    A: ['192.0.2.1'],
    MX: [{ preference: 10, exchange: 'mx.example' }],
  },
  'null.example': { MX: [{ preference: 0, exchange: '' }] },
  'down.example': { down: true },
}

function inquiryOf(over: Partial<InquiryOptions> = {}): Inquiry {
  return new Inquiry({
    dns: new ZoneDns(ZONE, { '192.0.2.1': ['host.example'] }),
    clock: new StillClock(),
    part: 'SPF',
    client: '192.0.2.1',
    maxQuestions: 10,
    deadlineMs: 1_000,
    answers: new Map(),
    ...over,
  })
}

test('records come in the form that mailauth reads, and are remembered without control characters', async () => {
  const inquiry = inquiryOf()
  assert.deepEqual(await inquiry.ask('A.Example.', 'TXT'), [['one'], ['two\x1b[2J']])
  assert.deepEqual(await inquiry.ask('a.example', 'A'), ['192.0.2.1'])
  assert.deepEqual(await inquiry.ask('a.example', 'MX'), [{ exchange: 'mx.example', priority: 10 }])
  assert.deepEqual(await inquiry.ask('1.2.0.192.in-addr.arpa', 'PTR'), ['host.example'])
  assert.deepEqual(await inquiry.ask('null.example', 'MX'), [])
  assert.deepEqual(inquiry.seen, [
    { name: 'a.example', type: 'TXT', said: 'one | two\\x1b[2J' },
    { name: 'a.example', type: 'A', said: '192.0.2.1' },
    { name: 'a.example', type: 'MX', said: '10 mx.example' },
    { name: '1.2.0.192.in-addr.arpa', type: 'PTR', said: 'host.example' },
    { name: 'null.example', type: 'MX', said: '0 .' },
  ])
})

test('no name, no record and no answer are three things', async () => {
  const inquiry = inquiryOf()
  await assert.rejects(inquiry.ask('nowhere.example', 'TXT'), { code: 'ENOTFOUND' })
  await assert.rejects(inquiry.ask('a.example', 'AAAA'), { code: 'ENODATA' })
  await assert.rejects(inquiry.ask('down.example', 'TXT'), { code: 'ETEMPORARY' })
  await assert.rejects(inquiry.ask('a..example', 'TXT'), { code: 'ENOTFOUND' })
  await assert.rejects(inquiry.ask(`${'a'.repeat(64)}.example`, 'TXT'), { code: 'ENOTFOUND' })
  await assert.rejects(inquiry.ask('a.'.repeat(130), 'TXT'), { code: 'ENOTFOUND' })
  assert.deepEqual(
    inquiry.seen.map(({ said }) => said),
    ['no such name', 'no such record', 'failed: SERVFAIL'],
  )
})

test('the same question is put once, whoever asks; beyond the limit nothing is', async () => {
  const dns = new ZoneDns(ZONE)
  const answers = new Map()
  const one = inquiryOf({ dns, answers, maxQuestions: 3 })
  const other = inquiryOf({ dns, answers, maxQuestions: 3 })
  await Promise.all([one.ask('a.example', 'A'), one.ask('a.example', 'A'), other.ask('a.example', 'A')])
  assert.deepEqual(dns.asked, ['A a.example'])
  for (const name of ['b.example', 'c.example'])
    await assert.rejects(one.ask(name, 'A'), { code: 'ENOTFOUND' })
  await assert.rejects(one.ask('d.example', 'A'), { code: 'ELIMIT' })
  assert.equal(dns.asked.length, 3)
  assert.deepEqual(one.limits, ['SPF: more than 3 questions to the DNS; the others were not asked'])
  assert.deepEqual(other.limits, [])
})

test('a DNS that never answers ends with the time', async () => {
  const clock = new StillClock()
  const dns = new ZoneDns({})
  dns.txt = () => new Promise<Answer<string>>(() => {})
  const inquiry = inquiryOf({ clock, dns })
  const asked = inquiry.ask('a.example', 'TXT')
  clock.goOn(1_000)
  await assert.rejects(asked, { code: 'ELIMIT' })
  await assert.rejects(inquiry.ask('b.example', 'A'), { code: 'ELIMIT' })
  assert.deepEqual(dns.asked, [])
  assert.equal(clock.timers, 0)
  assert.deepEqual(inquiry.limits, ['SPF: the DNS did not answer in time; the rest was not asked'])
})

test('what is remembered is bounded', async () => {
  const zone = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`n${i}.example`, { TXT: ['x'.repeat(5_000)] }]),
  )
  const inquiry = inquiryOf({ dns: new ZoneDns(zone), maxQuestions: 100 })
  for (const name of Object.keys(zone)) await inquiry.ask(name, 'TXT')
  assert.equal(inquiry.seen.length, LIMITS.answersKept)
  for (const { said } of inquiry.seen) assert.ok(said.length <= LIMITS.answerChars + 1)
})

test("a resolver's own fault is not taken for an answer", async () => {
  const dns = new ZoneDns({})
  dns.a = () => Promise.reject(new Error('the thread is gone'))
  const inquiry = inquiryOf({ dns })
  await assert.rejects(inquiry.ask('a.example', 'A'), { code: 'ETEMPORARY' })
  assert.throws(() => inquiry.assertAnswered(), /the thread is gone/)
})
