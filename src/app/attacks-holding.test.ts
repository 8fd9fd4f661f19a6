import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ed25519Key, signed } from '../mailauth/signed.test-kit.ts'
import {
  count,
  fate,
  fateOf,
  honestMailArrives,
  idIn,
  letter,
  newest,
  type Sent,
  send,
  startGuarded,
} from './forger.test-kit.ts'
import { QuarantineDuty } from './server/quarantine-duty.ts'

/* What holds mail and what lets it pass, abused: exceptions, the backup server, aliases, Junk, digests, reports of success. */

const BACKUP = '198.51.100.25'
const guarded = await startGuarded({
  domains: { names: ['example.test', 'junk.test'], test_domain: 'try.test' },
  policy: { secondaries: [BACKUP] },
  quarantine: { junk_domains: ['junk.test'], digest_hour: 0 },
})
const { dns, house } = guarded
after(() => guarded.stop())
const { ports } = house.server.house

const KEY = ed25519Key()
const STRANGER = ed25519Key()
dns.set({
  's1._domainkey.list.test': [['TXT', KEY.record]],
  's1._domainkey.attacker.test': [['TXT', STRANGER.record]],
  'list.test': [['A', '192.0.2.80']],
})
const SIGNED_AT = new Date(Date.now() - 60_000)
const VICTIM = ['From: Boss <boss@victim.test>', 'Message-ID: <1@victim.test>']
const LIST = 'List-Id: The list <a.list.test>'
const byList = (content: string) => signed(content, { key: KEY, domain: 'list.test', signedAt: SIGNED_AT })

/** What stands in the queue for a domain elsewhere. */
const queuedFor = async (domain: string): Promise<number> =>
  (await ports.queue.list({ limit: 1_000 })).filter(({ recipients }) =>
    recipients.some(({ address }) => address.domain === domain),
  ).length

test('attack 34a: an exception for a list is for nobody who only says that he is it', async () => {
  const { login } = await house.account()
  const sent = (content: string): Sent => ({ to: login, content })
  const genuine = await byList(letter([...VICTIM, LIST]))
  assert.equal(await fate(guarded, sent(genuine)), 'held')
  await house.run('trust.add', { dkim: 'list.test', list: 'a.list.test' })
  assert.equal(await fate(guarded, sent(genuine)), 'delivered')
  const signature = genuine.slice(0, genuine.indexOf('From: Boss'))
  const forgeries = {
    'List-Id alone': letter([...VICTIM, LIST]),
    'signed by another': await signed(letter([...VICTIM, LIST]), {
      ...{ key: STRANGER, domain: 'attacker.test', signedAt: SIGNED_AT },
    }),
    'said to be of the list, by another key': await signed(letter([...VICTIM, LIST]), {
      ...{ key: STRANGER, domain: 'list.test', signedAt: SIGNED_AT },
    }),
    'the signature of the list on another text': signature + letter([...VICTIM, LIST], 'Another.\r\n'),
    'the signature of the list on another author': signature + letter(['From: x@victim.test', LIST]),
    'a signature that does not cover List-Id': await byList(letter(VICTIM)).then(
      (one) => `${LIST}\r\n${one}`,
    ),
    'a second List-Id above': `${LIST.replace('a.list', 'b.list')}\r\n${genuine}`,
    'a second List-Id below': genuine.replace('\r\n\r\n', '\r\nList-Id: <b.list.test>\r\n\r\n'),
    'another list of that domain': await byList(letter([...VICTIM, 'List-Id: <b.list.test>'])),
    'two identifiers in one': await byList(letter([...VICTIM, 'List-Id: <a.list.test> <b.list.test>'])),
    'the identifier in a comment': await byList(
      letter([...VICTIM, 'List-Id: (<a.list.test>) <b.list.test>']),
    ),
  }
  for (const [what, content] of Object.entries(forgeries))
    assert.equal(await fate(guarded, sent(content)), 'held', what)
  const two = `From: other@victim.test\r\n${genuine}`
  assert.match(await fate(guarded, sent(two)), /^refused 554/)
  await honestMailArrives(guarded, login)
})

test('attack 34b: a stranger writes Received lines of our backup server and gains nothing', async () => {
  const { login } = await house.account()
  for (const received of [
    `from victim.test (victim.test [192.0.2.25]) by backup.example.test (Postfix) with ESMTP id 1`,
    `from [192.0.2.25] (${BACKUP}) by ${BACKUP}`,
    `from ${BACKUP} (backup [${BACKUP}]) by mail.example.test with ESMTP`,
  ]) {
    const content = letter([`Received: ${received}; Tue, 24 Nov 2026 10:00:00 +0000`, ...VICTIM])
    const sent = { to: login, mail: '<boss@victim.test>', content }
    assert.match(await fate(guarded, sent), /^refused 550 5\.7\.26/)
    assert.match(await fate(guarded, { ...sent, to: 'nobody@example.test' }), /^refused 550 5\.1\.1/)
  }
})

