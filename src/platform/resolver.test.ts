import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import * as dns from 'dns-packet'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from './clock.ts'
import { DnsCache } from './dns-cache.ts'
import { DnsClient } from './dns-client.ts'
import { FairGate, zoneOf } from './fair-gate.ts'
import { Gate } from './gate.ts'
import { systemRandom } from './random.ts'
import type { DnsServer } from './resolv-conf.ts'
import { CachingResolver } from './resolver.ts'

/** What the test's server does with one question: messages to send, in order. */
type Behaviour = (
  query: dns.DecodedPacket,
  over: 'udp' | 'tcp',
) => readonly Buffer[] | Promise<readonly Buffer[]>

interface Server extends DnsServer {
  readonly asked: {
    readonly name: string
    readonly type: string
    readonly over: 'udp' | 'tcp'
    readonly edns: boolean
  }[]
  readonly ports: Set<number>
  readonly ids: Set<number>
}

/** A DNS server on loopback, UDP and TCP on one port, that does what it is told. */
async function startServer(t: TestContext, behaviour: Behaviour, validates = false): Promise<Server> {
  const asked: Server['asked'] = []
  const ports = new Set<number>()
  const ids = new Set<number>()
  const handle = (message: Buffer, over: 'udp' | 'tcp') => {
    const query = dns.decode(message)
    const question = query.questions?.[0]
    assert.ok(question)
    asked.push({ name: question.name, type: question.type, over, edns: (query.additionals?.length ?? 0) > 0 })
    ids.add(query.id ?? 0)
    return behaviour(query, over)
  }
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', async (data: Buffer) => {
      for (const answer of await handle(data.subarray(2), 'tcp')) {
        const length = Buffer.alloc(2)
        length.writeUInt16BE(answer.length)
        const framed = Buffer.concat([length, answer])
        // In two pieces: a length field says nothing about segments.
        socket.write(framed.subarray(0, 7))
        await setTimeout(5)
        socket.write(framed.subarray(7))
      }
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as { port: number }
  const udp = createSocket('udp4')
  let isOpen = true
  udp.on('message', async (message, from) => {
    ports.add(from.port)
    // An answer that comes after the test's end has nobody to go to.
    for (const answer of await handle(message, 'udp')) if (isOpen) udp.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  t.after(() => {
    isOpen = false
    udp.close()
    tcp.close()
  })
  return { address: '127.0.0.1', port, validates, asked, ports, ids }
}

function respond(query: dns.DecodedPacket, of: Partial<dns.Packet>): Buffer {
  return dns.encode({
    type: 'response',
    id: query.id,
    flags: 0x0180,
    questions: query.questions ?? [],
    ...of,
  })
}

const addresses = (
  query: dns.DecodedPacket,
  ttl: number,
  ...data: readonly string[]
): Partial<dns.Packet> => ({
  answers: data.map((one) => ({ type: 'A', name: query.questions?.[0]?.name ?? '', ttl, data: one })),
})

const soa = (minimum: number): Partial<dns.Packet> => ({
  authorities: [
    {
      type: 'SOA',
      name: 'test',
      ttl: 3600,
      data: { mname: 'ns.test', rname: 'h.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
    },
  ],
})

function makeResolver(
  servers: readonly [DnsServer, ...DnsServer[]],
  more: { clock?: Clock; randomCase?: boolean; tryMs?: number } = {},
) {
  return new CachingResolver({ servers, clock: systemClock(), random: systemRandom(), tryMs: 150, ...more })
}

/** Time that only the test moves; waiting is real. */
function movableClock(): Clock & { skip(ms: number): void } {
  const real = systemClock()
  let skipped = 0
  return {
    ...real,
    monotonic: () => real.monotonic() + skipped,
    skip: (ms) => {
      skipped += ms
    },
  }
}

test('found, kept for its TTL, counted down, then asked again', async (t) => {
  const server = await startServer(t, (query) => [
    respond(query, addresses(query, 100, '192.0.2.1', '192.0.2.2')),
  ])
  const clock = movableClock()
  const resolver = makeResolver([server], { clock })
  const first = await resolver.a('Example.TEST.')
  assert.deepEqual(first, {
    kind: 'found',
    records: ['192.0.2.1', '192.0.2.2'],
    ttlSeconds: 100,
    authenticated: false,
  })
  clock.skip(40_000)
  const second = await resolver.a('example.test')
  assert.ok(second.kind === 'found' && second.ttlSeconds <= 60 && second.ttlSeconds > 55)
  assert.equal(server.asked.length, 1)
  clock.skip(60_000)
  await resolver.a('example.test')
  assert.equal(server.asked.length, 2)
})

test('what is remembered is told without asking, aged, and forgotten in its time', async (t) => {
  const server = await startServer(t, (query) => [
    respond(query, {
      answers: [{ type: 'TXT', name: query.questions?.[0]?.name ?? '', ttl: 100, data: ['a', 'b'] }],
    }),
  ])
  const clock = movableClock()
  const resolver = makeResolver([server], { clock })
  assert.equal(resolver.knownTxt('example.test'), undefined)
  await resolver.txt('Example.test')
  clock.skip(90_000)
  const known = resolver.knownTxt('example.test')
  assert.ok(known?.kind === 'found' && known.ttlSeconds <= 10)
  assert.deepEqual(known.records, ['ab'])
  clock.skip(10_000)
  assert.equal(resolver.knownTxt('example.test'), undefined)
  assert.equal(server.asked.length, 1)
})

test('each question has a port and an id of its own', async (t) => {
  const server = await startServer(t, (query) => [respond(query, addresses(query, 1, '192.0.2.1'))])
  const resolver = makeResolver([server])
  await Promise.all(Array.from({ length: 40 }, (_, i) => resolver.a(`h${i}.test`)))
  assert.ok(server.ports.size > 30, `${server.ports.size} ports`)
  assert.ok(server.ids.size > 30, `${server.ids.size} ids`)
})

test('NXDOMAIN, NODATA and SERVFAIL are three things, and kept as long as each may be', async (t) => {
  const clock = movableClock()
  const server = await startServer(t, (query) => {
    const name = query.questions?.[0]?.name
    if (name === 'none.test') return [respond(query, { flags: 0x0183, ...soa(60) })]
    if (name === 'empty.test') return [respond(query, soa(60))]
    return [respond(query, { flags: 0x0182 })]
  })
  const resolver = makeResolver([server], { clock })
  const all = async () => [
    await resolver.mx('none.test'),
    await resolver.mx('empty.test'),
    await resolver.mx('bad.test'),
  ]
  const [none, empty, bad] = await all()
  assert.deepEqual([none?.kind, empty?.kind, bad?.kind], ['no-name', 'no-data', 'temporary'])
  assert.match(bad?.kind === 'temporary' ? bad.cause : '', /MX of bad\.test: 127\.0\.0\.1: SERVFAIL/)
  assert.equal(server.asked.length, 3)
  await all()
  assert.equal(server.asked.length, 3)
  clock.skip(10_000)
  await all()
  assert.equal(server.asked.length, 4, 'only the failure is asked again')
  clock.skip(60_000)
  await all()
  assert.equal(server.asked.length, 7)
})

test('attack 21c: a truncated answer is asked for again over TCP', async (t) => {
  const many = Array.from({ length: 200 }, (_, i) => `192.0.2.${i}`)
  const server = await startServer(t, (query, over) => [
    over === 'udp' ? respond(query, { flags: 0x0380 }) : respond(query, addresses(query, 9, ...many)),
  ])
  const answer = await makeResolver([server]).a('big.test')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.records, many)
  assert.deepEqual(
    server.asked.map((one) => one.over),
    ['udp', 'tcp'],
  )
})

test('no retry goes beyond the time of the whole lookup: not over TCP, not without EDNS', async (t) => {
  const silence = new Promise<never>(() => {})
  const cut = await startServer(t, (query, over) =>
    over === 'tcp' ? silence : [respond(query, { flags: 0x0180 | dns.TRUNCATED_RESPONSE })],
  )
  const old = await startServer(t, async (query) => {
    if ((query.additionals?.length ?? 0) === 0) return silence
    await setTimeout(100)
    return [respond(query, { flags: 0x0181 })]
  })
  const clock = systemClock()
  for (const server of [cut, old]) {
    const client = new DnsClient({ servers: [server], clock, random: systemRandom(), tryMs: 60_000 })
    const asked = client.ask('slow.test', 'A', clock.monotonic() + 300)
    // Twenty times what it may take, and still less than the retry alone would have taken.
    const first = await Promise.race([asked, setTimeout(4_500, 'too late' as const, { ref: false })])
    assert.ok(first !== 'too late')
    assert.equal(first.kind, 'temporary')
  }
})

test('a server from before EDNS is asked again without it', async (t) => {
  const server = await startServer(t, (query) =>
    (query.additionals?.length ?? 0) > 0
      ? [respond(query, { flags: 0x0181 })]
      : [respond(query, addresses(query, 9, '192.0.2.9'))],
  )
  const answer = await makeResolver([server]).a('old.test')
  assert.equal(answer.kind, 'found')
  assert.deepEqual(
    server.asked.map((one) => one.edns),
    [true, false],
  )
})

test('attack 21e: lies are ignored: wrong id, wrong question; the true answer behind them counts', async (t) => {
  const server = await startServer(t, (query) => {
    const forged = addresses(query, 9999, '192.0.2.66')
    return [
      respond(query, { ...forged, id: ((query.id ?? 0) + 1) & 0xffff }),
      respond(query, { ...forged, questions: [{ type: 'A', name: 'other.test', class: 'IN' }] }),
      Buffer.from('garbage'),
      respond(query, addresses(query, 9, '192.0.2.1')),
    ]
  })
  const answer = await makeResolver([server]).a('true.test')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.records, ['192.0.2.1'])
})

test('attack 21e: letter case by chance must come back as sent', async (t) => {
  const server = await startServer(t, (query) => [respond(query, addresses(query, 9, '192.0.2.1'))])
  const resolver = makeResolver([server], { randomCase: true })
  const answer = await resolver.a('a-long-name-with-letters.example.test')
  assert.equal(answer.kind, 'found')
  assert.notEqual(server.asked[0]?.name, 'a-long-name-with-letters.example.test')
  const lower = await startServer(t, (query) => [
    respond(query, {
      questions: [{ type: 'A', name: 'a-long-name-with-letters.example.test', class: 'IN' }],
    }),
  ])
  const refused = await makeResolver([lower], { randomCase: true }).a('a-long-name-with-letters.example.test')
  assert.equal(refused.kind, 'temporary')
})

test('attack 21e: an answer from another address is not seen', async (t) => {
  const forger = createSocket('udp4')
  await new Promise<void>((resolve) => forger.bind(0, '127.0.0.1', resolve))
  t.after(() => forger.close())
  const udp = createSocket('udp4')
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  t.after(() => udp.close())
  udp.on('message', (message, from) => {
    const query = dns.decode(message)
    forger.send(respond(query, addresses(query, 9, '192.0.2.66')), from.port, from.address, () =>
      udp.send(respond(query, addresses(query, 9, '192.0.2.1')), from.port, from.address),
    )
  })
  const { port } = udp.address()
  const answer = await makeResolver([{ address: '127.0.0.1', port, validates: false }]).a('true.test')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.records, ['192.0.2.1'])
})

