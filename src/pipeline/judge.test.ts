import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../mail/address.ts'
import { parseNetwork } from '../mail/ip.ts'
import { formatReply } from '../mail/reply.ts'
import type { EvaluationFacts, MailAuth, SigningKey } from '../ports/mail-auth.ts'
import type { JudgedMessage } from '../ports/reports.ts'
import type { Intake } from '../ports/store.ts'
import type { Origin } from './origin.ts'
import { dmarc, evidence, signature, spf } from './policy/evidence.test-kit.ts'
import type { PolicySettings } from './policy/settings.ts'
import { EXEMPT, type Kit, kit, LOGGED_IN, origin } from './ports.test-kit.ts'
import type { PipelinePorts, PipelineSettings } from './ports.ts'
import { Transaction } from './transaction.ts'

const CONTENT = 'From: a@strict.test\r\nDate: Tue, 24 Nov 2026 06:00:00 +0900\r\nSubject: x\r\n\r\nHello\r\n'
const FORGED = evidence(spf('none', 'azure.test'), dmarc('fail', 'strict.test', 'quarantine'))
const SPOOFED = evidence(spf('fail', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))
const GENUINE = evidence(spf('pass', 'strict.test'), dmarc('pass', 'strict.test', 'reject'))
const KEY: SigningKey = { domain: 'example.test', selector: 's1', algorithm: 'rsa-sha256', privateKeyPem: '' }

function judging(policy: Partial<PolicySettings> = {}, settings: Partial<PipelineSettings> = {}): Kit {
  return kit({ policy: { ...EXEMPT, exemptNetworks: [], ...policy }, ...settings })
}

interface Sent {
  readonly to?: readonly string[]
  readonly from?: string | null
  readonly content?: string
  readonly origin?: Partial<Origin>
  readonly ports?: Partial<PipelinePorts>
  readonly during?: (transaction: Transaction) => unknown
}

async function send(to: Kit, sent: Sent = {}): Promise<string> {
  const { from = 'a@strict.test' } = sent
  const reversePath = from === null ? null : (parseAddress(from) ?? null)
  const transaction = new Transaction({ ...to.ports, ...sent.ports }, origin(sent.origin), {
    reversePath,
    bodyType: '8BITMIME',
    smtputf8: false,
  })
  await transaction.start()
  for (const recipient of sent.to ?? ['me@example.test']) {
    const address = parseAddress(recipient)
    assert.ok(address !== undefined)
    const answer = transaction.addRecipient({ address, notify: ['SUCCESS'] })
    assert.ok(answer.kind === 'reply' && answer.reply.code === 250, JSON.stringify(answer))
  }
  await transaction.write(Buffer.from(sent.content ?? CONTENT))
  const committed = transaction.commit()
  sent.during?.(transaction)
  return formatReply(await committed)
}

const prefixOf = (to: Kit, at = 0): string => Buffer.from(to.accepted[at]?.prefix ?? []).toString()

test('genuine mail is delivered with the results in front, above Received', async () => {
  const to = judging({ receivedSpf: true })
  to.evidence = GENUINE
  assert.match(await send(to), /^250 2\.0\.0 /)
  assert.match(
    prefixOf(to),
    /^Return-Path: .*\r\nAuthentication-Results: mail\.example\.test;[\s\S]*\r\nReceived-SPF: pass[\s\S]*\r\nReceived: from /,
  )
  assert.equal(to.accepted[0]?.hold, undefined)
})

test('a held message: the sender hears 250, deliveries and queue are kept with it', async () => {
  const to = judging()
  to.evidence = FORGED
  assert.match(await send(to, { to: ['me@example.test', 'away@example.test'] }), /^250 2\.0\.0 /)
  const [message] = to.accepted
  assert.equal(to.accepted.length, 1)
  assert.equal(message?.deliveries.length, 1)
  assert.equal(message?.queue?.recipients.length, 1)
  assert.equal(message?.hold?.untilMs, 1_700_000_000_000 + 30 * 24 * 60 * 60_000)
  assert.match(message?.hold?.reasons[0]?.text ?? '', /strict\.test does not vouch/)
  assert.deepEqual(
    [message?.hold?.from, message?.hold?.subject, message?.hold?.client],
    ['a@strict.test', 'x', '192.0.2.7'],
  )
  assert.ok(!message?.trace.some(({ kind }) => kind === 'queued'))
  assert.ok(to.logged.some(({ name }) => name === 'message.held'))
  assert.equal(to.accepted.filter(({ reversePath }) => reversePath === null).length, 0, 'no success report')
})

