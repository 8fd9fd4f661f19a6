import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fate, honestMailArrives, letter, newest, send, startGuarded } from './forger.test-kit.ts'

/* Forged authors and forged results at a running server. */

const guarded = await startGuarded({ policy: { received_spf: true } })
const { house } = guarded
after(() => guarded.stop())

const FROM: Readonly<Record<string, readonly string[]>> = {
  'two From fields, ours first': ['From: a@victim.test', 'From: x@attacker.test'],
  'two From fields, ours last': ['From: x@attacker.test', 'From: a@victim.test'],
  'two equal From fields': ['From: a@victim.test', 'From: a@victim.test'],
  'From with a space before the colon': ['From : a@victim.test', 'From: x@attacker.test'],
  'only From with a space before the colon': ['From : a@victim.test'],
  'From behind a space': [' From: a@victim.test', 'From: x@attacker.test'],
  'From folded before the colon': ['From\r\n : a@victim.test', 'From: x@attacker.test'],
  'From behind a NUL': ['\0From: a@victim.test', 'From: x@attacker.test'],
  'From with a NUL': ['From\0: a@victim.test', 'From: x@attacker.test'],
  'From behind a vertical tab': ['\x0bFrom: a@victim.test', 'From: x@attacker.test'],
  'From behind a no-break space': ['\xa0From: a@victim.test', 'From: x@attacker.test'],
  'From behind a byte order mark': ['\xef\xbb\xbfFrom: a@victim.test', 'From: x@attacker.test'],
  'FROM and from': ['FROM: a@victim.test', 'from: x@attacker.test'],
  'a NUL in the address': ['From: a@victim.test\0@attacker.test'],
  'a NUL behind the address': ['From: <x@attacker.test>\0<a@victim.test>'],
  'two addresses': ['From: x@attacker.test, a@victim.test'],
  'two addresses, the victim first': ['From: a@victim.test, x@attacker.test'],
  'two addresses without a comma': ['From: <a@victim.test> <x@attacker.test>'],
  'an empty element first': ['From: ,a@victim.test,x@attacker.test'],
  'an encoded word as address': ['From: =?utf-8?Q?a=40victim.test?= <x@attacker.test>, a@victim.test'],
  'an address in an encoded word alone': ['From: =?utf-8?B?YUB2aWN0aW0udGVzdA==?='],
  'brackets in an encoded word': ['From: =?utf-8?Q?=3Ca@victim.test=3E?= x@attacker.test <a@victim.test>'],
  'an encoded word within the address': ['From: <=?utf-8?Q?a@victim.test=2C?=@attacker.test>'],
  'a quoted pair': ['From: "a@victim.test\\" <x@attacker.test>"@victim.test'],
  'a quoted local part with the address of the victim': ['From: "a@victim.test"@attacker.test'],
  'a route': ['From: <@attacker.test,@any.test:a@victim.test>'],
  'a route through the victim': ['From: <@victim.test:x@attacker.test>'],
  'a group': ['From: friends: a@victim.test, x@attacker.test;'],
  'an address as the name of a group': ['From: a@victim.test: x@attacker.test;'],
  'a comment with the address': ['From: x@attacker.test (<a@victim.test>)'],
  'a comment within': ['From: a@victim.test(@attacker.test)'],
  'a comment that is not closed': ['From: a@victim.test (x@attacker.test'],
  'the name is an address, bare': ['From: a@victim.test <x@attacker.test>'],
  'the name is an address behind a comma': ['From: "a, a@victim.test" a@victim.test <x@attacker.test>'],
  'spaces in the address': ['From: a@victim .test'],
  'a fold in the address': ['From: a@victim\r\n .test'],
  'a percent': ['From: a%victim.test@victim.test'],
  'a final dot': ['From: a@victim.test.'],
  'letter case': ['From: A@VICTIM.TEST'],
  'full width letters': ['From: a@\xef\xbd\x96ictim.test'],
  'soft hyphens': ['From: a@vic\xc2\xadtim.test'],
  'a subdomain that does not exist': ['From: a@made.up.victim.test'],
  'an empty From': ['From: '],
  'an empty address': ['From: <>'],
  'no From, a Sender': ['Sender: a@victim.test'],
  'no From, a Resent-From': ['Resent-From: a@victim.test', 'Reply-To: a@victim.test'],
  'Sender, twice': ['From: x@attacker.test', 'Sender: a@victim.test', 'Sender: x@attacker.test'],
  'Subject, twice': ['From: a@victim.test', 'Subject: a', 'Subject: b'],
}

