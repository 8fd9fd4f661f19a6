import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evidence } from '../mail/authentication.ts'
import type { Answer } from '../ports/resolver.ts'
import { evaluate } from './evaluate.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ed25519Key, evidenceOf, keyAt, rsaKey, type SignAs, signed } from './signed.test-kit.ts'
import { contentOf, FACTS, StillClock, type Zone, ZoneDns } from './zone.test-kit.ts'

/* A forger against one evaluation: he owns attacker.example with all of its DNS, and names an author of victim.example. */

const KEY = ed25519Key()
const FORGED =
  'From: CEO <ceo@victim.example>\r\nTo: bob@home.example\r\nSubject: Pay\r\nDate: Sat, 31 Oct 2026 10:00:00 +0000\r\n\r\nPay.\r\n'
const VICTIM: Zone = { '_dmarc.victim.example': { TXT: ['v=DMARC1; p=reject'] } }
const ATTACKER = { reversePath: { local: 'x', domain: 'attacker.example' } }

async function signedBy(message: string, ...signatures: readonly SignAs[]): Promise<string> {
  let all = message
  for (const one of signatures) all = await signed(all, one)
  return all
}

/** Some names give no answer until somebody loses patience; the others come out of the zone. */
class PartlyDeadDns extends ZoneDns {
  readonly #clock: StillClock
  readonly #dead: (name: string) => boolean

  constructor(zone: Zone, clock: StillClock, dead: (name: string) => boolean) {
    super(zone)
    this.#clock = clock
    this.#dead = dead
  }

  override async txt(name: string): Promise<Answer<string>> {
    if (!this.#dead(name)) return super.txt(name)
    this.asked.push(`TXT ${name}`)
    this.#clock.goOn(6_000)
    return { kind: 'temporary', cause: 'no answer' }
  }
}

test('attack 18e: keys at dead servers use up their time, and the policy of the author is asked all the same', async () => {
  const message = await signedBy(
    FORGED,
    ...Array.from({ length: 10 }, (_, i) => ({ key: KEY, domain: `d${i}.attacker.example` })),
  )
  const clock = new StillClock()
  const zone = { ...VICTIM, 'attacker.example': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] } }
  const dns = new PartlyDeadDns(zone, clock, (name) => name.includes('._domainkey.'))
  const found = await evaluate(contentOf(Buffer.from(message)), { ...FACTS, ...ATTACKER }, { dns, clock })
  assert.equal(found.spf.result, 'pass')
  assert.match(found.limits.join(), /DKIM and ARC: the DNS did not answer in time/)
  assert.deepEqual([found.dmarc.result, found.dmarc.policy], ['fail', 'reject'])
})

test('attack 18e: signatures, ARC sets and deep names use up their questions, and none of the policy', async () => {
  const domains = Array.from({ length: 16 }, (_, i) => `a.b.c.d.e.f.g.h${i}.attacker.example`)
  const keys = Object.assign({}, ...domains.map((domain) => keyAt(domain, KEY))) as Zone
  const message = await signedBy(FORGED, ...domains.map((domain) => ({ key: KEY, domain })))
  const sets = Array.from({ length: 50 }, (_, i) =>
    [
      `ARC-Seal: i=${50 - i}; a=rsa-sha256; cv=${i === 49 ? 'none' : 'pass'}; d=s${i}.attacker.example; s=k; b=AAAA`,
      `ARC-Message-Signature: i=${50 - i}; a=rsa-sha256; c=relaxed/relaxed; d=s${i}.attacker.example; s=k; h=from; bh=AAAA; b=AAAA`,
      `ARC-Authentication-Results: i=${50 - i}; mx.attacker.example; dmarc=pass header.from=victim.example`,
    ].join('\r\n'),
  )
  const found = await evidenceOf(`${sets.join('\r\n')}\r\n${message}`, {
    zone: { ...VICTIM, ...keys },
    facts: ATTACKER,
  })
  assert.equal(found.dkim.filter(({ result }) => result === 'pass').length, 16)
  assert.equal(found.arc.result, 'fail')
  assert.deepEqual([found.dmarc.result, found.dmarc.policy], ['fail', 'reject'])
})