test('a refusal keeps nothing but the trace with evidence and reasons', async () => {
  const to = judging()
  to.evidence = SPOOFED
  assert.match(await send(to), /^550 5\.7\.26 strict\.test asks to reject/)
  assert.equal(to.accepted.length, 0)
  const kinds = to.traces[0]?.events.map(({ kind }) => kind) ?? []
  assert.deepEqual(kinds.slice(-2), ['authentication', 'decision'])
})

test('a broken header is refused before anything is evaluated', async () => {
  const to = judging()
  const asked: EvaluationFacts[] = []
  const answer = await send(to, { content: `From: b@x.test\r\n${CONTENT}`, ports: spying(to, asked) })
  assert.equal(answer, '554 5.6.0 2 From fields; RFC 5322 section 3.6 allows one')
  assert.equal(asked.length, 0)
})

test('exempt clients, LMTP and submissions are not judged', async () => {
  const asked: EvaluationFacts[] = []
  const exempt = judging({ exemptNetworks: [parseNetwork('192.0.2.0/24') ?? assert.fail()] })
  assert.match(await send(exempt, { content: 'Subject: x\r\n\r\n', ports: spying(exempt, asked) }), /^250/)
  const lmtp = judging()
  assert.match(await send(lmtp, { origin: { role: 'lmtp' }, ports: spying(lmtp, asked) }), /^250/)
  const own = judging()
  const content = CONTENT.replace('a@strict.test', 'me@example.test')
  assert.match(
    await send(own, { origin: LOGGED_IN, from: 'me@example.test', content, ports: spying(own, asked) }),
    /^250/,
  )
  assert.equal(asked.length, 0)
})

function spying(to: Kit, asked: EvaluationFacts[]): Partial<PipelinePorts> {
  return {
    mailAuth: {
      ...to.ports.mailAuth,
      evaluate: async (message, facts, key) => {
        asked.push(facts)
        return to.ports.mailAuth.evaluate(message, facts, key)
      },
    },
  }
}

test('no thread: 451 and nothing lost', async () => {
  const to = judging()
  const mailAuth = { ...to.ports.mailAuth, evaluate: () => Promise.reject(new Error('no thread')) }
  assert.match(await send(to, { ports: { mailAuth } }), /^451 4\.3\.0 /)
  assert.equal(to.accepted.length, 0)
})

test('a client that is gone while its message is checked finds nothing stored: it comes again', async () => {
  const to = judging()
  to.evidence = GENUINE
  assert.match(await send(to, { during: (transaction) => transaction.abandon() }), /^421 4\.4\.2 /)
  assert.equal(to.accepted.length, 0)
})

test('attack: memory is short while a message waits for the DNS: its check is given up, and the client is put off', async () => {
  const to = judging()
  const given: (AbortSignal | undefined)[] = []
  const mailAuth: MailAuth = {
    ...to.ports.mailAuth,
    evaluate: (_message, _facts, _key, signal) => {
      given.push(signal)
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    },
  }
  const shed: boolean[] = []
  const during = async (transaction: Transaction): Promise<void> => {
    shed.push(transaction.giveUp())
    while (given.length === 0) await new Promise(setImmediate)
    shed.push(transaction.giveUp())
  }
  const reply = await send(to, { ports: { mailAuth }, during })
  assert.match(reply, /^452 4\.3\.1 Too much mail/)
  assert.deepEqual(shed, [false, true])
  assert.equal(to.accepted.length, 0)
})

test('what is on its way to the disk is not given up', async () => {
  const to = judging()
  to.evidence = GENUINE
  const { intake } = to.ports
  const shed: boolean[] = []
  let transaction: Transaction | undefined
  const accept: Intake['accept'] = (message) => {
    shed.push(transaction?.giveUp() ?? true)
    return intake.accept(message)
  }
  const ports = { intake: { ...intake, accept } }
  assert.match(await send(to, { ports, during: (one) => (transaction = one) }), /^250 /)
  // The message and the report of its success.
  assert.deepEqual(shed, [false, false])
})

test('fields that claim to be ours are taken out of the content, others stay byte for byte', async () => {
  const to = judging()
  to.evidence = GENUINE
  const rest = `Authentication-Results: other.test; spf=pass\r\n${CONTENT}`
  await send(to, { content: `Authentication-Results: mail.example.test;\r\n dmarc=pass\r\n${rest}` })
  assert.equal(to.accepted[0]?.content, rest)
  assert.ok(to.accepted[0]?.trace.some((fact) => fact.kind === 'removed-field' && fact.count === 1))
})

