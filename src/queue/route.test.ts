import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, MxRecord, Resolver } from '../ports/resolver.ts'
import { findRoute, mailHosts, type RouteSettings } from './route.ts'

const found = <T>(...records: T[]): Answer<T> => ({
  kind: 'found',
  records,
  ttlSeconds: 60,
  authenticated: false,
})
const mx = (preference: number, exchange: string): MxRecord => ({ preference, exchange })

function resolver(zone: {
  readonly mx?: Answer<MxRecord>
  readonly a?: Readonly<Record<string, Answer<string>>>
  readonly aaaa?: Readonly<Record<string, Answer<string>>>
}): Resolver {
  return {
    mx: async () => zone.mx ?? { kind: 'no-data' },
    a: async (name) => zone.a?.[name] ?? { kind: 'no-data' },
    aaaa: async (name) => zone.aaaa?.[name] ?? { kind: 'no-data' },
    txt: async () => ({ kind: 'no-data' }),
    ptr: async () => ({ kind: 'no-data' }),
  }
}

const settings: RouteSettings = { hostname: 'mail.example.test', port: 25, ip: 'both' }
const route = (
  zone: Parameters<typeof resolver>[0],
  more: Partial<RouteSettings> = {},
  domain = 'dest.test',
) => findRoute(domain, resolver(zone), { ...settings, ...more }, () => 0)

async function addresses(...args: Parameters<typeof route>): Promise<string[]> {
  const found = await route(...args)
  assert.ok(found.kind === 'hops', JSON.stringify(found))
  return found.hops.map(({ name, address }) => `${name} ${address}`)
}

async function refusal(...args: Parameters<typeof route>): Promise<string> {
  const found = await route(...args)
  assert.ok(found.kind !== 'hops')
  return `${found.kind} ${found.reply.code} ${found.reply.enhanced}`
}

const A = {
  a: {
    'mx1.dest.test': found('192.0.2.1'),
    'mx2.dest.test': found('192.0.2.2'),
    'dest.test': found('192.0.2.9'),
  },
  aaaa: { 'mx1.dest.test': found('2001:db8::1') },
}

test('hosts in the order of preference, IPv6 before IPv4', async () => {
  assert.deepEqual(await addresses({ ...A, mx: found(mx(20, 'mx2.dest.test'), mx(10, 'mx1.dest.test')) }), [
    'mx1.dest.test 2001:db8::1',
    'mx1.dest.test 192.0.2.1',
    'mx2.dest.test 192.0.2.2',
  ])
  assert.deepEqual(await addresses({ ...A, mx: found(mx(10, 'mx1.dest.test')) }, { ip: 'ipv4' }), [
    'mx1.dest.test 192.0.2.1',
  ])
})

test('without MX the domain itself is the host (rfc5321 §5.1)', async () => {
  assert.deepEqual(await addresses(A), ['dest.test 192.0.2.9'])
})

test('null MX, no such domain, and hosts without addresses are final', async () => {
  assert.equal(await refusal({ ...A, mx: found(mx(0, '')) }), 'none 550 5.1.10')
  assert.equal(await refusal({ mx: { kind: 'no-name' } }), 'none 550 5.1.2')
  assert.equal(await refusal({ mx: found(mx(10, 'gone.test')) }), 'none 550 5.4.4')
})

test('attack 29h: a DNS that does not answer is never final', async () => {
  const down = { kind: 'temporary', cause: 'SERVFAIL' } as const
  assert.equal(await refusal({ mx: down }), 'later 451 4.4.3')
  assert.equal(
    await refusal({ mx: found(mx(10, 'mx1.dest.test')), a: { 'mx1.dest.test': down } }),
    'later 451 4.4.3',
  )
  assert.deepEqual(
    await addresses({
      mx: found(mx(10, 'mx1.dest.test'), mx(20, 'mx2.dest.test')),
      a: { 'mx1.dest.test': down, 'mx2.dest.test': found('192.0.2.2') },
    }),
    ['mx2.dest.test 192.0.2.2'],
  )
})

test('attack 13b: our own name among the MX hosts ends the list: delivery to ourselves would loop', async () => {
  const records = [mx(10, 'mx1.dest.test'), mx(20, 'mail.example.test'), mx(30, 'mx2.dest.test')]
  assert.deepEqual(
    mailHosts(records, 'mail.example.test', () => 0),
    ['mx1.dest.test'],
  )
  assert.equal(
    await refusal({ ...A, mx: found(mx(10, 'mail.example.test'), mx(20, 'mx2.dest.test')) }),
    'none 550 5.4.6',
  )
})

test('attack 13b: a loopback address in public DNS is not talked to on port 25', async () => {
  assert.equal(
    await refusal({
      mx: found(mx(10, 'x.test')),
      a: { 'x.test': found('127.0.0.1') },
      aaaa: { 'x.test': found('::1') },
    }),
    'none 550 5.4.4',
  )
  assert.equal(await refusal({}, {}, '[127.0.0.1]'), 'none 550 5.4.6')
})

test('an address literal is its own host', async () => {
  assert.deepEqual(await addresses({}, {}, '[192.0.2.5]'), ['192.0.2.5 192.0.2.5'])
  assert.deepEqual(await addresses({}, {}, '[ipv6:2001:db8::5]'), ['2001:db8::5 2001:db8::5'])
})

test('equal preferences are shuffled', () => {
  const records = [mx(10, 'a'), mx(10, 'b')]
  const lots = [0.9, 0.1]
  assert.deepEqual(
    mailHosts(records, 'x', () => lots.shift() ?? 0),
    ['b', 'a'],
  )
})

test('many addresses of the first host leave room for the second, and for IPv4', async () => {
  const many = Array.from({ length: 9 }, (_, i) => `2001:db8::${i + 1}`)
  const zone = {
    mx: found(mx(10, 'mx1.dest.test'), mx(20, 'mx2.dest.test')),
    aaaa: { 'mx1.dest.test': found(...many) },
    a: { 'mx1.dest.test': found('192.0.2.1'), 'mx2.dest.test': found('192.0.2.2') },
  }
  assert.deepEqual(await addresses(zone), [
    'mx1.dest.test 2001:db8::1',
    'mx1.dest.test 192.0.2.1',
    'mx1.dest.test 2001:db8::2',
    'mx1.dest.test 2001:db8::3',
    'mx2.dest.test 192.0.2.2',
  ])
})
