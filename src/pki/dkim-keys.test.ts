import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Log } from '../ports/log.ts'
import { DkimKeys, fileName } from './dkim-keys.ts'
import { KeyFolder } from './key-folder.ts'
import { DKIM_RETRY_MS, DKIM_SEEN_FOR_MS } from './limits.ts'

const START = Date.parse('2026-11-24T10:00:00Z')

function rig(t: TestContext, names: readonly string[] = ['example.test', 'second.test']) {
  const data = mkdtempSync(path.join(tmpdir(), 'hikyaku-dkim-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const at = path.join(data, 'tls')
  const time = { nowMs: START }
  const events: { name: string; fields: Readonly<Record<string, unknown>> }[] = []
  const log: Log = { event: (name, fields) => void events.push({ name, fields }) }
  let domains = names
  const open = () => {
    const opened = KeyFolder.open(at)
    assert.ok(opened.ok, JSON.stringify(opened))
    const clock = { now: () => time.nowMs, monotonic: () => time.nowMs - START }
    return new DkimKeys({ folder: opened.folder, clock, log, domains: () => domains })
  }
  return {
    at,
    time,
    events,
    open,
    file: (domain: string) => path.join(at, fileName(domain)),
    setDomains(to: readonly string[]) {
      domains = to
    },
    told: (name: string) => events.filter((event) => event.name === name),
  }
}

const selectors = async (keys: DkimKeys, domain = 'example.test'): Promise<readonly string[]> =>
  (await keys.forDomain(domain)).map(({ selector }) => selector)

test('first needs that come at once make one pair for each domain, which is kept over a restart', async (t) => {
  const { open, at, told } = rig(t)
  const keys = open()
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, i) => keys.forDomain(i % 2 === 0 ? 'example.test' : 'second.test')),
  )
  assert.deepEqual(
    asked[0]?.map(({ selector, algorithm }) => [selector, algorithm]),
    [
      ['hk202611r', 'rsa-sha256'],
      ['hk202611e', 'ed25519-sha256'],
    ],
  )
  for (const [i, one] of asked.entries()) assert.deepEqual(one, asked[i % 2])
  assert.notEqual(asked[0]?.[0]?.privateKeyPem, asked[1]?.[0]?.privateKeyPem)
  assert.equal(told('dkim.made').length, 2)
  assert.deepEqual(readdirSync(at).sort(), ['dkim-example.test.pem', 'dkim-second.test.pem'])
  assert.deepEqual(await open().forDomain('example.test'), asked[0])
})

test('the public half in the record verifies what the private half signs', async (t) => {
  const keys = rig(t).open()
  const read = await keys.generations('example.test')
  assert.ok(read.ok)
  for (const key of read.generations[0]?.keys ?? []) {
    const octets = Buffer.from(key.publicKey, 'base64')
    const isRsa = key.algorithm === 'rsa-sha256'
    // rfc8463 §4.2: 32 octets without a structure around them.
    if (!isRsa) assert.equal(octets.length, 32)
    const der = isRsa ? octets : Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), octets])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    if (isRsa) assert.equal(publicKey.asymmetricKeyDetails?.modulusLength, 2048)
    const signature = sign(
      isRsa ? 'sha256' : null,
      Buffer.from('x'),
      createPrivateKey(key.privateKeyPem ?? ''),
    )
    assert.ok(verify(isRsa ? 'sha256' : null, Buffer.from('x'), publicKey, signature))
  }
})

test('nobody else is signed for, and nothing is made for them', async (t) => {
  const { open, at, setDomains } = rig(t)
  const keys = open()
  for (const domain of ['other.test', 'sub.example.test', 'test', '', '../example.test'])
    assert.deepEqual(await keys.forDomain(domain), [])
  setDomains([])
  assert.deepEqual(await keys.forDomain('example.test'), [])
  assert.deepEqual(readdirSync(at), [])
})

