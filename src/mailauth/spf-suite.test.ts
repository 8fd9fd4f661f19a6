import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { canonicalIp } from '../mail/ip.ts'
import { Inquiry } from './dns.ts'
import { checkSpf } from './spf.ts'
import { StillClock, ZoneDns, type ZoneName } from './zone.test-kit.ts'

// The openspf suites, read where HIKYAKU_TESTDATA says they are: each case through this room's own interface.
const folder = process.env.HIKYAKU_TESTDATA
const options = { skip: folder === undefined ? 'HIKYAKU_TESTDATA is not set: no SPF suites' : false }

type Published = 'TIMEOUT' | Readonly<Record<string, string | readonly unknown[]>>

interface Case {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
}

interface Group {
  readonly description: string
  readonly tests: Readonly<Record<string, Case>>
  readonly zonedata: Readonly<Record<string, readonly Published[]>>
}

test('the suite of RFC 7208: all cases', options, async (t) => {
  const { passed, missed } = await run('rfc7208.json')
  t.diagnostic(`${passed} passed`)
  assert.deepEqual(missed, {})
  assert.equal(passed, 203)
})

// Its cases allow both what rfc4408 asked for and what rfc7208 asks where the two differ.
test('the suite of RFC 4408: all cases', options, async (t) => {
  const { passed, missed } = await run('rfc4408.json')
  t.diagnostic(`${passed} passed`)
  assert.deepEqual(missed, {})
  assert.equal(passed, 191)
})

async function run(file: string): Promise<{ passed: number; missed: Record<string, string> }> {
  const groups = JSON.parse(readFileSync(join(folder ?? '', 'spf', file), 'utf8')) as readonly Group[]
  const missed: Record<string, string> = {}
  let passed = 0
  for (const group of groups) {
    for (const [name, one] of Object.entries(group.tests)) {
      const result = await resultOf(one, group)
      const expected = [one.result].flat()
      if (expected.includes(result)) passed++
      else missed[name] = `${result}, not ${expected.join(' or ')}`
    }
  }
  return { passed, missed }
}

async function resultOf(one: Case, group: Group): Promise<string> {
  const clock = new StillClock()
  const at = one.mailfrom.lastIndexOf('@')
  const reversePath =
    one.mailfrom === ''
      ? null
      : { local: at < 0 ? '' : one.mailfrom.slice(0, at), domain: one.mailfrom.slice(at + 1) }
  const client = canonicalIp(one.host) ?? ''
  const inquiry = new Inquiry({
    dns: zoneOf(group),
    clock,
    client,
    part: 'SPF',
    maxQuestions: 120,
    deadlineMs: 1_000,
    answers: new Map(),
  })
  const { result } = await checkSpf({ client, helo: one.helo, reversePath, authservId: 'mx.test' }, inquiry)
  assert.equal(clock.timers, 0)
  return result
}

function zoneOf(group: Group): ZoneDns {
  const zone: Record<string, ZoneName> = {}
  const pointers: Record<string, string[]> = {}
  for (const [name, published] of Object.entries(group.zonedata)) {
    zone[name] = nameOf(published)
    const names = values(published, 'PTR') as string[]
    const address = addressOf(name)
    if (names.length > 0 && address !== undefined) pointers[canonicalIp(address) ?? ''] = names
  }
  return new ZoneDns(zone, pointers)
}

function nameOf(published: readonly Published[]): ZoneName {
  const texts = values(published, 'TXT')
  // The suite writes SPF for records that stand as TXT too, unless it names the TXT ones itself.
  const spf = texts.length > 0 ? texts : values(published, 'SPF')
  return {
    TXT: spf.filter((text) => text !== 'NONE').map((text) => [text].flat().join('')),
    A: values(published, 'A') as string[],
    AAAA: values(published, 'AAAA') as string[],
    CNAME: values(published, 'CNAME') as string[],
    MX: values(published, 'MX').map((mx) => {
      const [preference, exchange] = mx as [number, string]
      return { preference, exchange }
    }),
    down: published.includes('TIMEOUT'),
  }
}

function values(published: readonly Published[], type: string): unknown[] {
  return published.flatMap((one) => (one !== 'TIMEOUT' && type in one ? [one[type]] : []))
}

function addressOf(name: string): string | undefined {
  const labels = name.split('.')
  if (name.endsWith('.in-addr.arpa')) return labels.slice(0, 4).reverse().join('.')
  if (!name.endsWith('.ip6.arpa')) return undefined
  return labels.slice(0, 32).reverse().join('').match(/.{4}/g)?.join(':')
}
