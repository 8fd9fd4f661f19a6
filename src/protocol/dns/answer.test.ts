import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dns from 'dns-packet'
import fc from 'fast-check'
import { readAnswer } from './answer.ts'
import {
  askableName,
  type DnsQuestion,
  encodeQuery,
  type QueryType,
  randomCase,
  reverseName,
} from './query.ts'

const SOA: dns.Answer = {
  type: 'SOA',
  name: 'example.test',
  ttl: 900,
  data: {
    mname: 'ns.example.test',
    rname: 'h.example.test',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 60,
  },
}

function ask<T extends QueryType>(type: T, name = 'example.test'): DnsQuestion & { readonly type: T } {
  return { id: 4711, name, type }
}

function message(
  question: DnsQuestion,
  of: { answers?: dns.Answer[]; authorities?: dns.Answer[]; flags?: number; id?: number; name?: string },
): Buffer {
  return dns.encode({
    type: 'response',
    id: of.id ?? question.id,
    flags: of.flags ?? 0x0180,
    questions: [{ type: question.type, name: of.name ?? question.name, class: 'IN' }],
    answers: of.answers ?? [],
    authorities: of.authorities ?? [],
  })
}

const mx = (preference: number, exchange: string, ttl = 300): dns.Answer => ({
  type: 'MX',
  name: 'example.test',
  ttl,
  data: { preference, exchange },
})