test('attack 17b: a signature that leaves From out, or that a second From was put above, vouches for nobody', async () => {
  const zone = { ...VICTIM, ...keyAt('victim.example', KEY) }
  const genuine = await signed(FORGED, { key: KEY, domain: 'victim.example' })
  assert.equal((await evidenceOf(genuine, { zone })).dmarc.result, 'pass')
  const other = genuine.replace(/h=([^;]*)/, (h) => h.replace(/from:?/gi, 'x-from:'))
  assert.notEqual(other, genuine)
  const unsigned = await evidenceOf(other, { zone })
  assert.deepEqual([unsigned.dkim[0]?.result, unsigned.dmarc.result], ['neutral', 'fail'])
  const twice = await evidenceOf(`From: a@attacker.example\r\n${genuine}`, { zone })
  assert.equal(twice.dmarc.result, 'permerror')
})

test('attack 17b: fields that were put above those that are signed, to show another message, are not vouched for', async () => {
  const zone = { ...VICTIM, ...keyAt('victim.example', KEY) }
  const content = FORGED.replace('Date:', 'MIME-Version: 1.0\r\nContent-Type: text/plain\r\nDate:')
  const genuine = await signed(content, { key: KEY, domain: 'victim.example' })
  for (const field of [
    'Content-Type: text/html',
    'content-type : text/html',
    'Subject: Free',
    'To: x@y.example',
  ]) {
    const { dkim, dmarc } = await evidenceOf(`${field}\r\n${genuine}`, { zone })
    assert.deepEqual([dkim[0]?.result, dmarc.result], ['policy', 'fail'], field)
    assert.match(dkim[0]?.why ?? '', /^there are 2 [a-z-]+ fields, and it signs 1 of them$/)
  }
  const twice = await signed(`Content-Type: text/plain\r\n${content}`, { key: KEY, domain: 'victim.example' })
  assert.equal((await evidenceOf(twice, { zone })).dkim[0]?.result, 'pass', 'two that are both signed')
  const harmless = await evidenceOf(`MIME-Version: 1.0\r\nX-Other: 1\r\n${genuine}`, { zone })
  assert.equal(harmless.dmarc.result, 'pass')
})

test('attack 17c: l= over nothing, over half, over more than there is: none passes', async () => {
  const zone = { ...VICTIM, ...keyAt('victim.example', KEY) }
  const body = `${FORGED}More.\r\n`
  for (const limitBytes of [0, 1, 5]) {
    const cut = await signed(body, { key: KEY, domain: 'victim.example', limitBytes })
    const { dkim, dmarc } = await evidenceOf(cut, { zone })
    assert.deepEqual([dkim[0]?.result, dmarc.result], ['policy', 'fail'], String(limitBytes))
    const added = await evidenceOf(`${cut}<html>Another text</html>\r\n`, { zone })
    assert.notEqual(added.dmarc.result, 'pass')
  }
  const whole = await signed(body, { key: KEY, domain: 'victim.example' })
  for (const l of ['99999', '-1', '1e3', '0x5', '18446744073709551617', '5, 6', ''])
    assert.notEqual(
      (await evidenceOf(whole.replace('d=victim.example;', `l=${l}; d=victim.example;`), { zone })).dmarc
        .result,
      'pass',
      l,
    )
})

test('attack 17a: NUL, controls, quotes and longer names in d= and s= never become the domain of the victim', async () => {
  const names = [
    'victim.example\0.attacker.example',
    'attacker.example\0victim.example',
    'victim.example.attacker.example',
    'victim.example_attacker.example',
    'attacker.example (victim.example)',
    '"victim.example"',
    'victim.example@attacker.example',
    'attacker.example@victim.example',
    'victim.example;d=attacker.example',
    '.victim.example',
    'victim.example..',
    'xvictim.example',
    'example',
    'ｖictim.example.attacker.example',
    'victim.example#',
    'victim.example/..',
    'vic\ttim.example',
    'victim%2eexample',
  ]
  const zone: Zone = {
    ...VICTIM,
    ...Object.assign(
      {},
      ...['attacker.example', 'victim.example.attacker.example', 'xvictim.example', 'example'].map((name) =>
        keyAt(name, KEY),
      ),
    ),
  }
  const signature = await signed(FORGED, { key: KEY, domain: 'attacker.example' })
  for (const name of names)
    for (const message of [
      signature.replace('d=attacker.example', `d=${name}`),
      signature.replace('s=s1', `s=${name}`),
      signature.replace('d=attacker.example', `d=attacker.example; i=@${name}`),
    ]) {
      const found = await evidenceOf(message, { zone, facts: ATTACKER })
      assert.notEqual(found.dmarc.result, 'pass', JSON.stringify(name))
      for (const { domain, selector, identity = '' } of found.dkim)
        assert.doesNotMatch(domain + selector + identity, /[\x00-\x1f]/)
    }
})