test('attack 34b: by way of our backup server a HELO name chooses no address, and nothing is refused to it', async () => {
  const { login } = await house.account()
  const line = (from: string) =>
    `Received: from ${from} by backup.example.test with ESMTP id 1; Tue, 24 Nov 2026 10:00:00 +0000`
  const through = (from: string) =>
    fate(guarded, {
      ...{ to: login, client: BACKUP, helo: 'backup.example.test', mail: '<boss@victim.test>' },
      content: letter([line(from), ...VICTIM]),
    })
  dns.set({ '_dmarc.victim.test': [['TXT', 'v=DMARC1; p=reject']] })
  assert.equal(await through('mx.victim.test (mx.victim.test [192.0.2.25])'), 'delivered')
  for (const from of [
    'mx.attacker.test (mx.attacker.test [203.0.113.66])',
    'a[192.0.2.25] (mx.attacker.test [203.0.113.66])',
    '[192.0.2.25] (mx.attacker.test [203.0.113.66])',
    'a (192.0.2.25) (mx.attacker.test [203.0.113.66])',
    'a ([192.0.2.25]) (mx.attacker.test [203.0.113.66])',
    'by (a [192.0.2.25]) (mx.attacker.test [203.0.113.66])',
    '127.0.0.1 (localhost [203.0.113.66])',
  ])
    assert.equal(await through(from), 'held', from)
  const below = letter([
    line('mx.attacker.test (mx.attacker.test [203.0.113.66])'),
    line('mx.victim.test (mx.victim.test [192.0.2.25])'),
    ...VICTIM,
  ])
  const sent = { to: login, client: BACKUP, mail: '<boss@victim.test>', content: below }
  assert.equal(await fate(guarded, sent), 'held')
})

test('attack 34b: to our backup server neither an envelope of nowhere, nor a broken header, nor an unknown user is refused', async () => {
  const { login } = await house.account()
  const received =
    'Received: from mx.attacker.test (mx.attacker.test [203.0.113.66]) by backup.example.test with ESMTP id 1; Tue, 24 Nov 2026 10:00:00 +0000'
  const through = (more: Partial<Sent>) =>
    fate(guarded, {
      ...{ to: login, client: BACKUP, helo: 'backup.example.test', content: letter([received, ...VICTIM]) },
      ...more,
    })
  const two = letter([received, 'From: a@victim.test', 'From: b@attacker.test'])
  assert.equal(await through({ mail: '<x@does.not.exist.attacker.test>' }), 'held')
  assert.equal(await through({ content: two }), 'held')
  assert.equal(await through({ to: 'nobody@example.test' }), 'held')
  const loop = letter([...Array.from({ length: 200 }, () => received), ...VICTIM])
  assert.match(await through({ content: loop }), /^refused 554 5\.4\.6/, 'a loop must end somewhere')
})

test('attack 14b: our own domain from outside is refused where we publish a policy; without one it is told as none', async () => {
  const account = await house.account()
  const sent = { to: account.login, content: letter([`From: Boss <boss@example.test>`]) }
  assert.equal(await fate(guarded, sent), 'delivered')
  assert.match(await newest(guarded, account), /dmarc=none[^;]*header\.from=example\.test/)
  dns.set({ '_dmarc.junk.test': [['TXT', 'v=DMARC1; p=reject']] })
  const published = { to: account.login, content: letter(['From: Boss <boss@junk.test>']) }
  assert.match(await fate(guarded, published), /^refused 550 5\.7\.26/)
})

const HELD = letter(['From: Boss <boss@held.test>'])

test('attack 34c: what is held for an alias goes nowhere until it is released, beside Junk neither', async () => {
  const account = await house.account()
  const junk = await house.account('someone@junk.test')
  await house.run('alias.add', { alias: 'away@example.test', targets: ['me@elsewhere.test', account.login] })
  await house.run('alias.add', { alias: 'away@junk.test', targets: ['me@elsewhere.test'] })
  const to = ['away@example.test', 'away@junk.test', junk.login]
  const answer = await send(guarded, { to, content: HELD })
  assert.match(answer, /^250 /)
  assert.equal(await queuedFor('elsewhere.test'), 0)
  assert.equal(await count(guarded, account), 0)
  assert.equal(await count(guarded, junk), 0, 'not INBOX')
  const [held] = await ports.quarantine.list({ limit: 1 })
  assert.ok(held !== undefined)
  assert.deepEqual(held.recipients.map(({ address }) => address).sort(), [
    'away@example.test',
    'me@elsewhere.test',
  ])
  await house.run('quarantine.release', { id: held.id })
  assert.equal(await queuedFor('elsewhere.test'), 1)
  assert.equal(await count(guarded, account), 1)
})

