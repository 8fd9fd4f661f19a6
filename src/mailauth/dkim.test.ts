import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dkimFinding } from './dkim.ts'
import { evaluate } from './evaluate.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ed25519Key, evidenceOf, keyAt, rsaKey, signed } from './signed.test-kit.ts'
import { FACTS, StillClock, ZoneDns } from './zone.test-kit.ts'

const KEY = rsaKey(2048)
const ED25519 = ed25519Key()
const DOMAIN = 'sender.example'
const ZONE = keyAt(DOMAIN, KEY)
const MESSAGE = [
  'From: Ann <ann@sender.example>',
  'To: bob@home.example',
  'Subject:  two   spaces',
  'Date: Sat, 31 Oct 2026 10:00:00 +0000',
  '',
  'one  two\tthree ',
  '',
  ' four',
  '',
  '',
  '',
].join('\r\n')

test('a genuine signature passes in each canonicalisation, with what it says of itself', async () => {
  for (const canonicalization of ['relaxed/relaxed', 'simple/simple', 'relaxed/simple', 'simple/relaxed']) {
    const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN, canonicalization })
    const { dkim, limits } = await evidenceOf(message, { zone: ZONE })
    const [found] = dkim
    assert.equal(found?.result, 'pass', canonicalization)
    assert.equal(found.domain, DOMAIN)
    assert.equal(found.selector, 's1')
    assert.equal(found.algorithm, 'rsa-sha256')
    assert.equal(found.keyBits, 2048)
    assert.ok(found.signs.includes('from'))
    assert.equal(found.b?.length, 8)
    assert.deepEqual(limits, [])
  }
})

test('an Ed25519 signature passes', async () => {
  const message = await signed(MESSAGE, { key: ED25519, domain: DOMAIN })
  const { dkim } = await evidenceOf(message, { zone: keyAt(DOMAIN, ED25519) })
  assert.deepEqual(
    dkim.map(({ result, algorithm }) => [result, algorithm]),
    [['pass', 'ed25519-sha256']],
  )
})

test('cut at every byte, a signed message gives the same evidence', async () => {
  for (const canonicalization of ['relaxed/relaxed', 'simple/simple']) {
    const message = await signed(MESSAGE, { key: ED25519, domain: DOMAIN, canonicalization })
    const zone = keyAt(DOMAIN, ED25519)
    const whole = await evidenceOf(message, { zone })
    assert.equal(whole.dkim[0]?.result, 'pass')
    for (let at = 1; at < message.length; at++) {
      const evidence = await evidenceOf(message, { zone, cuts: [at] })
      assert.deepEqual(evidence, whole, `cut at ${at}`)
    }
    const each = Array.from({ length: message.length - 1 }, (_, i) => i + 1)
    assert.deepEqual(await evidenceOf(message, { zone, cuts: each }), whole)
  }
})

test('bare LF as line ends do not change what was signed with CRLF', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const { dkim } = await evidenceOf(message.replaceAll('\r\n', '\n'), { zone: ZONE })
  assert.equal(dkim[0]?.result, 'pass')
})

test('a changed body, a changed header and an added field fail, each saying which', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const body = await evidenceOf(message.replace('four', 'five'), { zone: ZONE })
  assert.deepEqual(
    body.dkim.map(({ result, why }) => [result, why]),
    [['fail', 'the body was changed']],
  )
  const header = await evidenceOf(message.replace('Subject:  two', 'Subject: three'), { zone: ZONE })
  assert.deepEqual(
    header.dkim.map(({ result, why }) => [result, why]),
    [['fail', 'the signature does not fit the header']],
  )
})

test('l= that leaves octets unsigned is no pass and says how many; l= beyond the body is none either', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN, limitBytes: 10 })
  const short = (await evidenceOf(message, { zone: ZONE })).dkim[0]
  assert.equal(short?.result, 'policy')
  assert.equal(short.unsignedBytes, 'one two three\r\n\r\n four\r\n'.length - 10)
  const whole = (
    await evidenceOf(await signed(MESSAGE, { key: KEY, domain: DOMAIN, limitBytes: 24 }), { zone: ZONE })
  ).dkim[0]
  assert.equal(whole?.result, 'pass')
  const appended = (
    await evidenceOf(`${await signed(MESSAGE, { key: KEY, domain: DOMAIN, limitBytes: 24 })}more\r\n`, {
      zone: ZONE,
    })
  ).dkim[0]
  assert.equal(appended?.result, 'policy')
  const beyond = dkimFinding(
    { type: 'DKIM' },
    { canonBodyLengthLimit: 25, canonBodyLengthTotal: 24, status: { result: 'pass' } },
  )
  assert.deepEqual([beyond.result, beyond.why], ['permerror', 'l= signs 25 octets of a body of 24'])
})