test('attack 17e: keys of 16,384 bits, of absurd exponents, of broken DER, of 64 KiB: each a permanent result', async () => {
  const message = await signed(FORGED, { key: rsaKey(1024), domain: 'victim.example' })
  const der = (...hex: readonly string[]): string => Buffer.from(hex.join(''), 'hex').toString('base64')
  const modulus = `0282010100${'c1'.repeat(256)}`
  const records: Readonly<Record<string, string>> = {
    'an exponent of 2,048 bits': der('30820208', modulus, `02820101${'00'}${'f3'.repeat(256)}`),
    'an exponent of one': der('3082010a', modulus, '020101'),
    'an even exponent': der('3082010a', modulus, '020102'),
    'a modulus of zero': der('3006', '020100', '020103'),
    'lengths that lie': der('3084ffffffff', '0284ffffffff', '00'),
    'a length of 127 octets': der(`30ff${'ff'.repeat(127)}`),
    'nested without end': der('3080'.repeat(400)),
    nothing: 'A',
    'no base64': '!!!!',
    'of another kind': Buffer.alloc(31, 1).toString('base64'),
  }
  for (const [what, p] of Object.entries(records)) {
    const zone = { ...VICTIM, 's1._domainkey.victim.example': { TXT: [`v=DKIM1; k=rsa; p=${p}`] } }
    const { dkim, dmarc } = await evidenceOf(message, { zone })
    assert.ok(
      ['permerror', 'fail', 'neutral', 'policy'].includes(dkim[0]?.result ?? ''),
      `${what}: ${dkim[0]?.result}`,
    )
    assert.equal(dmarc.result, 'fail', what)
  }
  for (const record of [
    `v=DKIM1; k=rsa; p=${'A'.repeat(64 * 1024)}`,
    `v=DKIM1; k=rsa; p=${Buffer.alloc(16_384 / 8 + 40, 7).toString('base64')}`,
    `v=DKIM1; n=${'n'.repeat(65_000)}; p=AAAA`,
    `v=DKIM1; ${'h=sha256; '.repeat(6_000)}p=AAAA`,
  ]) {
    const zone = { ...VICTIM, 's1._domainkey.victim.example': { TXT: [record] } }
    const { dkim } = await evidenceOf(message, { zone })
    assert.deepEqual([dkim[0]?.result, dkim[0]?.why], ['permerror', 'the key is revoked or cannot be read'])
  }
})

test('attack 17f: t=s with another i=, a signature of tomorrow, of yesterday, and an x= before its t=', async () => {
  const strict = { ...KEY, record: `${KEY.record}; t=s` }
  const zone = { ...VICTIM, ...keyAt('victim.example', strict) }
  const whole = await signed(FORGED, { key: KEY, domain: 'victim.example' })
  const now = new StillClock().now()
  const expired = await signed(FORGED, {
    key: KEY,
    domain: 'victim.example',
    signedAt: new Date(now - 3_600_000),
    expires: new Date(now - 60_000),
  })
  for (const message of [
    whole.replace('d=victim.example', 'd=victim.example; i=@sub.victim.example'),
    whole.replace(/ t=\d+/, ' t=99999999999'),
    whole.replace(/ t=\d+/, ' t=2; x=1'),
    expired,
  ])
    assert.equal((await evidenceOf(message, { zone })).dmarc.result, 'fail')
})

const spfOf = async (
  zone: Zone,
  facts: Partial<typeof FACTS> = {},
): Promise<Evidence & { asked: number }> => {
  const dns = new ZoneDns(zone)
  const found = await evaluate(
    contentOf(Buffer.from(FORGED)),
    { ...FACTS, ...ATTACKER, ...facts },
    {
      dns,
      clock: new StillClock(),
    },
  )
  return { ...found, asked: dns.asked.length }
}