test('silence and a dead server: the next one is asked, and then first', async (t) => {
  const silent = await startServer(t, () => [])
  const good = await startServer(t, (query) => [respond(query, addresses(query, 9, '192.0.2.1'))])
  const resolver = makeResolver([silent, good])
  assert.equal((await resolver.a('one.test')).kind, 'found')
  assert.equal((await resolver.a('two.test')).kind, 'found')
  assert.deepEqual([silent.asked.length, good.asked.length], [1, 2])
  // Port 9 of loopback: nobody there, the kernel says so at once.
  const refused = makeResolver([{ address: '127.0.0.1', port: 9, validates: false }])
  const answer = await refused.a('three.test')
  assert.ok(answer.kind === 'temporary')
  assert.match(answer.cause, /127\.0\.0\.1: ECONNREFUSED|refused/i)
})

test('nobody answers: temporary, after all rounds', async (t) => {
  const silent = await startServer(t, () => [])
  const answer = await makeResolver([silent]).mx('lost.test')
  assert.ok(answer.kind === 'temporary')
  assert.match(answer.cause, /no answer within/)
  assert.equal(silent.asked.length, 2)
})

test('attack 21d: malformed: bad pointers and short records are a temporary failure, not a crash', async (t) => {
  const server = await startServer(t, (query) => {
    const empty = respond(query, {})
    empty.writeUInt16BE(1, 6)
    return [Buffer.concat([empty, Buffer.from([0xc0, empty.length, 0, 1, 0, 1])])]
  })
  const answer = await makeResolver([server]).a('bad.test')
  assert.ok(answer.kind === 'temporary')
  assert.match(answer.cause, /do not fit/)
})