test('attack 14b: of many ways to write the author none is delivered as one whom nobody vouches for', async () => {
  const { login } = await house.account()
  for (const [what, fields] of Object.entries(FROM)) {
    const answer = await fate(guarded, { to: login, content: letter(fields) })
    assert.match(answer, /^refused 55[04] 5\./, what)
    const bounce = await fate(guarded, { to: login, mail: '<>', content: letter(fields) })
    assert.match(bounce, /^refused 55[04] 5\./, `${what}, null sender`)
  }
  const rules = house
    .logged('message.refused')
    .flatMap(({ fields: { rule } }) => (rule ? [String(rule)] : []))
  assert.deepEqual([...new Set(rules)].sort(), ['author-domains', 'author-unclear', 'dmarc', 'header-count'])
  await honestMailArrives(guarded, login)
})

test('attack 14b: a name or another field that says somebody else is delivered as the author that it has, and told', async () => {
  const account = await house.account()
  for (const fields of [
    ['From: "a@victim.test" <x@attacker.test>'],
    ['From: =?utf-8?Q?a=40victim.test?= <x@attacker.test>'],
    ['From: x@attacker.test', 'Sender: a@victim.test'],
    ['From: x@attacker.test', 'Resent-From: a@victim.test'],
    ['From: x@attacker.test', 'Reply-To: a@victim.test', 'X-From: a@victim.test'],
    ['From: x@victim.test.attacker.test'],
  ]) {
    assert.equal(await fate(guarded, { to: account.login, content: letter(fields) }), 'delivered', fields[0])
    const header = await newest(guarded, account)
    assert.match(header, /header\.from=(?:victim\.test\.)?attacker\.test\r\n/)
  }
})

test('attack 16c: a null sender, and a HELO name of the attacker that passes, vouch for the attacker only', async () => {
  const { login } = await house.account()
  for (const helo of [
    'mx.attacker.test',
    'victim.test',
    'x.victim.test',
    '[203.0.113.66]',
    'a@victim.test',
  ]) {
    const sent = { to: login, helo, mail: '<>', content: letter(['From: a@victim.test']) }
    // A name of the victim's that says nothing of its servers proves nothing against them: held.
    assert.match(await fate(guarded, sent), helo === 'x.victim.test' ? /^held$/ : /^refused 5/, helo)
  }
})

const ENVELOPES: readonly { readonly helo?: string; readonly mail?: string }[] = [
  { helo: 'x(dmarc=pass' },
  { helo: 'attacker.test;dmarc=pass' },
  { helo: 'attacker.test";dmarc=pass' },
  { helo: 'attacker.test\\";dmarc=pass header.from=victim.test' },
  { helo: 'a)b(;spf=pass' },
  { helo: '[203.0.113.66];dkim=pass' },
  { mail: '<"a) dmarc=pass header.from=victim.test (b"@attacker.test>' },
  { mail: '<"; dmarc=pass header.from=victim.test;"@attacker.test>' },
  { mail: '<"\\"; dkim=pass header.d=victim.test; \\""@attacker.test>' },
  { mail: '<x;dmarc=pass@attacker.test>' },
  { mail: '<x=dkim=pass@attacker.test>' },
  { mail: '<x@attacker.test(victim.test)>' },
  { mail: '<x@victim.test.attacker.test;spf=pass>' },
  { mail: '<>', helo: 'attacker.test(.victim.test' },
]