test('attack 16a: includes in circles, ten terms and one more, void look-ups: permanent errors, few questions', async () => {
  const record = (text: string): Zone => ({ 'attacker.example': { TXT: [text] } })
  const chain = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `i${i}.attacker.example`,
      { TXT: [`v=spf1 include:i${i + 1}.attacker.example include:i${i + 2}.attacker.example -all`] },
    ]),
  )
  const many = (term: (i: number) => string, count: number): string =>
    `v=spf1 ${Array.from({ length: count }, (_, i) => term(i)).join(' ')} -all`
  const cases: Readonly<Record<string, Zone>> = {
    'includes itself': record('v=spf1 include:attacker.example -all'),
    'redirects to itself': record('v=spf1 redirect=attacker.example'),
    'a tree of includes': { ...chain, ...record('v=spf1 include:i0.attacker.example -all') },
    'eleven a terms': {
      ...record(many((i) => `a:h${i}.attacker.example`, 11)),
      ...Object.fromEntries(
        Array.from({ length: 11 }, (_, i) => [`h${i}.attacker.example`, { A: ['198.51.100.1'] }]),
      ),
    },
    'three names that are not there': record(many((i) => `a:void${i}.attacker.example`, 3)),
    'an mx of a hundred names': {
      ...record('v=spf1 mx -all'),
      'attacker.example': {
        TXT: ['v=spf1 mx -all'],
        MX: Array.from({ length: 100 }, (_, i) => ({ preference: i, exchange: `m${i}.attacker.example` })),
      },
    },
    'eleven ptr terms': record(many(() => 'ptr:attacker.example', 11)),
    'a macro in a circle': record('v=spf1 exists:%{d}.%{d}.%{d}.%{d}.%{d}.%{d} redirect=%{d}'),
    'a macro that has no end': record(`v=spf1 exists:${'%{'.repeat(2_000)} -all`),
    'a macro of letters that are none': record('v=spf1 exists:%{z}.%{__proto__}.attacker.example -all'),
  }
  for (const [what, zone] of Object.entries(cases)) {
    const { spf, dmarc, asked } = await spfOf(zone)
    assert.equal(spf.result, 'permerror', `${what}: ${spf.why}`)
    assert.equal(dmarc.result, 'none')
    assert.ok(asked <= 40, `${what}: ${asked} questions`)
  }
})

test('attack 16b: macros that grow are cut to names that can be, and cost no more than their length', async () => {
  const floods = [
    `v=spf1 ${'exists:%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}.%{s}%{s}%{s}%{s}.attacker.example '.repeat(10)}-all`,
    `v=spf1 exists:${'%{i}.%{h}.%{o}.%{d}.'.repeat(80)}attacker.example -all`,
    `v=spf1 exists:${'%{l1r+-/_=.,}'.repeat(300)} -all`,
    `v=spf1 exists:%{d999999999999r}.attacker.example ?all`,
    `v=spf1 ${'?exists:%{p} '.repeat(9)}-all`,
    `v=spf1 exp=${'%{c}%{r}%{t}'.repeat(200)} -all`,
  ]
  for (const record of floods) {
    const { spf, asked } = await spfOf(
      { 'attacker.example': { TXT: [record] } },
      { reversePath: { local: 'a-b+c=d/e_f'.repeat(5), domain: 'attacker.example' }, helo: 'h.'.repeat(100) },
    )
    assert.ok(['permerror', 'fail', 'neutral'].includes(spf.result), `${spf.result}: ${record.slice(0, 60)}`)
    assert.ok(asked <= 40, `${asked} questions: ${record.slice(0, 60)}`)
    assert.ok((spf.why ?? '').length <= LIMITS.whyChars + 1)
  }
})

test('attack 18a: strict alignment holds in both directions, for SPF and for DKIM', async () => {
  const domains = ['victim.example', 'sub.victim.example', 'other.victim.example']
  const keys = Object.assign({}, ...domains.map((domain) => keyAt(domain, KEY))) as Zone
  for (const author of domains)
    for (const voucher of domains)
      for (const [adkim, aspf] of ['ss', 'rr', 'sr', 'rs']) {
        const zone: Zone = {
          ...keys,
          ...Object.fromEntries(domains.map((name) => [name, { TXT: ['v=spf1 ip4:192.0.2.1 -all'] }])),
          '_dmarc.victim.example': { TXT: [`v=DMARC1; p=reject; adkim=${adkim}; aspf=${aspf}`] },
        }
        const from = FORGED.replace('ceo@victim.example', `ceo@${author}`)
        const byKey = await evidenceOf(await signed(from, { key: KEY, domain: voucher }), {
          zone,
          facts: ATTACKER,
        })
        const what = `${voucher} for ${author}, adkim=${adkim} aspf=${aspf}`
        assert.equal(byKey.dmarc.result, author === voucher || adkim === 'r' ? 'pass' : 'fail', what)
        const bySpf = await evidenceOf(from, {
          zone,
          facts: { reversePath: { local: 'x', domain: voucher } },
        })
        assert.equal(bySpf.dmarc.result, author === voucher || aspf === 'r' ? 'pass' : 'fail', what)
      }
})