test('the AD bit is believed from a validating server only, and only for the whole chain', async (t) => {
  const signed: Behaviour = (query) => [
    respond(query, { flags: 0x01a0, ...addresses(query, 9, '192.0.2.1') }),
  ]
  const trusted = await makeResolver([await startServer(t, signed, true)]).a('a.test')
  const other = await makeResolver([await startServer(t, signed, false)]).a('a.test')
  assert.ok(trusted.kind === 'found' && trusted.authenticated)
  assert.ok(other.kind === 'found' && !other.authenticated)
  const half: Behaviour = (query) =>
    query.questions?.[0]?.name === 'a.test'
      ? [respond(query, { answers: [{ type: 'CNAME', name: 'a.test', ttl: 9, data: 'b.test' }] })]
      : signed(query, 'udp')
  const chain = await makeResolver([await startServer(t, half, true)]).a('a.test')
  assert.ok(chain.kind === 'found' && !chain.authenticated)
})

test('attack 21b: aliases: followed over several answers with the smallest TTL, a circle ends', async (t) => {
  const server = await startServer(t, (query) => {
    const name = query.questions?.[0]?.name ?? ''
    const step = /^s(\d)\.test$/.exec(name)?.[1]
    if (step === '3') return [respond(query, addresses(query, 500, '192.0.2.3'))]
    const target = name === 'x.test' ? 'y.test' : name === 'y.test' ? 'x.test' : `s${Number(step) + 1}.test`
    return [respond(query, { answers: [{ type: 'CNAME', name, ttl: 50, data: target }] })]
  })
  const resolver = makeResolver([server])
  const answer = await resolver.a('s0.test')
  assert.ok(answer.kind === 'found' && answer.ttlSeconds === 50)
  const circle = await resolver.a('x.test')
  assert.ok(circle.kind === 'temporary')
  assert.match(circle.cause, /aliases/)
})