test('files are 0600 in a folder of 0700, also after they were opened to others', async (t) => {
  const { open, at, file } = rig(t)
  await open().forDomain('example.test')
  const mode = (of: string): number => statSync(of).mode & 0o777
  assert.deepEqual([mode(at), mode(file('example.test'))], [0o700, 0o600])
  chmodSync(file('example.test'), 0o644)
  open()
  assert.equal(mode(file('example.test')), 0o600)
})

test('a rotation signs with the old keys until the new records were seen for an hour', async (t) => {
  const { open, time, told } = rig(t)
  const keys = open()
  await keys.forDomain('example.test')
  const rotated = await keys.rotate('example.test', { now: false })
  assert.ok(rotated.ok)
  assert.deepEqual(
    rotated.generations.map(({ name, state }) => [name, state]),
    [
      ['hk202611', 'signing'],
      ['hk202611x02', 'waiting'],
    ],
  )
  const again = await keys.rotate('example.test', { now: false })
  assert.deepEqual(again, rotated, 'asked again it makes no more')
  const old = ['hk202611r', 'hk202611e']
  const look = (isSeen: boolean | undefined) => keys.noteLook('example.test', 'hk202611x02', isSeen)
  await look(true)
  time.nowMs += DKIM_SEEN_FOR_MS - 1
  await look(true)
  assert.deepEqual(await selectors(keys), old)
  // Gone again: it is counted anew.
  await look(false)
  time.nowMs += 1
  await look(true)
  time.nowMs += DKIM_SEEN_FOR_MS - 1
  await look(undefined)
  await look(true)
  assert.deepEqual(await selectors(keys), old)
  assert.deepEqual(await selectors(open()), old)
  time.nowMs += 1
  // What was looked for is no longer what waits.
  await keys.noteLook('example.test', 'hk202611', true)
  assert.deepEqual(await selectors(keys), old)
  await look(true)
  assert.deepEqual(await selectors(keys), ['hk202611x02r', 'hk202611x02e'])
  assert.deepEqual(await selectors(open()), ['hk202611x02r', 'hk202611x02e'])
  assert.equal(told('dkim.signing').length, 2)
})

test('the private keys that no longer sign are gone from the file, the public ones are not', async (t) => {
  const { open, file } = rig(t)
  const keys = open()
  const [rsa] = await keys.forDomain('example.test')
  const before = await keys.generations('example.test')
  await keys.rotate('example.test', { now: true })
  const text = readFileSync(file('example.test'), 'utf8')
  assert.ok(!text.includes(rsa?.privateKeyPem ?? 'none'))
  assert.equal(text.match(/BEGIN PRIVATE KEY/g)?.length, 2)
  const after = await open().generations('example.test')
  assert.ok(before.ok && after.ok)
  assert.equal(after.generations[0]?.state, 'retired')
  assert.equal(after.generations[0]?.keys[1]?.publicKey, before.generations[0]?.keys[1]?.publicKey)
})

test('a signature asked for while keys are made does not wait for them', async (t) => {
  const keys = rig(t).open()
  await keys.forDomain('example.test')
  let isDone = false
  const rotation = keys.rotate('example.test', { now: false }).then(() => {
    isDone = true
  })
  await keys.forDomain('example.test')
  assert.equal(isDone, false)
  await rotation
})

test('selectors sort by age, in one month and over the years, and none comes twice', async (t) => {
  const { open, time } = rig(t, ['example.test'])
  const keys = open()
  const seen: string[] = [...(await selectors(keys))]
  for (const days of [0, 0, 10, 20, 0, 31, 400, 0, 0, 0, 0, 0, 0, 0]) {
    time.nowMs += days * 86_400_000
    await keys.rotate('example.test', { now: true })
    seen.push(...(await selectors(keys)))
  }
  assert.equal(new Set(seen).size, seen.length)
  const rsa = seen.filter((selector) => selector.endsWith('r'))
  assert.deepEqual(rsa, [...rsa].sort())
  const read = await open().generations('example.test')
  assert.ok(read.ok && read.generations.length === 12, 'old ones are forgotten')
})

