import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Evidence } from '../mail/authentication.ts'
import type { Answer, MxRecord } from '../ports/resolver.ts'
import type { AuthDns } from './dns.ts'
import { evaluate } from './evaluate.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ed25519Key, evidenceOf, keyAt, signed } from './signed.test-kit.ts'
import { contentOf, FACTS, StillClock, ZoneDns } from './zone.test-kit.ts'

const KEY = ed25519Key()
const MESSAGE =
  'From: Ann <ann@sender.example>\r\nTo: bob@home.example\r\nSubject: x\r\nDate: Sat, 31 Oct 2026 10:00:00 +0000\r\n\r\nHello.\r\n'
const ZONE = {
  ...keyAt('sender.example', KEY),
  'sender.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  '_dmarc.sender.example': { TXT: ['v=DMARC1; p=reject; rua=mailto:d@sender.example'] },
}
const SIGNED = await signed(MESSAGE, { key: KEY, domain: 'sender.example' })

test('a genuine message: SPF, DKIM and DMARC pass, and the evidence holds what they stand on', async () => {
  const evidence = await evidenceOf(SIGNED, { zone: ZONE })
  assert.deepEqual(evidence.spf, {
    result: 'pass',
    domain: 'sender.example',
    identity: 'mailfrom',
    why: 'sender.example permits 192.0.2.1',
  })
  assert.equal(evidence.dkim[0]?.result, 'pass')
  assert.equal(evidence.dmarc.result, 'pass')
  assert.deepEqual(evidence.dmarc.aligned, { spf: 'sender.example', dkim: 'sender.example' })
  assert.equal(evidence.arc.result, 'none')
  assert.deepEqual(evidence.dns.map(({ name }) => name).sort(), [
    '_dmarc.example',
    '_dmarc.sender.example',
    's1._domainkey.sender.example',
    'sender.example',
  ])
  assert.deepEqual(evidence.limits, [])
})

test('a null reverse-path is checked by HELO; a literal there has no record (rfc7208 §2.3, §4.3)', async () => {
  const zone = {
    ...ZONE,
    'mx.sender.example': { TXT: ['v=spf1 a:mx.sender.example -all'], A: ['192.0.2.1'] },
  }
  const bounce = await evidenceOf(MESSAGE, { zone, facts: { reversePath: null } })
  assert.deepEqual(
    [bounce.spf.result, bounce.spf.identity, bounce.spf.domain],
    ['pass', 'helo', 'mx.sender.example'],
  )
  assert.equal(bounce.dmarc.aligned.spf, 'mx.sender.example')
  for (const helo of ['[192.0.2.1]', 'localhost', '', 'a b', 'x\0.example', '..', '[IPv6:::1]']) {
    const { spf } = await evidenceOf(MESSAGE, { zone, facts: { reversePath: null, helo } })
    assert.equal(spf.result, 'none', helo)
  }
})

test('SPF says which error it met: temporary or permanent (rfc7208 §2.6.6, §2.6.7)', async () => {
  const results = new Map<string, string>()
  const records: Readonly<Record<string, object>> = {
    down: { down: true },
    broken: { TXT: ['v=spf1 ip4:300.1.1.1 -all'] },
    double: { TXT: ['v=spf1 -all', 'v=spf1 +all'] },
    loop: { TXT: ['v=spf1 include:sender.example -all'] },
    soft: { TXT: ['v=spf1 ~all'] },
    neutral: { TXT: ['v=spf1 ?all'] },
    long: { TXT: [`v=spf1 ${'x=y '.repeat(3_000)}-all`] },
    none: {},
  }
  for (const [name, record] of Object.entries(records)) {
    const { spf } = await evidenceOf(MESSAGE, { zone: { 'sender.example': record } })
    assert.ok((spf.why ?? '').length > 0)
    results.set(name, spf.result)
  }
  assert.deepEqual(Object.fromEntries(results), {
    down: 'temperror',
    broken: 'permerror',
    double: 'permerror',
    loop: 'permerror',
    soft: 'softfail',
    neutral: 'neutral',
    long: 'permerror',
    none: 'none',
  })
})