test('the same question asked at once goes out once', async (t) => {
  const server = await startServer(t, async (query) => {
    await setTimeout(20)
    return [respond(query, addresses(query, 0, '192.0.2.1'))]
  })
  const resolver = makeResolver([server])
  await Promise.all(Array.from({ length: 50 }, () => resolver.a('popular.test')))
  assert.equal(server.asked.length, 1)
  await resolver.a('popular.test')
  assert.equal(server.asked.length, 2, 'a TTL of 0 is not kept')
})

test('what the old servers answer after a change is told to who asked them, and not kept', async (t) => {
  const asked = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const old = await startServer(t, async (query) => {
    asked.resolve()
    await go.promise
    return [respond(query, addresses(query, 500, '192.0.2.1'))]
  })
  const fresh = await startServer(t, (query) => [respond(query, addresses(query, 500, '192.0.2.2'))])
  const resolver = makeResolver([old], { tryMs: 5_000 })
  const first = resolver.a('moved.test')
  await asked.promise
  resolver.useServers([fresh])
  const second = resolver.a('moved.test')
  go.resolve()
  const [before, after] = [await first, await second]
  assert.ok(before.kind === 'found' && after.kind === 'found')
  assert.deepEqual([before.records, after.records], [['192.0.2.1'], ['192.0.2.2']])
  const third = await resolver.a('moved.test')
  assert.ok(third.kind === 'found')
  assert.deepEqual(third.records, ['192.0.2.2'])
})

test('what needs no server: names that are none, .invalid, reverse names', async (t) => {
  const server = await startServer(t, (query) => [
    respond(query, {
      answers: [{ type: 'PTR', name: query.questions?.[0]?.name ?? '', ttl: 9, data: 'host.example.test' }],
    }),
  ])
  const resolver = makeResolver([server])
  for (const name of ['', 'a b.test', 'x.invalid', 'a..b', `${'a'.repeat(64)}.test`])
    assert.deepEqual(await resolver.a(name), { kind: 'no-name' })
  assert.equal((await resolver.ptr('nonsense')).kind, 'no-name')
  assert.equal(server.asked.length, 0)
  const answer = await resolver.ptr('::ffff:192.0.2.7')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(answer.records, ['host.example.test'])
  assert.equal(server.asked[0]?.name, '7.2.0.192.in-addr.arpa')
})

test('attack: names of a zone whose servers do not answer take their share of the lookups; other domains are answered', async (t) => {
  const server = await startServer(t, (query) =>
    (query.questions?.[0]?.name ?? '').endsWith('dead.test')
      ? []
      : [respond(query, addresses(query, 9, '192.0.2.1'))],
  )
  const resolver = makeResolver([server], { tryMs: 1_000 })
  const ended: string[] = []
  // More than all lookups at once together.
  const dead = Array.from({ length: 300 }, (_, i) =>
    resolver.a(`h${i}.dead.test`).then(({ kind }) => ended.push(`dead ${kind}`)),
  )
  const alive = Array.from({ length: 20 }, (_, i) =>
    resolver.a(`h${i}.alive.test`).then(({ kind }) => ended.push(`alive ${kind}`)),
  )
  await Promise.all(alive)
  assert.deepEqual(ended, new Array(20).fill('alive found'))
  resolver.useServers([{ ...server, port: 9 }])
  await Promise.all(dead)
  assert.deepEqual(ended.slice(20), new Array(300).fill('dead temporary'))
})