test('records of each type, with the smallest TTL and the AD bit', () => {
  assert.deepEqual(
    readAnswer(message(ask('MX'), { answers: [mx(10, 'MX1.Example.test'), mx(0, '.', 60)] }), ask('MX')),
    {
      kind: 'records',
      records: [
        { preference: 10, exchange: 'mx1.example.test' },
        { preference: 0, exchange: '' },
      ],
      ttlSeconds: 60,
      authenticated: false,
    },
  )
  const of = (type: 'A' | 'AAAA' | 'PTR', data: string) => {
    const answer = readAnswer(
      message(ask(type), { flags: 0x01a0, answers: [{ type, name: 'EXAMPLE.test', ttl: 5, data }] }),
      ask(type),
    )
    assert.ok(answer.kind === 'records' && answer.authenticated)
    return answer.records
  }
  assert.deepEqual(of('A', '192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(of('AAAA', '2001:db8:0:0::1'), ['2001:db8::1'])
  assert.deepEqual(of('PTR', 'Host.example.test'), ['host.example.test'])
  const txt = message(ask('TXT'), {
    answers: [{ type: 'TXT', name: 'example.test', ttl: 5, data: ['v=spf1 ', Buffer.from([0xe9]), '-all'] }],
  })
  const answer = readAnswer(txt, ask('TXT'))
  assert.ok(answer.kind === 'records')
  assert.deepEqual(answer.records, ['v=spf1 \u00e9-all'])
})

test('nothing there: NXDOMAIN, NODATA, and how long that may be kept', () => {
  const read = (of: Parameters<typeof message>[1]) => readAnswer(message(ask('A'), of), ask('A'))
  assert.deepEqual(read({ flags: 0x0183, authorities: [SOA] }), { kind: 'no-name', ttlSeconds: 60 })
  assert.deepEqual(read({ flags: 0x0183 }), { kind: 'no-name', ttlSeconds: 0 })
  assert.deepEqual(read({ authorities: [SOA] }), { kind: 'no-data', ttlSeconds: 60 })
  assert.deepEqual(read({ answers: [mx(1, 'a.test')] }), { kind: 'no-data', ttlSeconds: 0 })
})

test('failures are not "nothing there": SERVFAIL, REFUSED, FORMERR, a referral, truncation', () => {
  const read = (flags: number, authorities: dns.Answer[] = []) =>
    readAnswer(message(ask('A'), { flags, authorities }), ask('A'))
  assert.deepEqual(read(0x0182), { kind: 'failure', cause: 'SERVFAIL' })
  assert.deepEqual(read(0x0185), { kind: 'failure', cause: 'REFUSED' })
  assert.deepEqual(read(0x0181), { kind: 'format-error' })
  assert.equal(read(0x0000, [{ type: 'NS', name: 'test', ttl: 5, data: 'ns.test' }]).kind, 'failure')
  assert.deepEqual(read(0x0380), { kind: 'truncated' })
})

test('attack 21e: a lie is stray: wrong id, name, type, letter case, a query instead of a response', () => {
  const good = message(ask('A'), {})
  assert.equal(readAnswer(good, { ...ask('A'), id: 4712 }).kind, 'stray')
  assert.equal(readAnswer(good, ask('A', 'example.tesu')).kind, 'stray')
  assert.equal(readAnswer(good, ask('AAAA')).kind, 'stray')
  assert.equal(readAnswer(good, ask('A', 'eXample.test')).kind, 'stray')
  assert.equal(readAnswer(encodeQuery(ask('A'), 1232), ask('A')).kind, 'stray')
  assert.equal(readAnswer(new Uint8Array(11), ask('A')).kind, 'stray')
  const flipped = ask('A', 'ExAmPlE.tEsT')
  const answers: dns.Answer[] = [{ type: 'A', name: 'example.test', ttl: 1, data: '192.0.2.1' }]
  assert.equal(readAnswer(message(flipped, { answers }), flipped).kind, 'records')
})

test('records for other names do not count', () => {
  const other: dns.Answer = { type: 'A', name: 'bank.test', ttl: 5, data: '192.0.2.66' }
  assert.equal(readAnswer(message(ask('A'), { answers: [other] }), ask('A')).kind, 'no-data')
})

test('attack 21b: aliases: followed inside the answer, named where it ends, refused where they lead round', () => {
  const alias = (name: string, data: string): dns.Answer => ({ type: 'CNAME', name, ttl: 7, data })
  const host: dns.Answer = { type: 'A', name: 'c.test', ttl: 99, data: '192.0.2.1' }
  const read = (...answers: dns.Answer[]) =>
    readAnswer(message(ask('A', 'a.test'), { answers }), ask('A', 'a.test'))
  assert.deepEqual(read(host, alias('b.test', 'c.test'), alias('a.test', 'B.test')), {
    kind: 'records',
    records: ['192.0.2.1'],
    ttlSeconds: 7,
    authenticated: false,
  })
  assert.deepEqual(read(alias('a.test', 'b.test')), {
    kind: 'alias',
    target: 'b.test',
    ttlSeconds: 7,
    authenticated: false,
  })
  assert.equal(read(alias('a.test', 'b.test'), alias('b.test', 'a.test')).kind, 'malformed')
  assert.equal(read(alias('a.test', 'b c.test')).kind, 'malformed')
  const long = Array.from({ length: 12 }, (_, i) =>
    alias(i === 0 ? 'a.test' : `a${i}.test`, `a${i + 1}.test`),
  )
  assert.equal(read(...long).kind, 'malformed')
})

test('an alias that is asked for is the answer, and is not followed', () => {
  const alias: dns.Answer = { type: 'CNAME', name: 'a.test', ttl: 7, data: 'B.test' }
  const circle: dns.Answer = { type: 'CNAME', name: 'b.test', ttl: 5, data: 'a.test' }
  const read = (of: Parameters<typeof message>[1]) =>
    readAnswer(message(ask('CNAME', 'a.test'), of), ask('CNAME', 'a.test'))
  const records = { kind: 'records', records: ['b.test'], ttlSeconds: 7, authenticated: false }
  assert.deepEqual(read({ answers: [alias] }), records)
  assert.deepEqual(read({ answers: [alias, circle] }), records)
  // Some servers say NXDOMAIN of the target (rfc6604 §3): the alias is there all the same.
  assert.deepEqual(read({ flags: 0x0183, answers: [alias], authorities: [SOA] }), records)
  assert.deepEqual(read({ authorities: [SOA] }), { kind: 'no-data', ttlSeconds: 60 })
  assert.deepEqual(read({ flags: 0x0183, authorities: [SOA] }), { kind: 'no-name', ttlSeconds: 60 })
})

test('names that are no domains can be asked, but for those that no zone can hold', () => {
  assert.equal(askableName('User+Tag._spf.Example.test.'), 'user+tag._spf.example.test')
  assert.equal(askableName('Bücher.test'), 'xn--bcher-kva.test')
  for (const name of [
    '',
    '.',
    'a..test',
    '.a',
    'a b.test',
    'a\\b.test',
    `${'+'.repeat(64)}.test`,
    'é+.test',
    '\0.test',
  ])
    assert.equal(askableName(name), undefined, JSON.stringify(name))
  assert.equal(askableName(`${'+.'.repeat(126)}a`)?.length, 253)
  assert.equal(askableName(`${'+.'.repeat(127)}a`), undefined)
  const question = ask('TXT', 'user+tag=x._spf.example.test')
  const answers: dns.Answer[] = [{ type: 'TXT', name: question.name, ttl: 1, data: 'v=spf1' }]
  assert.equal(readAnswer(message(question, { answers }), question).kind, 'records')
})

test('attack 11d: a record whose RDATA is too short or too long for its type is malformed', () => {
  const bytes = message(ask('MX'), { answers: [mx(10, 'mx.test')] })
  // RDLENGTH stands 12 octets before the end: 2 + preference 2 + name 9.
  const at = bytes.length - 13
  assert.equal(bytes.readUInt16BE(at), 11)
  for (const length of [0, 1, 2, 3, 10]) {
    const broken = Buffer.from(bytes.subarray(0, at + 2 + length))
    broken.writeUInt16BE(length, at)
    assert.equal(readAnswer(broken, ask('MX')).kind, 'malformed', `RDLENGTH ${length}`)
  }
  const a = message(ask('A'), { answers: [{ type: 'A', name: 'example.test', ttl: 1, data: '192.0.2.1' }] })
  a.writeUInt16BE(3, a.length - 6)
  assert.equal(readAnswer(a.subarray(0, a.length - 1), ask('A')).kind, 'malformed')
})

test('attack 21d: bad compression pointers: to itself, forward, in a circle, out of the message', () => {
  const head = message(ask('PTR'), {})
  head.writeUInt16BE(1, 6)
  const at = head.length
  const record = (name: Buffer, rdata: Buffer) => {
    const fixed = Buffer.from([0, 12, 0, 1, 0, 0, 0, 9, 0, rdata.length])
    return Buffer.concat([head, name, fixed, rdata])
  }
  const pointer = (to: number) => Buffer.from([0xc0 | (to >> 8), to & 0xff])
  const kind = (name: Buffer, rdata: Buffer) => readAnswer(record(name, rdata), ask('PTR')).kind
  assert.equal(kind(pointer(12), Buffer.from('\x01x\x00')), 'records')
  assert.equal(kind(pointer(at), Buffer.from('\x01x\x00')), 'malformed')
  assert.equal(kind(pointer(at + 2), Buffer.from('\x01x\x00')), 'malformed')
  assert.equal(kind(pointer(16000), Buffer.from('\x01x\x00')), 'malformed')
  assert.equal(kind(pointer(12), pointer(at + 12)), 'malformed')
  assert.equal(kind(pointer(12), Buffer.from('\x40x\x00')), 'malformed')
  // A name that reaches itself through a label before it.
  assert.equal(kind(pointer(12), Buffer.concat([Buffer.from('\x01y'), pointer(at + 12)])), 'malformed')
})

test('attack 21c: more records than any mail domain has are refused before they are read', () => {
  const bytes = message(ask('A'), {})
  bytes.writeUInt16BE(65535, 6)
  assert.equal(readAnswer(bytes, ask('A')).kind, 'malformed')
})

test('attack 21c: an answer cut at every byte never gives records', () => {
  const bytes = message(ask('MX'), { answers: [mx(10, 'mx1.test'), mx(20, 'mx2.test')], authorities: [SOA] })
  assert.equal(readAnswer(bytes, ask('MX')).kind, 'records')
  for (let cut = 0; cut < bytes.length; cut++) {
    const { kind } = readAnswer(bytes.subarray(0, cut), ask('MX'))
    assert.ok(kind === 'stray' || kind === 'malformed', `${kind} at ${cut}`)
  }
})

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/)
const domain = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'))

test('round trip: what a server writes is what is read', () => {
  const record = fc.record({ preference: fc.nat(65535), exchange: domain }, { noNullPrototype: true })
  fc.assert(
    fc.property(
      domain,
      fc.array(record, { minLength: 1, maxLength: 20 }),
      fc.nat(0x7fff_ffff),
      (name, records, ttl) => {
        const answers = records.map((data): dns.Answer => ({ type: 'MX', name, ttl, data }))
        const answer = readAnswer(message(ask('MX', name), { answers }), ask('MX', name))
        assert.deepEqual(answer, { kind: 'records', records, ttlSeconds: ttl, authenticated: false })
      },
    ),
  )
})

test('attack 21d: any octets, and an answer with any octets changed: a value, never an exception', () => {
  const good = message(ask('MX'), { answers: [mx(10, 'mx1.test')], authorities: [SOA] })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => void readAnswer(octets, ask('TXT'))),
    { numRuns: 500 },
  )
  const change = fc.record({ at: fc.nat(good.length - 1), octet: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(good)
      for (const { at, octet } of changes) bytes[at] = octet
      readAnswer(bytes, ask('MX'))
    }),
    { numRuns: 1000 },
  )
})

test('queries: EDNS or not, letter case by chance, reverse names', () => {
  const decoded = dns.decode(Buffer.from(encodeQuery(ask('MX', 'eXample.test'), 1232)))
  assert.equal(decoded.questions?.[0]?.name, 'eXample.test')
  assert.equal(decoded.additionals?.[0]?.type, 'OPT')
  assert.equal(decoded.flag_rd && decoded.flag_ad, true)
  assert.deepEqual(dns.decode(Buffer.from(encodeQuery(ask('MX'), undefined))).additionals, [])
  assert.equal(randomCase('example.test', Uint8Array.of(0b0000_0101, 0b1)), 'ExAmple.Test')
  assert.equal(reverseName(Uint8Array.of(192, 0, 2, 1)), '1.2.0.192.in-addr.arpa')
  const v6 = Uint8Array.from([0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 0x1f])
  assert.equal(reverseName(v6), `f.1.${'0.'.repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa`)
})