test('attack 18b: tags named as members of every object, tags twice, several records: nothing is polluted', async () => {
  const results = new Map<string, readonly [string, string | undefined]>()
  const records: Readonly<Record<string, readonly string[]>> = {
    proto: ['v=DMARC1; p=reject; __proto__=x; constructor=y; toString=z; hasOwnProperty=1'],
    'proto alone': ['v=DMARC1; __proto__=p=none; p=reject'],
    'p twice': ['v=DMARC1; p=reject; p=none'],
    'two records': ['v=DMARC1; p=reject', 'v=DMARC1; p=none'],
    'a record and a lookalike': [
      'v=DMARC1; p=reject',
      'v=DMARC12; p=none',
      'v=dmarc1; p=none',
      ' x v=DMARC1; p=none',
    ],
    'a thousand others': [...Array.from({ length: 1_000 }, (_, i) => `x=${i}`), 'v=DMARC1; p=reject'],
    controls: ['v=DMARC1;\0 p=none; p=reject'],
  }
  for (const [what, TXT] of Object.entries(records)) {
    const { dmarc } = await evidenceOf(FORGED, {
      zone: { '_dmarc.victim.example': { TXT } },
      facts: ATTACKER,
    })
    results.set(what, [dmarc.result, dmarc.policy])
  }
  assert.deepEqual(Object.fromEntries(results), {
    proto: ['fail', 'reject'],
    'proto alone': ['fail', 'reject'],
    'p twice': ['none', undefined],
    'two records': ['none', undefined],
    'a record and a lookalike': ['fail', 'reject'],
    'a thousand others': ['fail', 'reject'],
    controls: ['fail', 'reject'],
  })
  assert.equal(Object.hasOwn(Object.prototype, 'p'), false)
})

test('attack 18c: a subdomain that does not exist gets np, one that does gets sp; a psd lends its policy to nobody below as an organization', async () => {
  const zone: Zone = {
    '_dmarc.victim.example': { TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject'] },
    'real.victim.example': { A: ['192.0.2.9'] },
    '_dmarc.registry.example': { TXT: ['v=DMARC1; p=reject; psd=y'] },
    ...keyAt('one.registry.example', KEY),
    'two.registry.example': { A: ['192.0.2.9'] },
  }
  const policyOf = async (domain: string) =>
    (await evidenceOf(FORGED.replace('ceo@victim.example', `ceo@${domain}`), { zone, facts: ATTACKER })).dmarc
      .policy
  assert.equal(await policyOf('real.victim.example'), 'quarantine')
  assert.equal(await policyOf('made-up.victim.example'), 'reject')
  const from = FORGED.replace('ceo@victim.example', 'ceo@two.registry.example')
  const neighbour = await signed(from, { key: KEY, domain: 'one.registry.example' })
  const { dmarc, dkim } = await evidenceOf(neighbour, { zone, facts: ATTACKER })
  assert.deepEqual([dkim[0]?.result, dmarc.result, dmarc.policy], ['pass', 'fail', 'reject'])
})

test('attack 18d: an author of a hundred labels costs eight questions for its policy', async () => {
  const domain = `${'a.'.repeat(100)}victim.example`
  const dns = new ZoneDns(VICTIM)
  const { dmarc } = await evaluate(
    contentOf(Buffer.from(FORGED.replace('ceo@victim.example', `ceo@${domain}`))),
    { ...FACTS, ...ATTACKER },
    { dns, clock: new StillClock() },
  )
  const walked = dns.asked.filter((asked) => asked.startsWith('TXT _dmarc.'))
  assert.ok(walked.length <= 8, walked.join())
  assert.deepEqual([dmarc.result, dmarc.policy], ['fail', 'reject'])
})