test('a bounce domain with an underscore has its record, macros and all', async () => {
  const domain = '_b.b_x.sender.example'
  const zone = {
    [domain]: { TXT: ['v=spf1 exists:%{d}.list.example include:%{d2r}.example -all'] },
    [`${domain}.list.example`]: { A: ['127.0.0.2'] },
  }
  const facts = { reversePath: { local: 'a', domain } }
  const { spf, dns } = await evidenceOf(MESSAGE, { zone, facts })
  assert.deepEqual([spf.result, spf.domain, spf.why], ['pass', domain, `${domain} permits 192.0.2.1`])
  assert.deepEqual(
    dns.slice(0, 2).map(({ name }) => name),
    [domain, `${domain}.list.example`],
  )
  const helo = await evidenceOf(MESSAGE, { zone, facts: { reversePath: null, helo: domain } })
  assert.deepEqual([helo.spf.result, helo.spf.identity], ['pass', 'helo'])
})

test('a hyphen is a delimiter of macros wherever it stands (rfc7208 §7.1)', async () => {
  const facts = { reversePath: { local: 'one-two+three', domain: 'sender.example' } }
  for (const delimiters of ['-', '.-+', '+-/', '-+', '=-.']) {
    const zone = {
      'sender.example': { TXT: [`v=spf1 exists:%{l1${delimiters}}.list.example -all`] },
      'one.list.example': { A: ['127.0.0.2'] },
      'three.list.example': { A: ['127.0.0.2'] },
      'two+three.list.example': { A: ['127.0.0.2'] },
    }
    const { spf, dns } = await evidenceOf(MESSAGE, { zone, facts })
    assert.equal(spf.result, 'pass', `${delimiters}: ${spf.why}`)
    assert.ok(dns.some(({ said }) => said.includes(`%{l1${delimiters}}`)))
  }
})

test('an SPF record that floods with macros and names ends within its questions', async () => {
  const terms = Array.from({ length: 10 }, (_, i) => `mx:m${i}.evil.example`).join(' ')
  const zone: Record<string, object> = { 'sender.example': { TXT: [`v=spf1 ${terms} -all`] } }
  for (let i = 0; i < 10; i++) {
    zone[`m${i}.evil.example`] = {
      MX: Array.from({ length: 10 }, (_, j) => ({ preference: j, exchange: `x${i}-${j}.evil.example` })),
    }
    for (let j = 0; j < 10; j++) zone[`x${i}-${j}.evil.example`] = { A: ['198.51.100.1'] }
  }
  const dns = new ZoneDns(zone)
  const evidence = await evaluate(contentOf(Buffer.from(MESSAGE)), FACTS, { dns, clock: new StillClock() })
  assert.equal(evidence.spf.result, 'fail')
  assert.ok(dns.asked.length <= LIMITS.spfQuestions + 20, `${dns.asked.length} questions`)
  assert.deepEqual(evidence.limits, [])
  assert.ok(evidence.dns.length <= 2 * LIMITS.answersKept)
})

test('dead resolvers end in temporary results within the time', async () => {
  const clock = new StillClock()
  const never = (): Promise<never> => new Promise(() => {})
  const dns: AuthDns = { a: never, aaaa: never, txt: never, mx: never, ptr: never, cname: never }
  const evaluated = evaluate(contentOf(Buffer.from(SIGNED)), FACTS, { dns, clock })
  let evidence: Evidence | undefined
  void evaluated.then((found) => {
    evidence = found
  })
  for (let i = 0; i < 100 && evidence === undefined; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.goOn(1_000)
  }
  assert.ok(clock.monotonic() <= LIMITS.keyMs + LIMITS.policyMs + 2_000)
  assert.equal(evidence?.spf.result, 'temperror')
  assert.equal(evidence.dkim[0]?.result, 'temperror')
  assert.equal(evidence.dmarc.result, 'temperror')
  assert.match(evidence.limits.join(), /SPF: the DNS did not answer in time/)
  assert.equal(clock.timers, 0)
})