test('attack 34c: a released message does not go where no alias leads any more', async () => {
  await house.run('alias.add', { alias: 'gone@example.test', targets: ['me@left.test'] })
  const id = idIn(await send(guarded, { to: 'gone@example.test', content: HELD }))
  assert.ok(id !== undefined)
  await house.run('alias.remove', { alias: 'gone@example.test' })
  const released = await house.server.run('quarantine.release', { id })
  assert.ok(!released.ok && /me@left\.test/.test(released.error), JSON.stringify(released))
  assert.equal(await queuedFor('left.test'), 0)
  await house.run('alias.add', { alias: 'again@example.test', targets: ['me@left.test'] })
  await house.run('quarantine.release', { id })
  assert.equal(await queuedFor('left.test'), 1)
})

test('attack 34d: NOTIFY=SUCCESS sends nothing to a stranger in the envelope of an author of his own', async () => {
  const { login } = await house.account()
  const ask = { to: login, rcpt: ' NOTIFY=SUCCESS' }
  dns.set({ '_dmarc.attacker.test': [['TXT', 'v=DMARC1; p=none']] })
  const content = await signed(letter(['From: x@attacker.test']), {
    ...{ key: STRANGER, domain: 'attacker.test', signedAt: SIGNED_AT },
  })
  const forged = await fate(guarded, { ...ask, mail: '<ann@honest.test> RET=FULL', content })
  assert.equal(forged, 'delivered')
  assert.equal(await queuedFor('honest.test'), 0)
  assert.equal(await fate(guarded, { ...ask, mail: '<x@mx.attacker.test>', content }), 'delivered')
  assert.equal(await queuedFor('mx.attacker.test'), 1)
})

test('attack 34e: the digest says what is held and nothing that its sender has made up', async () => {
  const account = await house.account()
  const evil = Buffer.from(
    'Pay\r\nNumber: 000\r\nBcc: x@attacker.test\r\n\u001b[2J\u202e https://attacker.test',
  ).toString('base64')
  const content = letter([
    `From: =?utf-8?B?${Buffer.from('Boss\r\nHeld until: never\u001b]0;x\u0007').toString('base64')}?= <boss@held.test>`,
    `Subject: =?utf-8?B?${evil}?=`,
  ])
  const id = idIn(await send(guarded, { to: account.login, content }))
  assert.equal(await fateOf(guarded, `250 2.0.0 Accepted, on disk as ${id}`), 'held')
  await new QuarantineDuty(ports, () => ports.clock.now()).run()
  const [header, text] = [await newest(guarded, account), await newest(guarded, account, 'TEXT')]
  assert.doesNotMatch(header, /^Bcc:|attacker\.test/im)
  const body = /quoted-printable/i.test(header) ? text.replace(/=\r\n/g, '') : text
  const plain = /base64/i.test(header) ? Buffer.from(body, 'base64').toString() : body
  assert.deepEqual(plain.match(/^Number: .*$/gm)?.length, 1, plain)
  assert.equal(plain.match(/^Held until: .*$/gm)?.length, 1)
  assert.doesNotMatch(plain, /[\x1b\x07\u202e]|https:\/\/attacker/)
})

test('attack 34f: a flood of mail to be held takes no more than its room, told as such, and the next look comes within a minute', async () => {
  const flooded = await startGuarded({ quarantine: { max_size: '1 MiB', digest: false } })
  try {
    const { login } = await flooded.house.account()
    const { quarantine, clock, traces } = flooded.house.server.house.ports
    const content = letter(['From: Boss <boss@held.test>'], `${'x'.repeat(70)}\r\n`.repeat(4_000))
    const ids = []
    for (let i = 0; i < 6; i++) ids.push(idIn(await send(flooded, { to: login, content })))
    await honestMailArrives(flooded, login)
    const waits: number[] = []
    const watched = {
      ...clock,
      after: (ms: number, callback: () => void) => {
        waits.push(ms)
        // The first look at once, and no other.
        return waits.length === 1 ? clock.after(0, callback) : () => {}
      },
    }
    const duty = new QuarantineDuty({ ...flooded.house.server.house.ports, clock: watched }, () =>
      clock.now(),
    )
    duty.start()
    while (waits.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    await duty.stop()
    assert.ok(waits.every((ms) => ms <= 60_000))
    assert.ok((await quarantine.totals()).bytes <= 1024 * 1024)
    const [oldest, newestHeld] = [ids[0], ids.at(-1)]
    assert.ok(oldest !== undefined && newestHeld !== undefined)
    assert.equal(await quarantine.get(oldest), undefined)
    assert.ok((await quarantine.get(newestHeld)) !== undefined)
    const [trace] = await traces.find({ id: oldest, limit: 1 })
    assert.ok(trace?.events.some((event) => event.kind === 'expired' && event.why === 'room'))
  } finally {
    await flooded.stop()
  }
})