test('attack: a failure behind many others says that it had to wait', async (t) => {
  const server = await startServer(t, () => [])
  const clock = movableClock()
  const resolver = makeResolver([server], { clock, tryMs: 100 })
  const inTime = await resolver.txt('_dmarc.dead.test')
  assert.deepEqual([inTime.kind, 'isCrowded' in inTime], ['temporary', false])
  const busy = Array.from({ length: 24 }, (_, i) => resolver.a(`h${i}.dead.test`))
  const late = resolver.txt('_dmarc.example.dead.test')
  const many = Array.from({ length: 512 }, (_, i) => resolver.mx(`h${i}.dead.test`))
  const excess = await many[511]
  assert.ok(excess?.kind === 'temporary' && excess.isCrowded === true)
  clock.skip(3_000)
  const answer = await late
  assert.ok(answer.kind === 'temporary' && answer.isCrowded === true)
  resolver.useServers([{ ...server, port: 9 }])
  await Promise.all([...busy, ...many])
})

test('a share of the gate: nobody has more, and nothing is kept of who has left', async () => {
  const gate = new FairGate({ inside: 3, waiting: 9, shareInside: 2, shareWaiting: 1 })
  const doors = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const started: string[] = []
  const enter = (owner: string, door: number) =>
    gate.pass(owner, () => {
      started.push(`${owner}${door}`)
      return doors[door]?.promise ?? Promise.resolve(-1)
    })
  const passing = [enter('a', 0), enter('a', 1), enter('a', 2), enter('b', 3)]
  assert.equal(await enter('a', 4), undefined)
  assert.deepEqual(started, ['a0', 'a1', 'b3'])
  for (const [i, door] of doors.entries()) door.resolve(i)
  assert.deepEqual(await Promise.all(passing), [0, 1, 2, 3])
})

test('zones: about what one operator holds', () => {
  assert.equal(zoneOf('mail.a.example.com'), 'example.com')
  assert.equal(zoneOf('mail.example.co.uk'), 'example.co.uk')
  assert.equal(zoneOf('com'), 'com')
  assert.equal(zoneOf('7.2.0.192.in-addr.arpa'), '0.192.in-addr.arpa')
  assert.equal(zoneOf(`${'1.'.repeat(24)}8.b.d.0.1.0.0.2.ip6.arpa`), '8.b.d.0.1.0.0.2.ip6.arpa')
})

test('an alias asked for by itself', async (t) => {
  const server = await startServer(t, (query) => [
    respond(query, {
      answers: [{ type: 'CNAME', name: query.questions?.[0]?.name ?? '', ttl: 9, data: 'target.test' }],
    }),
  ])
  const answer = await makeResolver([server]).cname('a+b._domainkey.test')
  assert.deepEqual(answer, { kind: 'found', records: ['target.test'], ttlSeconds: 9, authenticated: false })
  assert.deepEqual(
    server.asked.map(({ name, type }) => `${type} ${name}`),
    ['CNAME a+b._domainkey.test'],
  )
})

test('the cache is bounded in entries and octets; the longest unused goes first', () => {
  const cache = new DnsCache<string>({ entries: 3, bytes: 100 })
  const put = (key: string, bytes = 10) => cache.set(key, key, { untilMs: 1000, bytes })
  for (const key of ['a', 'b', 'c']) put(key)
  assert.equal(cache.get('a', 0)?.leftMs, 1000)
  put('d')
  assert.equal(cache.get('b', 0), undefined)
  assert.equal(cache.get('a', 0)?.value, 'a')
  put('e', 85)
  assert.equal(cache.sizeBytes <= 100, true)
  assert.equal(cache.get('e', 0)?.value, 'e')
  assert.equal(cache.get('e', 1000), undefined)
  put('f', 500)
  assert.equal(cache.size, 0)
  assert.equal(cache.sizeBytes, 0)
})

test('the gate: so many inside, so many waiting, more are turned away', async () => {
  const gate = new Gate({ inside: 2, waiting: 1 })
  const doors = [1, 2, 3].map(() => Promise.withResolvers<string>())
  const passing = doors.map((door) => gate.pass(() => door.promise))
  assert.equal(await gate.pass(async () => 'no room'), undefined)
  doors[0]?.resolve('first')
  assert.equal(await passing[0], 'first')
  doors[2]?.resolve('third')
  assert.equal(await passing[2], 'third')
  doors[1]?.reject(new Error('failed inside'))
  await assert.rejects(passing[1] as Promise<unknown>)
  assert.equal(await gate.pass(async () => 'room again'), 'room again')
})