test('attack 15b: HELO and MAIL FROM put no result, comment or pair into what we say', async () => {
  const account = await house.account()
  for (const envelope of ENVELOPES) {
    const content = letter(['From: x@attacker.test'])
    const answer = await fate(guarded, { to: account.login, ...envelope, content })
    const what = JSON.stringify(envelope)
    if (answer !== 'delivered') {
      assert.match(answer, /^refused 5/, what)
      continue
    }
    const header = await newest(guarded, account)
    const results = /^Authentication-Results:[^\n]*(?:\n[ \t][^\n]*)*/m.exec(header)?.[0] ?? ''
    const named = [...results.matchAll(/\b(spf|dkim|arc|dmarc)=(\w+)/g)].map(([whole]) => whole)
    assert.deepEqual(
      named.map((one) => one.split('=')[0]),
      ['spf', 'dkim', 'arc', 'dmarc'],
      `${what}\n${results}`,
    )
    assert.ok(!named.includes('dmarc=pass') || results.includes('header.from=attacker.test'), results)
    assert.doesNotMatch(results, /victim\.test(?!\.attacker)/)
    const spf = /^Received-SPF:[^\n]*(?:\n[ \t][^\n]*)*/m.exec(header)?.[0] ?? ''
    assert.equal([...spf.matchAll(/envelope-from=/g)].length, 1, spf)
    assert.doesNotMatch(spf, /\b(?:dmarc|dkim|spf)=/, spf)
  }
})

const OURS = 'mail.example.test'
const CLAIMS: readonly string[] = [
  `Authentication-Results: ${OURS}; dmarc=pass header.from=victim.test`,
  `Authentication-Results: ${OURS.toUpperCase()}; dmarc=pass header.from=victim.test`,
  `AUTHENTICATION-RESULTS:${OURS};dmarc=pass header.from=victim.test`,
  `Authentication-Results : ${OURS}; dmarc=pass header.from=victim.test`,
  `Authentication-Results:\r\n ${OURS} 1;\r\n dmarc=pass header.from=victim.test`,
  `Authentication-Results: "${OURS}"; dmarc=pass header.from=victim.test`,
  `Authentication-Results: "mail\\.example.test"; dmarc=pass header.from=victim.test`,
  `Authentication-Results: (other.test) ${OURS} (x); dmarc=pass header.from=victim.test`,
  `Authentication-Results: ${OURS}.; dmarc=pass header.from=victim.test`,
  `Authentication-Results: ${OURS}/1; dmarc=pass header.from=victim.test`,
  `Authentication-Results: =?utf-8?Q?${OURS}?=; dmarc=pass header.from=victim.test`,
  `Authentication-Results: mail.ex\0ample.test; dmarc=pass header.from=victim.test`,
  `Authentication-Results: \xef\xbd\x8dail.example.test; dmarc=pass header.from=victim.test`,
  `Authentication-Results: other.test; spf=none\r\nAuthentication-Results: ${OURS}; dmarc=pass header.from=victim.test`,
  `Received-SPF: pass (${OURS}: victim.test permits) receiver=${OURS}; client-ip=192.0.2.25`,
]

test('attack 15a: results in our own name are taken out in every spelling, signed or not; ours stand above', async () => {
  const account = await house.account()
  for (const claim of CLAIMS) {
    const content = letter([claim, 'From: x@attacker.test', claim, 'X-Kept: yes'])
    const answer = await send(guarded, { to: account.login, content })
    if (!answer.startsWith('250')) {
      assert.match(answer, /^5/, claim)
      continue
    }
    const header = await newest(guarded, account)
    assert.doesNotMatch(header, /header\.from=victim|victim\.test permits/, claim)
    assert.match(header, /X-Kept: yes/)
    assert.match(header, /^[^\n]*\r\nReturn-Path:[^\n]*\r\nAuthentication-Results: mail\.example\.test;/)
  }
})