for (const [what, write, says] of [
  [
    'a file that is cut off',
    (text: string) => text.slice(0, -5),
    /is cut off\. It holds the DKIM keys of example\.test: put it back from a backup, or remove it/,
  ],
  [
    'a foreign file',
    () => '-----BEGIN PRIVATE KEY-----\n',
    /is not a file of DKIM keys that this program wrote/,
  ],
  [
    "another domain's keys",
    (text: string) => text.replace('Domain: example.test', 'Domain: evil.test'),
    /has the keys of evil\.test, not of example\.test/,
  ],
  ['a damaged key', (text: string) => text.replace(/MII./, 'AAAA'), /has a damaged key/],
] as const)
  test(`${what} is told and left alone; mail goes out unsigned, and what was mended is taken`, async (t) => {
    const { open, file, time, told } = rig(t)
    const first = await open().forDomain('example.test')
    const good = readFileSync(file('example.test'), 'utf8')
    const bad = write(good)
    writeFileSync(file('example.test'), bad)
    const keys = open()
    assert.deepEqual(await keys.forDomain('example.test'), [])
    assert.deepEqual(await keys.forDomain('example.test'), [])
    assert.equal(told('dkim.problem').length, 1, 'not at each message')
    assert.match(String(told('dkim.problem')[0]?.fields.cause), says)
    const rotated = await keys.rotate('example.test', { now: true })
    assert.equal(rotated.ok, false)
    assert.equal(readFileSync(file('example.test'), 'utf8'), bad)
    writeFileSync(file('example.test'), good)
    time.nowMs += DKIM_RETRY_MS + 1
    assert.deepEqual(await keys.forDomain('example.test'), first)
  })

test('a reload takes files that were put back, and keeps what is in memory where a file is broken', async (t) => {
  const { open, file } = rig(t, ['example.test'])
  const other = open()
  await other.forDomain('example.test')
  const before = readFileSync(file('example.test'), 'utf8')
  const keys = open()
  await keys.rotate('example.test', { now: true })
  const now = await selectors(keys)
  writeFileSync(file('example.test'), 'nonsense')
  const [sentence] = await keys.reload()
  assert.match(sentence ?? '', /dkim-example\.test\.pem is not a file of DKIM keys/)
  assert.deepEqual(await selectors(keys), now)
  writeFileSync(file('example.test'), before)
  assert.deepEqual(await keys.reload(), [])
  assert.deepEqual(await selectors(keys), ['hk202611r', 'hk202611e'])
  rmSync(file('example.test'))
  assert.deepEqual(await keys.reload(), [])
  const made = await keys.forDomain('example.test')
  assert.equal(made.length, 2)
  assert.notEqual(readFileSync(file('example.test'), 'utf8'), before)
})

test('what can not be written does not sign', async (t) => {
  const { open, at, told } = rig(t, ['example.test'])
  const keys = open()
  await keys.forDomain('example.test')
  const old = await selectors(keys)
  rmSync(at, { recursive: true })
  const rotated = await keys.rotate('example.test', { now: true })
  assert.ok(!rotated.ok)
  assert.match(rotated.sentence, /can't be written/)
  assert.deepEqual(await selectors(keys), old)
  const fresh = rig(t, ['example.test'])
  const others = fresh.open()
  rmSync(fresh.at, { recursive: true })
  assert.deepEqual(await others.forDomain('example.test'), [])
  assert.equal(fresh.told('dkim.problem').length, 1)
  assert.equal(told('dkim.problem').length, 0)
})

test('a domain of the greatest length has a file', async (t) => {
  const long = `${`${'a'.repeat(60)}.`.repeat(4)}test`
  const { open, at } = rig(t, [long])
  assert.equal((await open().forDomain(long)).length, 2)
  assert.ok((readdirSync(at)[0] ?? '').length < 100)
  assert.equal((await open().forDomain(long)).length, 2)
})
