import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { defaultConfig } from '../../config/load.ts'
import { DkimKeys } from '../../pki/dkim-keys.ts'
import { recordName, recordValue } from '../../pki/dkim-record.ts'
import { KeyFolder } from '../../pki/key-folder.ts'
import { DKIM_SEEN_FOR_MS } from '../../pki/limits.ts'
import type { Answer } from '../../ports/resolver.ts'
import { watchDkim } from '../server/dkim-watch.ts'
import { dkimList, dkimRotate, dkimShow } from './dkim.ts'
import { type Operation, type OperationArgs, type OperationPorts, unwatched } from './operation.ts'

const DAY_MS = 86_400_000
const DOMAIN = 'example.test'

/** Keys in a folder of their own, a DNS that says what the test put into it, and a clock. */
async function rig(t: TestContext, domains: readonly string[] = [DOMAIN]) {
  const data = mkdtempSync(join(tmpdir(), 'hikyaku-dkim-op-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const opened = KeyFolder.open(join(data, 'tls'))
  assert.ok(opened.ok)
  const time = { nowMs: Date.parse('2026-11-24T10:00:00Z') }
  const clock = {
    now: () => time.nowMs,
    monotonic: () => time.nowMs,
    zoneMinutes: () => 0,
    after: () => () => {},
  }
  const zone = new Map<string, readonly string[]>()
  const dns = { isDown: false, asked: [] as string[] }
  const txt = async (name: string): Promise<Answer<string>> => {
    dns.asked.push(name)
    if (dns.isDown) return { kind: 'temporary', cause: 'SERVFAIL' }
    const records = zone.get(name)
    return records === undefined
      ? { kind: 'no-name' }
      : { kind: 'found', records, ttlSeconds: 60, authenticated: false }
  }
  const log = { event: () => undefined }
  const dkim = new DkimKeys({ folder: opened.folder, clock, log, domains: () => domains })
  const ports = { dkim, clock, log, resolver: { txt }, config: defaultConfig } as unknown as OperationPorts
  const run = async (operation: Operation, args: OperationArgs = {}): Promise<string> => {
    const result = await operation(ports, args, unwatched())
    assert.ok(result.ok, JSON.stringify(result))
    return result.lines.join('\n')
  }
  /** Publishes the records of the newest keys, as the operator reads them. */
  const publish = async (): Promise<void> => {
    const read = await dkim.generations(DOMAIN)
    assert.ok(read.ok)
    for (const key of read.generations.at(-1)?.keys ?? [])
      zone.set(recordName(key.selector, DOMAIN), [recordValue(key)])
  }
  const selectors = async () => (await dkim.forDomain(DOMAIN)).map(({ selector }) => selector).join(' ')
  return { time, zone, dns, dkim, ports, run, publish, selectors }
}

test('what dkim show prints is what it finds once it is published', async (t) => {
  const { run, zone, dns } = await rig(t)
  const before = await run(dkimShow)
  assert.match(before, /rsa-2048: not published\. .*\n.*\n {4}value {2}v=DKIM1; k=rsa/)
  for (const [, name = '', strings = ''] of before.matchAll(/^ {4}(\S+)\. IN TXT (".*")$/gm))
    zone.set(name, [[...strings.matchAll(/"([^"]*)"/g)].map((match) => match[1]).join('')])
  assert.equal(zone.size, 2)
  const after = await run(dkimShow)
  assert.match(after, /rsa-2048: published\./)
  assert.match(after, /ed25519: published\./)
  // The two ways to publish say the same.
  for (const [, name = '', value = ''] of after.matchAll(/name {3}(\S+)\n {4}value {2}(.*)$/gm))
    assert.deepEqual(zone.get(name), [value])
  const [rsa = ''] = zone.keys()
  zone.set(rsa, ['v=DKIM1; p=AAAA'])
  assert.match(await run(dkimShow), /rsa-2048: published, but wrong: it has another key/)
  zone.set(rsa, ['v=DKIM1; p=AAAA', 'v=DKIM1; p=BBBB'])
  assert.match(await run(dkimShow), /there are 2 TXT records at this name/)
  dns.isDown = true
  assert.match(await run(dkimList), /hk202611r .* signing; the DNS did not say \(SERVFAIL\)/)
})

test('a rotation from end to end: at every moment the keys that sign are published', async (t) => {
  const { run, time, publish, selectors, ports, zone } = await rig(t)
  await run(dkimShow)
  await publish()
  assert.equal(await selectors(), 'hk202611r hk202611e')
  const asked = await run(dkimRotate, { domain: DOMAIN })
  assert.match(asked, /Leave those of hk202611r and hk202611e: mail is still signed with these keys/)
  assert.match(asked, /3\. 14 days after that/)
  for (let hours = 0; hours < 50; hours++) {
    time.nowMs += DKIM_SEEN_FOR_MS
    await watchDkim(ports)
    assert.equal(await selectors(), 'hk202611r hk202611e')
  }
  await publish()
  await watchDkim(ports)
  assert.equal(await selectors(), 'hk202611r hk202611e', 'other servers of the zone may not have it yet')
  assert.match(
    await run(dkimShow, { domain: DOMAIN }),
    /Its records are in the DNS; it signs after 2026-11-2/,
  )
  assert.match(await run(dkimList), /x02r {2}rsa-2048 .* published, not signing yet/)
  time.nowMs += DKIM_SEEN_FOR_MS
  await watchDkim(ports)
  assert.equal(await selectors(), 'hk202611x02r hk202611x02e')
  assert.match(
    await run(dkimList),
    /hk202611r {2}rsa-2048 .* retired; its record must stay in the DNS until 2026-12-1/,
  )
  time.nowMs += 14 * DAY_MS
  assert.match(
    await run(dkimShow),
    /hk202611r\._domainkey\.example\.test is retired: take its record out of the DNS now\./,
  )
  zone.delete(`hk202611r._domainkey.${DOMAIN}`)
  zone.delete(`hk202611e._domainkey.${DOMAIN}`)
  assert.match(await run(dkimList), /hk202611r .* retired; its record is gone: nothing is left to do/)
  assert.doesNotMatch(await run(dkimShow), /retired/)
})

test('one record of two, a wrong one, or a DNS that does not answer switch nothing', async (t) => {
  const { run, time, publish, selectors, ports, zone, dns } = await rig(t)
  await run(dkimRotate, { domain: DOMAIN })
  const old = await selectors()
  const waits = async (): Promise<void> => {
    for (let looks = 0; looks < 3; looks++) {
      time.nowMs += DKIM_SEEN_FOR_MS
      await watchDkim(ports)
      assert.equal(await selectors(), old)
    }
  }
  await publish()
  const ed25519 = `hk202611x02e._domainkey.${DOMAIN}`
  const right = zone.get(ed25519) ?? []
  zone.delete(ed25519)
  await waits()
  zone.set(ed25519, ['v=DKIM1; k=ed25519; p='])
  await waits()
  zone.set(ed25519, right)
  dns.isDown = true
  await waits()
  dns.isDown = false
  await watchDkim(ports)
  time.nowMs += DKIM_SEEN_FOR_MS
  await watchDkim(ports)
  assert.equal(await selectors(), 'hk202611x02r hk202611x02e')
})

test('the watch asks nothing of domains that have no keys that wait, and makes no keys', async (t) => {
  const { ports, dns, dkim } = await rig(t, [DOMAIN, 'second.test'])
  await watchDkim(ports)
  assert.deepEqual(await dkim.present(DOMAIN), [])
  await dkim.forDomain(DOMAIN)
  await watchDkim(ports)
  assert.deepEqual(dns.asked, [])
})
