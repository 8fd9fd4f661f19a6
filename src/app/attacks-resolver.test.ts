import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type * as dns from 'dns-packet'
import { EVALUATION_LIMITS as LIMITS } from '../mailauth/limits.ts'
import { fate, honestMailArrives, letter, startGuarded } from './forger.test-kit.ts'
import { framed, type Misbehaviour, response } from './hostile-dns.test-kit.ts'

/* Mail whose senders have name servers of every bad kind: each ends as it is said, and honest mail goes on meanwhile. */

const guarded = await startGuarded()
const { dns: world, house } = guarded
after(() => guarded.stop())

const nameOf = (query: dns.DecodedPacket): string => query.questions?.[0]?.name ?? ''
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const txt = (name: string, ...texts: readonly string[]): Partial<dns.Packet> => ({
  answers: texts.map((data) => ({ type: 'TXT' as const, name, ttl: 60, data })),
})
const TRUNCATED = 0x0200

const DEADLY: Readonly<Record<string, Misbehaviour>> = {
  'never.test': () => undefined,
  'late.test': async (query) => {
    await later(4_000)
    return [response(query, txt(nameOf(query), 'v=spf1 +all'))]
  },
  'servfail.test': (query) => [response(query, {}, 2)],
  'refused.test': (query) => [response(query, {}, 5)],
  'garbage.test': () => [Buffer.from('garbage'), Buffer.alloc(600, 0xc0)],
  'other-name.test': (query) => [
    response(query, {
      questions: [{ type: 'TXT', name: 'honest.test' }],
      ...txt('honest.test', 'v=spf1 +all'),
    }),
  ],
  'other-id.test': (query) => [response({ ...query, id: 1 } as never, txt(nameOf(query), 'v=spf1 +all'))],
  'circle.test': (query) => [
    response(query, { answers: [{ type: 'CNAME', name: nameOf(query), ttl: 60, data: nameOf(query) }] }),
  ],
  'endless.test': (query) => [
    response(query, {
      answers: [{ type: 'CNAME', name: nameOf(query), ttl: 60, data: `n.${nameOf(query)}` }],
    }),
  ],
  'trickle.test': (query, over) => {
    if (over === 'udp') return [response(query, { flags: TRUNCATED } as never)]
    // One octet and no more: a length that never comes.
    return [Buffer.from([0])]
  },
  'truncated.test': (query, over) => {
    const cut = response(query, { flags: TRUNCATED } as never)
    return [over === 'udp' ? cut : framed(cut)]
  },
}

test('attack 21g: servers that are dead, late, lying, in circles: 451 where they decide, and honest mail in between', {
  timeout: 180_000,
}, async () => {
  const { login } = await house.account()
  world.set(DEADLY)
  const ended: string[] = []
  const all = Object.keys(DEADLY).map(async (domain) => {
    // Each question to that one takes its ten seconds: fewer are enough.
    const mail = domain === 'trickle.test' ? '<>' : `<x@${domain}>`
    const content = letter([`From: a@${domain}`])
    const answer = await fate(guarded, { to: login, mail, content, isPatient: true })
    ended.push(domain)
    return `${domain} ${answer}`
  })
  // The dead ones have only begun when these are through.
  await honestMailArrives(guarded, login)
  assert.ok(ended.length < all.length, 'honest mail waited for every dead server')
  await honestMailArrives(guarded, login)
  for (const answer of await Promise.all(all)) assert.match(answer, /^\S+ refused 451 4\./)
})

test('attack 21g: a forged author is refused however dead the servers of the envelope and of the signature are', async () => {
  const { login } = await house.account()
  world.set(DEADLY)
  for (const domain of ['servfail.test', 'garbage.test', 'circle.test']) {
    const signature = `DKIM-Signature: v=1; a=rsa-sha256; d=${domain}; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA`
    for (const mail of [`<x@${domain}>`, '<x@attacker.test>']) {
      const content = letter([signature, 'From: a@victim.test'], '')
      const answer = await fate(guarded, { to: login, mail, content })
      assert.match(answer, /^refused (550 5\.7\.26|451 4\.)/, `${domain} ${mail}`)
    }
  }
  await honestMailArrives(guarded, login)
})

