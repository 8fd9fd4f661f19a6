import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { EVALUATION_LIMITS as LIMITS } from '../mailauth/limits.ts'
import { ed25519Key, rsaKey, signed } from '../mailauth/signed.test-kit.ts'
import { fate, honestMailArrives, idIn, letter, newest, send, startGuarded } from './forger.test-kit.ts'

/* Signatures, ARC sets and policies that want to cost much, or to vouch for whom they may not, at a running server. */

const guarded = await startGuarded()
const { dns, house } = guarded
after(() => guarded.stop())

const KEY = ed25519Key()
const SIGNED_AT = new Date(Date.now() - 60_000)
const VICTIM = ['From: CEO <ceo@victim.test>', 'Message-ID: <1@victim.test>']
dns.set({
  's1._domainkey.attacker.test': [['TXT', KEY.record]],
  's1._domainkey.victim.test': [['TXT', KEY.record]],
})
const by = (domain: string) => ({ key: KEY, domain, signedAt: SIGNED_AT })

async function evidenceIn(id: string | undefined) {
  assert.ok(id !== undefined)
  const trace = await house.server.house.ports.traces.find({ id, limit: 1 })
  const found = trace?.flatMap(({ events }) => events).find((fact) => fact.kind === 'authentication')
  assert.ok(found?.kind === 'authentication')
  return found.evidence
}

test('attack 17d: of 500 signatures 16 cost a question, all else goes on, and the genuine one among them counts', async () => {
  const account = await house.account()
  const many = Array.from(
    { length: 500 },
    (_, i) =>
      `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d${i}.attacker.test; s=s${i}; h=from; bh=AAAA; b=AAAA`,
  )
  const content = letter([...many, ...VICTIM])
  const before = dns.asked.length
  const [first] = await Promise.all([
    fate(guarded, { to: account.login, content }),
    honestMailArrives(guarded, account.login),
  ])
  assert.match(first, /^refused 550 5\.7\.26/)
  assert.ok(dns.asked.length - before <= 2 * LIMITS.signatures + 20, `${dns.asked.length - before} questions`)
  const genuine = await signed(letter(VICTIM), by('victim.test'))
  const flooded = `${many.slice(0, 300).join('\r\n')}\r\n${genuine}`
  const answer = await send(guarded, { to: account.login, content: flooded })
  const { dkim, dmarc, limits } = await evidenceIn(idIn(answer))
  assert.equal(dmarc.result, 'pass')
  assert.equal(dkim.length, LIMITS.signatures)
  assert.match(limits.join(), /there are 301 DKIM signatures/)
})

test('attack 17g: a genuine signature on another message, and a valid one of another domain, vouch for nobody', async () => {
  const { login } = await house.account()
  const genuine = await signed(letter(VICTIM), by('victim.test'))
  const signature = genuine.slice(0, genuine.indexOf('From: CEO'))
  for (const content of [
    signature + letter(VICTIM, 'Another text.\r\n'),
    signature + letter(['From: CEO <other@victim.test>', 'Message-ID: <1@victim.test>']),
    signature + letter([...VICTIM, 'Subject: Another']),
    await signed(letter(VICTIM), by('attacker.test')),
    await signed(signature + letter(VICTIM, 'Another.\r\n'), by('attacker.test')),
    genuine.replace('d=victim.test', 'd=attacker.test'),
  ])
    assert.match(await fate(guarded, { to: login, content }), /^refused 550 5\.7\.26/)
  assert.equal(await fate(guarded, { to: login, content: genuine }), 'delivered')
})

test('attack 17b: a second Subject, To, Date or From above what is signed is refused by its name', async () => {
  const { login } = await house.account()
  const genuine = await signed(letter([...VICTIM, 'To: you@example.test']), by('victim.test'))
  for (const field of [
    'Subject: Free',
    'To: x@y.test',
    'Date: Mon, 1 Jan 2024 00:00:00 +0000',
    'From: a@b.test',
  ])
    assert.match(
      await send(guarded, { to: login, content: `${field}\r\n${genuine}` }),
      new RegExp(`^554 5\\.6\\.0 2 ${field.split(':')[0]} fields`),
    )
})