test('content that cannot be read and a resolver that throws are told, not judged', async () => {
  const broken = {
    sizeBytes: 1,
    async *pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('From: ann')
      throw new Error('the disk is gone')
    },
  }
  const tools = { dns: new ZoneDns({}), clock: new StillClock() }
  await assert.rejects(evaluate(broken, FACTS, tools), /the disk is gone/)
  tools.dns.txt = () => Promise.reject(new Error('the thread is gone'))
  await assert.rejects(evaluate(contentOf(Buffer.from(MESSAGE)), FACTS, tools), /the thread is gone/)
})

const anything = fc.string({ unit: 'binary', maxLength: 60 })
const record = fc.oneof(
  anything,
  fc
    .constantFrom('v=spf1 ', 'v=DMARC1; p=', 'v=DKIM1; p=', 'v=spf1 include:%{l}.%{d} exists:%{ir}.x -all')
    .chain((start) => anything.map((rest) => start + rest)),
  fc.constantFrom(KEY.record, 'v=DMARC1; p=reject; __proto__=1', 'v=spf1 redirect=sender.example'),
)
const answer = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<Answer<T>> =>
  fc.oneof(
    fc.constant({ kind: 'no-name' } as const),
    fc.constant({ kind: 'no-data' } as const),
    fc.constant({ kind: 'temporary', cause: 'x' } as const),
    fc
      .array(one, { maxLength: 4 })
      .map((records) => ({ kind: 'found', records, ttlSeconds: 1, authenticated: false }) as const),
  )

test('property: mutated messages and random answers always end in evidence', async () => {
  const mutation = fc.record({ at: fc.nat(SIGNED.length), gone: fc.nat(20), text: anything })
  await fc.assert(
    fc.asyncProperty(
      fc.array(mutation, { maxLength: 4 }),
      fc.array(answer(record), { minLength: 1, maxLength: 6 }),
      fc.array(answer(fc.constantFrom('192.0.2.1', '198.51.100.1', '2001:db8::1', 'x')), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.record({
        helo: anything,
        local: anything,
        client: fc.constantFrom('192.0.2.1', '2001:db8::1', '::1', 'x'),
      }),
      async (mutations, texts, addresses, { helo, local, client }) => {
        let message = SIGNED
        for (const { at, gone, text } of mutations)
          message = message.slice(0, at) + text + message.slice(at + gone)
        const evidence = await evaluate(
          contentOf(Buffer.from(message), [7, 100]),
          { ...FACTS, helo, client, reversePath: local === '' ? null : { local, domain: 'sender.example' } },
          { dns: randomDns(texts, addresses), clock: new StillClock() },
        )
        assert.ok(evidence.dns.length <= 2 * LIMITS.answersKept)
        if (evidence.dmarc.result === 'pass') assert.notEqual(evidence.dmarc.domain, '')
        assert.deepEqual(structuredClone(evidence), evidence)
      },
    ),
    { numRuns: 600 },
  )
})

test('property: octets that are no message at all end in evidence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
      const evidence = await evidenceOf(octets, { zone: ZONE })
      assert.notEqual(evidence.dkim[0]?.result, 'pass')
    }),
    { numRuns: 300 },
  )
})

function randomDns(texts: readonly Answer<string>[], addresses: readonly Answer<string>[]): AuthDns {
  let at = 0
  const next = <T>(from: readonly Answer<T>[]): Promise<Answer<T>> =>
    Promise.resolve(from[at++ % from.length] ?? { kind: 'no-name' })
  const mx: readonly Answer<MxRecord>[] = [
    {
      kind: 'found',
      records: [{ preference: 1, exchange: 'mx.sender.example' }],
      ttlSeconds: 1,
      authenticated: false,
    },
    { kind: 'no-name' },
  ]
  return {
    a: () => next(addresses),
    aaaa: () => next(addresses),
    ptr: () => next(texts),
    cname: () => next(texts),
    txt: () => next(texts),
    mx: () => next(mx),
  }
}