test('a key that is missing, revoked, of another kind or for another service is permanent', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const name = `s1._domainkey.${DOMAIN}`
  const cases: readonly (readonly [string, string])[] = [
    ['v=DKIM1; p=', 'the key is revoked or cannot be read'],
    ['v=DKIM2; p=AAAA', 'the key has a version that is not known'],
    [KEY.record.replace('k=rsa', 'k=rsa; s=chat'), 'the key is not for mail'],
    [KEY.record.replace('k=rsa', 'k=rsa; h=sha1'), 'the key does not allow this hash'],
    [ED25519.record, 'the key is not of the algorithm that the signature names'],
    ['v=DKIM1; p=!!!', 'the key is revoked or cannot be read'],
    [`v=DKIM1; p=${'A'.repeat(LIMITS.keyRecordBytes)}`, 'the key is revoked or cannot be read'],
  ]
  for (const [record, why] of cases) {
    const { dkim } = await evidenceOf(message, { zone: { [name]: { TXT: [record] } } })
    assert.deepEqual([dkim[0]?.result, dkim[0]?.why], ['permerror', why], record.slice(0, 60))
  }
  const none = (await evidenceOf(message)).dkim[0]
  assert.deepEqual([none?.result, none?.why], ['permerror', 'there is no key at that name'])
})

test('a DNS that does not answer is temporary, never "no key"', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const { dkim, dns } = await evidenceOf(message, { zone: { [`s1._domainkey.${DOMAIN}`]: { down: true } } })
  assert.equal(dkim[0]?.result, 'temperror')
  assert.ok(dns.some(({ name, said }) => name === `s1._domainkey.${DOMAIN}` && said === 'failed: SERVFAIL'))
})

test('short keys, long keys and rsa-sha1 never pass (rfc8301 §3.1, §3.2)', async () => {
  const short = rsaKey(768)
  const weak = (
    await evidenceOf(await signed(MESSAGE, { key: short, domain: DOMAIN }), { zone: keyAt(DOMAIN, short) })
  ).dkim[0]
  assert.deepEqual([weak?.result, weak?.why], ['policy', 'the key has fewer than 1024 bits'])
  const long = rsaKey(4104)
  const strong = (
    await evidenceOf(await signed(MESSAGE, { key: long, domain: DOMAIN }), { zone: keyAt(DOMAIN, long) })
  ).dkim[0]
  assert.deepEqual([strong?.result, strong?.why], ['policy', 'the key has more than 4096 bits'])
})

test('an expired signature fails', async () => {
  const message = await signed(MESSAGE, {
    key: KEY,
    domain: DOMAIN,
    signedAt: new Date(Date.UTC(2026, 8, 1)),
    expires: new Date(Date.UTC(2026, 8, 2)),
  })
  const [found] = (await evidenceOf(message, { zone: ZONE })).dkim
  assert.deepEqual([found?.result, found?.why], ['fail', 'the signature has expired'])
})

test('of 500 signatures 16 are looked at, those of the author first, and the evidence says so', async () => {
  const genuine = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const field = (i: number): string =>
    `DKIM-Signature: v=1; a=rsa-sha256; d=d${i}.other.example; s=s; h=from; bh=AAAA; b=AAAA${i}\r\n`
  const many = Array.from({ length: 500 }, (_, i) => field(i)).join('')
  const { dkim, limits, dns } = await evidenceOf(many + genuine, { zone: ZONE })
  assert.equal(dkim.length, LIMITS.signatures)
  assert.equal(dkim.filter(({ result }) => result === 'pass').length, 1)
  assert.deepEqual(limits, [
    "there are 501 DKIM signatures; 16 were looked at, those of the author's domain first",
  ])
  assert.ok(dns.length < 40)
})

test('a signature that lists hundreds of names, and a fifth way to hash the body, are not followed', async () => {
  const names = Array.from({ length: 500 }, () => 'x').join(':')
  const long = `DKIM-Signature: v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; h=from:${names}; bh=AAAA; b=AAAA\r\n`
  const listed = await evidenceOf(long + MESSAGE, { zone: ZONE })
  assert.equal(listed.dkim[0]?.result, 'neutral')
  assert.match(listed.limits.join(), /lists more than 400 fields/)
  const field = (l: number): string =>
    `DKIM-Signature: v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; l=${l}; h=from; bh=AAAA; b=AAAA${l}\r\n`
  const hashed = await evidenceOf([1, 2, 3, 4, 5, 6].map(field).join('') + MESSAGE, { zone: ZONE })
  assert.equal(hashed.dkim.length, 6)
  assert.match(hashed.limits.join(), /hashed in 4 ways/)
})