test('attack 21g, 16a: a thousand TXT records, and 64 KiB of them: a stated result, no more questions', async () => {
  const { login } = await house.account()
  world.set({
    'thousand.test': (query, over) => {
      const texts = Array.from({ length: 1_000 }, (_, i) => `record number ${i}`)
      if (over === 'udp') return [response(query, { flags: TRUNCATED } as never)]
      return [framed(response(query, txt(nameOf(query), ...texts)))]
    },
  })
  const before = world.asked.length
  const sent = { to: login, mail: '<x@thousand.test>', content: letter(['From: a@thousand.test']) }
  const answer = await fate(guarded, sent)
  assert.match(answer, /^(delivered|refused 451 4\.)/)
  assert.ok(world.asked.length - before < 40, `${world.asked.length - before} questions`)
  await honestMailArrives(guarded, login)
})

test('attack 16a, 16b: SPF floods of a sender cost a bounded number of questions, and its mail ends as its author says', async () => {
  const { login } = await house.account()
  const records: Record<string, readonly (readonly ['TXT' | 'A' | 'MX', string])[]> = {
    '_dmarc.flood.test': [['TXT', 'v=DMARC1; p=reject']],
    'loop.flood.test': [
      ['TXT', 'v=spf1 include:loop.flood.test include:flood.test -all'],
      ['A', '192.0.2.1'],
    ],
    'macro.flood.test': [
      ['TXT', `v=spf1 ${'exists:%{l}.%{i}.%{h}.%{d}.flood.test '.repeat(12)}-all`],
      ['A', '192.0.2.1'],
    ],
    'ptr.flood.test': [
      ['TXT', `v=spf1 ${'ptr:flood.test '.repeat(11)}-all`],
      ['A', '192.0.2.1'],
    ],
    'mx.flood.test': [
      ['TXT', `v=spf1 ${Array.from({ length: 10 }, (_, i) => `mx:m${i}.flood.test`).join(' ')} -all`],
      ['A', '192.0.2.1'],
    ],
    'hundred.flood.test': [
      ['TXT', 'v=spf1 mx -all'],
      ['A', '192.0.2.1'],
      ...Array.from({ length: 100 }, (_, i) => ['MX', `h${i}.flood.test`] as const),
    ],
    'long.flood.test': [
      ['TXT', `v=spf1 ${'ip4:192.0.2.1 '.repeat(4_000)}-all`],
      ['A', '192.0.2.1'],
    ],
  }
  for (let i = 0; i < 10; i++) {
    records[`m${i}.flood.test`] = Array.from(
      { length: 10 },
      (_, j) => ['MX', `x${i}-${j}.flood.test`] as const,
    )
    for (let j = 0; j < 10; j++) records[`x${i}-${j}.flood.test`] = [['A', '198.51.100.1']]
  }
  world.set(records)
  for (const domain of Object.keys(records).filter((name) => /^[a-z]{2,}\.flood\.test$/.test(name))) {
    const before = world.asked.length
    const sent = { to: login, mail: `<x@${domain}>`, content: letter(['From: a@flood.test']) }
    const answer = await fate(guarded, sent)
    await honestMailArrives(guarded, login)
    assert.match(answer, /^refused (550 5\.7\.26|451 4\.)/, domain)
    const questions = world.asked.length - before
    assert.ok(questions <= LIMITS.spfQuestions + 30, `${domain}: ${questions} questions`)
  }
})

test('attack 21g: forty messages of a dead domain do not keep the next from being judged', async () => {
  const { login } = await house.account()
  world.set({ 'never.test': () => undefined })
  const order: string[] = []
  const dead = Array.from({ length: 40 }, async (_, i) => {
    const mail = `<x@n${i}.never.test>`
    const answer = await fate(guarded, {
      ...{ to: login, mail, client: `198.51.100.${i + 1}`, isPatient: true },
      content: letter([`From: a@n${i}.never.test`]),
    })
    order.push('dead')
    return answer
  })
  await honestMailArrives(guarded, login)
  order.push('honest')
  for (const answer of await Promise.all(dead)) assert.match(answer, /^refused (451 4\.|4)/)
  assert.notEqual(order.at(-1), 'honest')
})