test('attack 17e: keys of 5,120 and 16,384 bits, of 64 KiB, of nothing: none vouches, and none stalls', async () => {
  const { login } = await house.account()
  const long = rsaKey(5_120)
  const records = {
    long: long.record,
    huge: `v=DKIM1; k=rsa; p=${Buffer.alloc(2_100, 7).toString('base64')}`,
    vast: `v=DKIM1; k=rsa; p=${'A'.repeat(60_000)}`,
    broken: 'v=DKIM1; k=rsa; p=MIIBCgKCAQEA',
    short: rsaKey(512).record,
    empty: 'v=DKIM1; p=',
  }
  for (const [selector, record] of Object.entries(records)) {
    dns.set({ [`${selector}._domainkey.victim.test`]: [['TXT', record]] })
    const content = await signed(letter(VICTIM), {
      ...{ domain: 'victim.test', key: selector === 'long' ? long : rsaKey(1024) },
      ...{ selector, signedAt: SIGNED_AT },
    })
    const [answer] = await Promise.all([
      fate(guarded, { to: login, content }),
      honestMailArrives(guarded, login),
    ])
    assert.match(answer, /^refused (550 5\.7\.26|451 4\.7\.5)/, selector)
  }
})

test('attack 19a, 19b: sixty ARC sets, gaps, doubles and contradictions hold a forgery at most, and others go on', async () => {
  const { login } = await house.account()
  const set = (i: number | string, cv: string): string[] => [
    `ARC-Seal: i=${i}; a=rsa-sha256; cv=${cv}; d=attacker.test; s=s1; b=AAAA`,
    `ARC-Message-Signature: i=${i}; a=rsa-sha256; c=relaxed/relaxed; d=attacker.test; s=s1; h=from; bh=AAAA; b=AAAA`,
    `ARC-Authentication-Results: i=${i}; mail.example.test; dmarc=pass header.from=victim.test`,
  ]
  const chain = (length: number): string[] =>
    Array.from({ length }, (_, i) => set(length - i, length - i === 1 ? 'none' : 'pass')).flat()
  for (const sets of [
    chain(60),
    chain(50),
    [...set(3, 'pass'), ...set(1, 'none')],
    [...set(1, 'none'), ...set(1, 'none')],
    set(1, 'pass'),
    set(1, 'fail'),
    [...set(2, 'none'), ...set(1, 'none')],
    set('1; i=2', 'none'),
    set('0', 'none'),
    set('٣', 'none'),
    set(99999999999, 'pass'),
  ]) {
    const [answer] = await Promise.all([
      fate(guarded, { to: login, content: letter([...sets, ...VICTIM]) }),
      honestMailArrives(guarded, login),
    ])
    assert.equal(answer, 'held')
  }
})

test('attack 9a, 14b: a header of 300 KiB, of 2,500 fields, of one line of 100 KiB around a forged From is refused', async () => {
  const { login } = await house.account()
  for (const fields of [
    [...Array.from({ length: 400 }, (_, i) => `X-${i}: ${'x'.repeat(800)}`), ...VICTIM],
    [...Array.from({ length: 2_500 }, (_, i) => `X-${i}: x`), ...VICTIM],
    [...VICTIM, `X-Long: ${`${'y'.repeat(900)}\r\n `.repeat(120)}y`],
    [`X-Long: ${`${' '.repeat(900)}\r\n `.repeat(200)}y`, ...VICTIM],
    [...Array.from({ length: 1_000 }, () => 'From: x@attacker.test'), ...VICTIM],
    [`From: ${'x@attacker.test, '.repeat(600)}ceo@victim.test`],
  ]) {
    const [answer] = await Promise.all([
      fate(guarded, { to: login, content: letter(fields) }),
      honestMailArrives(guarded, login),
    ])
    assert.match(answer, /^refused 55[024] 5\./)
  }
})

test('attack 18e: keys at servers that never answer do not keep the policy of the author from being seen', async () => {
  const { login } = await house.account()
  dns.set({ 'dead.test': () => undefined })
  let content = letter(VICTIM)
  for (let i = 0; i < 4; i++) content = await signed(content, by(`d${i}.dead.test`))
  const [answer] = await Promise.all([
    fate(guarded, { to: login, content }),
    honestMailArrives(guarded, login),
  ])
  assert.match(answer, /^refused 550 5\.7\.26/)
})

test('attack 18b, 18d: an author of many labels and a record of odd tags end as the record says', async () => {
  const account = await house.account()
  dns.set({ '_dmarc.odd.test': [['TXT', 'v=DMARC1; __proto__=p; constructor=none; p=reject; np=reject']] })
  const before = dns.asked.length
  for (const domain of ['odd.test', `${'a.'.repeat(100)}odd.test`]) {
    const content = letter([`From: a@${domain}`])
    assert.match(await fate(guarded, { to: account.login, content }), /^refused 550 5\.7\.26/)
  }
  const walked = dns.asked.slice(before).filter((asked) => asked.startsWith('TXT _dmarc.'))
  assert.ok(walked.length <= 2 * 8, walked.join())
  await honestMailArrives(guarded, account.login)
  assert.match(await newest(guarded, account), /dmarc=none/)
})