test('attack: long lists of long names do not fill the evidence; List-Id is seen wherever it stands', async () => {
  const names = Array.from({ length: 390 }, (_, i) => `x-${i}-${'y'.repeat(70)}`)
  const h = ['from', ...names, 'list-id'].join(':')
  const field = `DKIM-Signature: v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; h=${h}; bh=AAAA; b=AAAA\r\n`
  const found = await evidenceOf(field.repeat(6) + MESSAGE, { zone: ZONE })
  assert.ok(JSON.stringify(found).length < 32_000, `${JSON.stringify(found).length}`)
  const { signs } = found.dkim[0] ?? { signs: [] }
  assert.deepEqual([signs[0], signs.at(-1), signs.length], ['from', 'list-id', LIMITS.signedNamesKept + 1])
})

test('NUL, broken tags and odd names in a signature are results', async () => {
  const fields = [
    'DKIM-Signature: v=1; a=rsa-sha256; d=send\0er.example; s=s1; h=from; bh=AAAA; b=AAAA',
    'DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=s1\0.evil; h=from; bh=AAAA; b=AAAA',
    'DKIM-Signature: \0',
    'DKIM-Signature:',
    'DKIM-Signature: v=1; v=1; a=rsa-sha256; d=sender.example; s=s1; h=from; bh=AAAA; b=AAAA',
    'DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=s1; h=to; bh=AAAA; b=AAAA',
    `DKIM-Signature: v=1; a=rsa-sha256; d=${'a.'.repeat(140)}example; s=s1; h=from; bh=AAAA; b=AAAA`,
    'DKIM-Signature: v=1; a=rsa-sha256; c=__proto__/x; d=sender.example; s=s1; h=from; bh=AAAA; b=AAAA',
    ...['/simple', '/relaxed', ' / ', '/', ''].map(
      (c) => `DKIM-Signature: v=1; a=rsa-sha256; c=${c}; d=sender.example; s=s1; h=from; bh=AAAA; b=AAAA`,
    ),
    'DKIM-Signature: __proto__=1; constructor=2; v=1; a=rsa-sha256; d=sender.example; s=s1; h=from; bh=A; b=A',
  ]
  for (const field of fields) {
    const { dkim } = await evidenceOf(`${field}\r\n${MESSAGE}`, { zone: ZONE })
    assert.equal(dkim.length, 1, field)
    assert.ok(
      ['neutral', 'permerror', 'fail'].includes(dkim[0]?.result ?? ''),
      `${field}: ${dkim[0]?.result}`,
    )
  }
})

test('a header beyond the limits is a stated result: its signatures are not looked at', async () => {
  const message = await signed(MESSAGE, { key: KEY, domain: DOMAIN })
  const padded: readonly (readonly [string, RegExp, string])[] = [
    [`X-Pad: ${'x'.repeat(LIMITS.headerBytes)}\r\n`, /octets/, ''],
    ['X-Pad: x\r\n'.repeat(LIMITS.headerFields), /fields/, ''],
    [`X-Pad: x\r\n${' x\r\n'.repeat(LIMITS.headerLines)}`, /lines/, DOMAIN],
    [`X-Pad: x${'\t'.repeat(200_000)}x\r\n`, /white-space/, DOMAIN],
    [`X-Pad: x${'\r'.repeat(200_000)}x\r\n`, /white-space/, DOMAIN],
    [`Return-Path: ${'a:'.repeat(100_000)}\r\n`, /Return-Path/, DOMAIN],
  ]
  for (const [padding, expected, domain] of padded) {
    const { dkim, dmarc, limits } = await evidenceOf(padding + message, { zone: ZONE })
    assert.deepEqual(dkim, [])
    assert.deepEqual([dmarc.result, dmarc.domain], [domain === '' ? 'permerror' : 'none', domain])
    assert.equal(limits.length, 1)
    assert.match(limits.join(), expected)
  }
})

test('names in a signature that no name can have are not turned into A-labels', async () => {
  for (const tag of ['d', 's', 'i']) {
    const field = `DKIM-Signature: v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; h=from; bh=AAAA; b=AAAA`
    const long = field.replace(tag === 'i' ? 'h=' : `${tag}=`, `${tag}=${'\xc3\xa4.'.repeat(50_000)};`)
    const { dkim } = await evidenceOf(`${long}\r\n${MESSAGE}`, { zone: ZONE })
    assert.deepEqual(
      dkim.map(({ result, why }) => [result, why]),
      [['neutral', 'its names are longer than names can be']],
    )
  }
})

test('a body that nothing signs is not read', async () => {
  let read = 0
  const content = {
    sizeBytes: 100_000,
    async *pieces() {
      for (const piece of [MESSAGE, ...Array.from({ length: 50 }, () => 'x'.repeat(1000))]) {
        read++
        yield Buffer.from(piece)
      }
    },
  }
  await evaluate(content, FACTS, { dns: new ZoneDns({}), clock: new StillClock() })
  assert.equal(read, 1)
})
