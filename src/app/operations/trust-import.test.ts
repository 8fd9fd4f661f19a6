import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networks } from '../../config/kinds.ts'
import { defaultConfig } from '../../config/load.ts'
import type { Answer } from '../../ports/resolver.ts'
import type { TrustEntry, TrustList } from '../../ports/trust.ts'
import { type OperationPorts, unwatched } from './operation.ts'
import { trustList } from './trust.ts'
import { trustImport } from './trust-import.ts'

const TXT: Readonly<Record<string, string>> = {
  '_dmarc.example.org': 'v=DMARC1; p=none',
  '_dmarc.lists.example.org': 'v=DMARC1; p=reject',
  '_dmarc.co.test': 'v=DMARC1; p=none; psd=y',
}
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'mail.lists.example.org': ['192.0.2.25'],
  'mx.firm.co.test': ['192.0.2.26'],
  'many.example.org': ['1', '2', '3', '4', '5'].map((end) => `192.0.2.${end}`),
}

function rig() {
  const entries: TrustEntry[] = []
  let id = 0
  const trust: TrustList = {
    entries: () => entries,
    async add(entry) {
      const added = { ...entry, id: ++id }
      entries.push(added)
      return added
    },
    async remove(number) {
      const at = entries.findIndex((entry) => entry.id === number)
      if (at >= 0) entries.splice(at, 1)
      return at >= 0
    },
  }
  const found = (records: readonly string[] | undefined): Answer<string> =>
    records === undefined
      ? { kind: 'no-name' }
      : { kind: 'found', records, ttlSeconds: 1, authenticated: false }
  const temporary: Answer<string> = { kind: 'temporary', cause: 'SERVFAIL' }
  const resolver = {
    txt: async (name: string) =>
      name.endsWith('dead.test') ? temporary : found(TXT[name] === undefined ? undefined : [TXT[name]]),
    a: async (name: string) => found(ADDRESSES[name]),
    aaaa: async (name: string) => found(name === 'mail.lists.example.org' ? ['2001:db8::25'] : undefined),
  }
  const base = defaultConfig()
  const config = {
    ...base,
    server: { ...base.server, hostname: 'mail.home.test' },
    domains: { ...base.domains, names: ['home.test'] },
    policy: { ...base.policy, secondaries: networks(['198.51.100.0/24']) },
  }
  const time = { nowMs: Date.parse('2026-11-24T10:00:00Z') }
  const clock = { now: () => time.nowMs, zoneMinutes: () => 0 }
  const ports = { trust, resolver, clock, config: () => config } as unknown as OperationPorts
  const run = async (text: string, dryRun = false): Promise<string> => {
    const result = await trustImport(ports, { text, dryRun }, unwatched())
    assert.ok(result.ok, JSON.stringify(result))
    return result.lines.join('\n')
  }
  return { entries, ports, run, time }
}

test('every entry of a list is told: what was made of it, or what to do instead', async () => {
  const { run, entries } = rig()
  const cases: readonly (readonly [string, RegExp])[] = [
    ['127.0.0.1', /nothing to do: `policy\.exempt_networks` has it/],
    ['127.0.0.0/8', /`policy\.exempt_networks` has it/],
    ['::1', /`policy\.exempt_networks` has it/],
    ['198.51.100.7', /`policy\.secondaries` has it/],
    // Wider than what is named: not covered.
    ['198.51.0.0/16', /no key: .* `hikyaku trust add --dkim DOMAIN --host 198\.51\.0\.0\/16`/],
    ['203.0.113.9', /an address alone is no key: .*`policy\.secondaries`; .*`submission\.trusted_networks`/],
    ['!192.0.2.66', /says which host is not meant/],
    ['localhost', /this machine itself/],
    ['mail.home.test', /this machine itself/],
    ['home.test', /one of your own domains/],
    ['.example.org', /any host below a domain is no key; .*`hikyaku trust add --dkim example\.org`/],
    ['many.example.org', /has 5 addresses, too many.*--dkim example\.org/],
    ['gone.example.org', /gone\.example\.org has no address/],
    ['nobody.elsewhere.test', /the DNS does not say whose host nobody\.elsewhere\.test is/],
    ['mail.dead.test', /the DNS did not say whose it is \(SERVFAIL\)/],
    ['co.test', /the DNS does not say|has no address/],
    ['refile:/etc/opendkim/More', /another list: .*hikyaku trust import \/etc\/opendkim\/More/],
    ['300.0.0.1', /neither a host nor an address/],
  ]
  for (const [text, says] of cases) {
    const told = await run(text)
    assert.match(told, says, text)
    assert.ok(told.startsWith(`line 1: ${text}: `), told)
  }
  assert.deepEqual(entries, [])
})

test("a host becomes its organization's signature and envelope, from that host's addresses alone", async () => {
  const { run, entries, ports, time } = rig()
  const dry = await run('mail.lists.example.org\nmx.firm.co.test', true)
  assert.match(dry, /Nothing was changed: without `--dry-run` 6 exceptions would be made/)
  assert.deepEqual(entries, [])
  const told = await run('mail.lists.example.org\nmx.firm.co.test')
  assert.match(told, /6 exceptions made/)
  const listed = await trustList(ports, {}, unwatched())
  assert.ok(listed.ok)
  assert.deepEqual(
    listed.lines.map((line) => line.replace(/ {2}until .*$/, '')),
    [
      '1  --dkim example.org --host 192.0.2.25',
      '2  --spf example.org --host 192.0.2.25',
      '3  --dkim example.org --host 2001:db8::25',
      '4  --spf example.org --host 2001:db8::25',
      // co.test says that it is a public suffix: never that.
      '5  --dkim firm.co.test --host 192.0.2.26',
      '6  --spf firm.co.test --host 192.0.2.26',
    ],
  )
  await run('mail.lists.example.org')
  assert.equal(entries.length, 6, 'again, it takes the place of what was there')
  time.nowMs += 366 * 86_400_000
  const late = await trustList(ports, {}, unwatched())
  assert.ok(late.ok)
  assert.match(
    late.lines.join('\n'),
    /^5 .* expired 2027-11-24 .*imported: mx\.firm\.co\.test(.|\n)*Expired ones do nothing/,
  )
})

test('a list of comments, and one without end, are refused', async () => {
  const { ports, entries } = rig()
  for (const [text, says] of [
    ['# nothing\n\n', /nothing in that list but comments/],
    ['192.0.2.1\n'.repeat(1_001), /has 1001 entries/],
  ] as const) {
    const result = await trustImport(ports, { text }, unwatched())
    assert.ok(!result.ok)
    assert.match(result.error, says)
  }
  assert.deepEqual(entries, [])
})