test('Junk instead of the quarantine, for the domains that prefer it; one copy for an account', async () => {
  const to = judging({}, { junkDomains: ['example.test'] })
  to.evidence = FORGED
  await send(to, { to: ['me@example.test', 'anything@catch.test'] })
  assert.equal(to.accepted.length, 1)
  assert.equal(to.accepted[0]?.hold, undefined)
  assert.deepEqual(
    to.accepted[0]?.deliveries.map(({ specialUse, flags, owner }) => [specialUse, flags, owner]),
    [['\\Junk', ['$Junk'], 1]],
  )
})

test('some in Junk, others held: two messages, the held one last', async () => {
  const to = judging({}, { junkDomains: ['catch.test'] })
  to.evidence = FORGED
  await send(to, { to: ['other@example.test', 'anything@catch.test', 'away@example.test'] })
  const [junk, held] = to.accepted
  assert.equal(to.accepted.length, 2)
  assert.deepEqual([junk?.hold, junk?.queue, junk?.deliveries.length], [undefined, undefined, 1])
  assert.deepEqual([held?.deliveries.length, held?.queue?.recipients.length], [1, 1])
  assert.ok(held?.hold !== undefined)
  assert.equal(held?.content, junk?.content)
  assert.notEqual(held?.body.handle, junk?.body.handle)
})

const SECONDARY: Partial<PolicySettings> = {
  secondaries: ['192.0.2.7'].flatMap((text) => parseNetwork(text) ?? []),
}
const VIA =
  'Received: from mx.strict.test (mx.strict.test [203.0.113.10])\r\n by backup.test with ESMTP id 1; x\r\n'

test('H02 the client of a known secondary is checked in its place', async () => {
  const to = judging(SECONDARY)
  to.evidence = GENUINE
  const asked: EvaluationFacts[] = []
  await send(to, {
    content: `${VIA}Received: from x (x [198.51.100.1]) by y; z\r\n${CONTENT}`,
    ports: spying(to, asked),
  })
  assert.deepEqual([asked[0]?.client, asked[0]?.helo], ['203.0.113.10', 'mx.strict.test'])
  assert.ok(to.accepted[0]?.trace.some((fact) => fact.kind === 'passed-on' && fact.by === '192.0.2.7'))
})

test('H02 a secondary whose Received field can not be read vouches for nobody', async () => {
  const to = judging(SECONDARY)
  const asked: EvaluationFacts[] = []
  await send(to, { content: CONTENT, ports: spying(to, asked) })
  assert.deepEqual([asked[0]?.reversePath, asked[0]?.helo], [null, ''])
})

test('H02.4 what would be refused from a secondary is held', async () => {
  for (const content of [`${VIA}${CONTENT}`, `${VIA}From: b@x.test\r\n${CONTENT}`]) {
    const to = judging(SECONDARY)
    to.evidence = SPOOFED
    assert.match(await send(to, { content }), /^250 /)
    assert.ok(to.accepted[0]?.hold !== undefined)
  }
})

test('H02.5 an unknown user from a secondary is taken and held, known ones get theirs', async () => {
  const to = judging(SECONDARY)
  to.evidence = GENUINE
  assert.match(
    await send(to, { content: `${VIA}${CONTENT}`, to: ['nobody@example.test', 'me@example.test'] }),
    /^250 /,
  )
  const [delivered] = to.accepted
  const held = to.accepted.find(({ hold }) => hold !== undefined)
  assert.deepEqual([delivered?.hold, delivered?.deliveries.length], [undefined, 1])
  assert.deepEqual([held?.hold?.unknown, held?.deliveries.length], [['nobody@example.test'], 0])
  assert.match(held?.hold?.reasons[0]?.text ?? '', /Tell that server which recipients there are/)
  assert.ok(to.logged.some(({ name }) => name === 'secondary.unknown-user'))
})

test('of a message that could not be stored nothing is said to be held', async () => {
  const to = judging(SECONDARY)
  to.evidence = GENUINE
  to.failWith = { kind: 'full', cause: 'disk full' }
  const sent = { content: `${VIA}${CONTENT}`, to: ['nobody@example.test', 'me@example.test'] }
  assert.match(await send(to, sent), /^452 /)
  const facts = to.traces.flatMap(({ events }) => events)
  assert.deepEqual(
    facts.filter((fact) => fact.kind === 'check' && fact.name === 'parted'),
    [],
  )
})

test('a submission is signed, below Received and above what was added; a failure to sign defers it', async () => {
  const content = 'From: me@example.test\r\nSubject: x\r\n\r\nHello\r\n'
  const own = { origin: LOGGED_IN, from: 'me@example.test', content } as const
  const to = judging()
  const signingKeys = { forDomain: async () => [KEY] }
  let added = ''
  const sign = async (_: unknown, fields: Uint8Array) => {
    added = Buffer.from(fields).toString()
    return 'DKIM-Signature: v=1\r\n'
  }
  await send(to, { ...own, ports: { signingKeys, mailAuth: { ...to.ports.mailAuth, sign } } })
  assert.match(added, /^Date: .*\r\nMessage-ID: .*\r\n$/)
  assert.match(
    prefixOf(to),
    /^Return-Path: .*\r\nReceived: [\s\S]*\r\nDKIM-Signature: v=1\r\nDate: .*\r\nMessage-ID: /,
  )
  const failing = judging()
  const broken = { forDomain: () => Promise.reject(new Error('no key')) }
  assert.match(await send(failing, { ...own, ports: { signingKeys: broken } }), /^451 4\.3\.0 /)
  assert.equal(failing.accepted.length, 0)
})

test('nothing but what an account submits is signed', async () => {
  for (const given of [
    { role: 'local', client: 'unix' },
    { role: 'submission', trustedNetwork: 'x' },
    {},
  ] as const) {
    const to = judging()
    to.evidence = GENUINE
    const sign = () => assert.fail('signed')
    const content = CONTENT.replace('a@strict.test', 'printer@example.test')
    await send(to, {
      origin: given,
      from: 'printer@example.test',
      content,
      ports: { signingKeys: { forDomain: async () => [KEY] }, mailAuth: { ...to.ports.mailAuth, sign } },
    })
    assert.equal(to.accepted.length, 1, JSON.stringify(given))
    assert.doesNotMatch(prefixOf(to), /DKIM-Signature/)
  }
})

test('what an alias passes on elsewhere is sealed, with the rsa key of the domain', async () => {
  const to = judging()
  const evaluate = async (_: unknown, __: unknown, key?: SigningKey) => ({
    evidence: GENUINE,
    seal: key === undefined ? '' : `ARC-Seal: ${key.selector}\r\n`,
  })
  const ports = {
    signingKeys: {
      forDomain: async () => [{ ...KEY, algorithm: 'ed25519-sha256' as const, selector: 'e1' }, KEY],
    },
    mailAuth: { ...to.ports.mailAuth, evaluate },
  }
  await send(to, { to: ['away@example.test'], ports })
  await send(to, { to: ['me@example.test'], ports })
  assert.match(prefixOf(to, 0), /^Return-Path: .*\r\nARC-Seal: s1\r\nAuthentication-Results: /)
  assert.doesNotMatch(prefixOf(to, 1), /ARC-Seal/)
})

test('an exception is told in the trace, and each verdict is counted once', async () => {
  const to = judging()
  to.evidence = evidence({ dkim: [signature('pass', 'list.test')] }, dmarc('fail', 'strict.test', 'reject'))
  const noted: JudgedMessage[] = []
  const trust = {
    ...to.ports.trust,
    entries: () => [
      { id: 3, key: { kind: 'dkim', domain: 'list.test' }, why: 'my list', addedAtMs: 0 } as const,
    ],
  }
  await send(to, { ports: { trust, tally: { note: (one) => void noted.push(one) } } })
  assert.ok(
    to.accepted[0]?.trace.some(
      (fact) => fact.kind === 'trusted' && fact.entry === 3 && fact.why === 'my list',
    ),
  )
  const decision = to.accepted[0]?.trace.find((fact) => fact.kind === 'decision')
  assert.deepEqual([decision?.action, decision?.rule], ['accept', 'trusted'])
  assert.deepEqual(
    noted.map(({ disposition, reasons }) => [disposition, reasons[0]?.type]),
    [['none', 'trusted_forwarder']],
  )
})

test('a message that could not be stored is counted when it comes again, not before', async () => {
  const to = judging()
  const noted: JudgedMessage[] = []
  const ports = { tally: { note: (one: JudgedMessage) => void noted.push(one) } }
  to.failWith = { kind: 'io', cause: 'test' }
  await send(to, { ports })
  assert.equal(noted.length, 0)
  to.failWith = undefined
  await send(to, { ports })
  assert.equal(noted.length, 1)
})

test('attack 34d: a success is reported to a stranger only where something vouches for the sender', async () => {
  const bySignature = (author: string) =>
    evidence(spf('none', 'strict.test'), { dkim: [signature('pass', author)] }, dmarc('pass', author, 'none'))
  for (const [seen, reports] of [
    [GENUINE, 1],
    [evidence(spf('fail', 'nonepol.test'), dmarc('fail', 'nonepol.test', 'none')), 0],
    [bySignature('strict.test'), 1],
    [bySignature('attacker.test'), 0],
    [bySignature('xstrict.test'), 0],
  ] as const) {
    const to = judging()
    to.evidence = seen
    await send(to)
    assert.equal(to.accepted.length, 1 + reports)
  }
})
