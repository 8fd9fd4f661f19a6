import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../mail/address.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import { isTraceId } from '../mail/ids.ts'
import { formatReply } from '../mail/reply.ts'
import { explain } from './explain.ts'
import type { Origin } from './origin.ts'
import { type Kit, kit, LOGGED_IN, origin } from './ports.test-kit.ts'
import { Transaction } from './transaction.ts'

const MESSAGE =
  'From: me@example.test\r\nTo: x@remote.test\r\nSubject: =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <a@b>\r\n\r\nHello\r\n'

const sender = (address: string | null, more: Partial<EnvelopeSender> = {}): EnvelopeSender => ({
  reversePath: address === null ? null : (parseAddress(address) ?? null),
  bodyType: '8BITMIME',
  smtputf8: false,
  ...more,
})

/** Runs one message; gives what each step was answered. */
async function run(
  to: Kit,
  given: Partial<Origin>,
  message: {
    readonly from?: string | null
    readonly to: readonly string[]
    readonly content?: string
    readonly sizeBytes?: number
  },
): Promise<string[]> {
  const transaction = new Transaction(
    to.ports,
    origin(given),
    sender(message.from ?? null, { declaredSizeBytes: message.sizeBytes }),
  )
  const answers = [formatReply(await transaction.start())]
  if (!answers[0]?.startsWith('250')) return answers
  for (const recipient of message.to) {
    const address = parseAddress(recipient)
    assert.ok(address !== undefined, recipient)
    const answer = transaction.addRecipient({ address })
    answers.push(answer.kind === 'silence' ? 'silence' : formatReply(answer.reply))
  }
  if (!answers.slice(1).some((answer) => answer.startsWith('250'))) return answers
  await transaction.write(Buffer.from(message.content ?? MESSAGE))
  return [...answers, formatReply(await transaction.commit())]
}

const codes = (answers: readonly string[]): string[] =>
  answers.map((answer) => answer.split(' ').slice(0, 2).join(' '))

test('mail for an account is committed once, with its trace, before it is acknowledged', async () => {
  const to = kit()
  const answers = await run(to, {}, { from: 'a@remote.test', to: ['me@example.test'] })
  assert.deepEqual(codes(answers), ['250 2.1.0', '250 2.1.5', '250 2.0.0'])
  const [message] = to.accepted
  assert.equal(to.accepted.length, 1)
  assert.equal(message?.content, MESSAGE)
  assert.equal(message?.queue, undefined)
  assert.deepEqual(
    message?.deliveries.map(({ mailbox, owner }) => [mailbox, owner]),
    [['INBOX', 1]],
  )
  assert.equal(
    Buffer.from(message?.prefix ?? []).toString(),
    `Return-Path: <a@remote.test>\r\nReceived: from client.test ([192.0.2.7])\r\n\tby mail.example.test with ESMTP id ${message?.traceId}\r\n\tfor <me@example.test>;\r\n\tWed, 15 Nov 2023 07:13:20 +0900\r\n`,
  )
  assert.deepEqual(
    message?.trace.map(({ kind }) => kind),
    ['connected', 'helo', 'sender', 'recipient', 'received', 'decision'],
  )
  assert.ok(message !== undefined && isTraceId(message.traceId))
  assert.match(answers[2] ?? '', new RegExp(message?.traceId ?? '-'))
  assert.match(explain(message?.trace ?? []).join('\n'), /subject "テスト"/)
})

test('one copy for an account that is named twice', async () => {
  const to = kit()
  await run(
    to,
    {},
    { from: 'a@remote.test', to: ['me@example.test', 'sales@example.test', 'other@example.test'] },
  )
  assert.deepEqual(
    to.accepted[0]?.deliveries.map(({ owner }) => owner),
    [1, 2],
  )
  assert.doesNotMatch(
    Buffer.from(to.accepted[0]?.prefix ?? []).toString(),
    /for </,
    'no recipient is told to the others',
  )
})

const RELAY_TRICKS = [
  'x@remote.test',
  '"x@remote.test"@example.test',
  'x%remote.test@example.test',
  'remote.test!x@example.test',
  '"x%remote.test"@example.test',
  '"remote.test!x"@example.test',
  'x@[127.0.0.1]',
  'x@[IPv6:::1]',
  'a%b@catch.test',
  '" "@remote.test',
  'x%remote.test%other.test@example.test',
]
for (const address of RELAY_TRICKS) {
  test(`open-relay trick is refused without logging in: ${address}`, async () => {
    for (const role of ['mx', 'submission', 'lmtp'] as const) {
      const to = kit()
      assert.deepEqual(codes(await run(to, { role }, { from: null, to: [address] })), [
        '250 2.1.0',
        '550 5.7.1',
      ])
      assert.equal(to.accepted.length, 0)
    }
  })
}

test('who has logged in on a port that is not for submission still may not relay', async () => {
  assert.deepEqual(
    codes(await run(kit(), { ...LOGGED_IN, role: 'mx' }, { from: 'me@example.test', to: ['x@remote.test'] })),
    ['250 2.1.0', '550 5.7.1'],
  )
})

const REFUSED: readonly (readonly [string, string])[] = [
  ['nobody@example.test', '550 5.1.1'],
  ['full@example.test', '452 4.2.2'],
  ['loop@example.test', '451 4.3.5'],
  ['refuse@try.test', '550 5.1.1'],
  ['defer@try.test', '451 4.7.1'],
  ['DEFER+x@try.test', '451 4.7.1'],
  ['nobody@try.test', '550 5.1.1'],
  ['constructor@try.test', '550 5.1.1'],
]
for (const [address, code] of REFUSED) {
  test(`${address} is answered ${code} at RCPT`, async () => {
    const to = kit()
    assert.deepEqual(codes(await run(to, {}, { from: 'a@remote.test', to: [address] })), ['250 2.1.0', code])
  })
}

test('a message that is declared larger than the room left is refused at RCPT', async () => {
  assert.deepEqual(
    codes(await run(kit(), {}, { from: 'a@b.test', to: ['small@example.test'], sizeBytes: 1001 })),
    ['250 2.1.0', '452 4.2.2'],
  )
  assert.deepEqual(
    codes(await run(kit(), {}, { from: 'a@b.test', to: ['small@example.test'], sizeBytes: 900 })),
    ['250 2.1.0', '250 2.1.5', '250 2.0.0'],
  )
})

test('a message that is declared too large is refused at MAIL', async () => {
  assert.deepEqual(
    codes(await run(kit(), {}, { from: 'a@b.test', to: ['me@example.test'], sizeBytes: 10_001 })),
    ['552 5.3.4'],
  )
})

test('what a store without room would refuse after the content is refused at MAIL', async () => {
  const to = kit()
  to.noRoom = { kind: 'full', cause: '/srv has 3 octets' }
  assert.deepEqual(await run(to, {}, { to: ['anna@example.test'] }), [
    '452 4.3.1 The disk is full here; nothing was stored, try again later',
  ])
  to.noRoom = { kind: 'io', cause: 'EIO' }
  assert.deepEqual(await run(to, {}, { to: ['anna@example.test'] }), [
    '451 4.3.0 The message could not be stored; try again later',
  ])
  assert.equal(to.accepted.length, 0)
})

test('timeout@ of the test domain gets no answer, accept@ is thrown away and says so in the trace', async () => {
  assert.deepEqual(await run(kit(), {}, { from: 'a@b.test', to: ['timeout@try.test'] }), [
    '250 2.1.0 Sender ok',
    'silence',
  ])
  const to = kit()
  assert.deepEqual(codes(await run(to, {}, { from: 'a@b.test', to: ['accept@try.test'] })), [
    '250 2.1.0',
    '250 2.1.5',
    '250 2.0.0',
  ])
  assert.equal(to.accepted.length, 0)
  assert.match(
    explain(to.traces[0]?.events ?? []).join('\n'),
    /thrown away, as is everything for the test domain/,
  )
})

test('submission: envelope and author belong to the account', async () => {
  const foreign = MESSAGE.replace('me@example.test', 'other@example.test')
  const cases: readonly (readonly [string, string, string])[] = [
    ['me@example.test', MESSAGE, '250 2.0.0'],
    ['me+shop@example.test', MESSAGE, '250 2.0.0'],
    [
      'sales@example.test',
      MESSAGE.replace('me@', 'Sales <sales@').replace('.test\r', '.test>\r'),
      '250 2.0.0',
    ],
    ['me@example.test', foreign, '553 5.7.1'],
    [
      'me@example.test',
      MESSAGE.replace('From: me@example.test', 'From: me@example.test, other@example.test'),
      '553 5.7.1',
    ],
    ['me@example.test', `Sender: other@example.test\r\n${MESSAGE}`, '553 5.7.1'],
    ['me@example.test', MESSAGE.replace('From: me@example.test\r\n', ''), '550 5.6.0'],
    ['me@example.test', `From: me@example.test\r\n${MESSAGE}`, '550 5.6.0'],
    ['me@example.test', MESSAGE.replace('From: me@example.test', 'From: nobody'), '550 5.6.0'],
  ]
  for (const [from, content, expected] of cases) {
    assert.equal(
      codes(await run(kit(), LOGGED_IN, { from, to: ['x@remote.test'], content })).at(-1),
      expected,
      content,
    )
  }
  assert.deepEqual(
    codes(await run(kit(), LOGGED_IN, { from: 'other@example.test', to: ['x@remote.test'] })),
    ['553 5.7.1'],
  )
})

test('a named network writes only listed addresses', async () => {
  const trusted: Partial<Origin> = { role: 'submission', trustedNetwork: '192.0.2.0/24' }
  const scan = MESSAGE.replace('me@example.test', 'printer@example.test')
  assert.equal(
    codes(
      await run(kit(), trusted, { from: 'printer@example.test', to: ['x@remote.test'], content: scan }),
    ).at(-1),
    '250 2.0.0',
  )
  assert.deepEqual(codes(await run(kit(), trusted, { from: 'me@example.test', to: ['x@remote.test'] })), [
    '553 5.7.1',
  ])
  assert.equal(
    codes(await run(kit(), trusted, { from: 'printer@example.test', to: ['x@remote.test'] })).at(-1),
    '553 5.7.1',
  )
})

test('a submission is completed, queued without its Return-Path, and does not tell where its author is', async () => {
  const to = kit()
  const bare = 'From: me@example.test\r\n\r\nHello\r\n'
  await run(to, LOGGED_IN, {
    from: 'me@example.test',
    to: ['x@remote.test', 'X@remote.test', 'away@example.test', 'other@example.test'],
    content: bare,
  })
  const [message] = to.accepted
  const prefix = Buffer.from(message?.prefix ?? []).toString()
  assert.match(prefix, /^Return-Path: <me@example\.test>\r\nReceived: by mail\.example\.test with ESMTPA id /)
  assert.doesNotMatch(prefix, /192\.0\.2\.7|client\.test/)
  assert.match(
    prefix,
    /\r\nDate: Wed, 15 Nov 2023 07:13:20 \+0900\r\nMessage-ID: <[0-9a-z]{20}@example\.test>\r\n$/,
  )
  assert.deepEqual(
    message?.queue?.recipients.map(({ address }) => `${address.local}@${address.domain}`),
    ['x@remote.test'],
  )
  assert.equal(prefix.slice(message?.queue?.skipBytes).startsWith('Received: by'), true)
  assert.deepEqual(
    message?.deliveries.map(({ owner }) => owner),
    [2],
  )
})

test('mail from other servers is never completed', async () => {
  const to = kit()
  await run(to, {}, { from: 'a@b.test', to: ['me@example.test'], content: 'Subject: x\r\n\r\n' })
  assert.doesNotMatch(Buffer.from(to.accepted[0]?.prefix ?? []).toString(), /Date:|Message-ID:/)
})

test('attack 13c: a loop is refused with 5.4.6', async () => {
  const content = `${'Received: x\r\n'.repeat(26)}${MESSAGE}`
  assert.equal(
    codes(await run(kit(), {}, { from: 'a@b.test', to: ['me@example.test'], content })).at(-1),
    '554 5.4.6',
  )
  assert.equal(
    codes(
      await run(
        kit(),
        {},
        { from: 'a@b.test', to: ['me@example.test'], content: content.replace('Received: x\r\n', '') },
      ),
    ).at(-1),
    '250 2.0.0',
  )
})

test('attack 8b: a HELO name cannot write clauses of our Received field', async () => {
  const to = kit()
  await run(to, { helo: 'x) by evil (y' }, { from: 'a@b.test', to: ['me@example.test'] })
  assert.match(
    Buffer.from(to.accepted[0]?.prefix ?? []).toString(),
    /Received: from unknown \(\[192\.0\.2\.7\]\)/,
  )
})

const FAILURES = [
  ['full', '452 4.3.1'],
  ['io', '451 4.3.0'],
  ['over-quota', '452 4.2.2'],
  ['closed', '421 4.3.2'],
] as const
for (const [kind, code] of FAILURES) {
  test(`a store that says ${kind} is answered ${code}, and the trace keeps the cause from the peer`, async () => {
    const to = kit()
    to.failWith = { kind, cause: 'SQLITE_SECRET' }
    const answers = await run(to, {}, { from: 'a@b.test', to: ['me@example.test'] })
    assert.equal(codes(answers).at(-1), code)
    assert.doesNotMatch(answers.join(), /SQLITE_SECRET/)
    const told = explain(to.traces[0]?.events ?? []).join('\n')
    assert.match(told, /SQLITE_SECRET/)
    assert.doesNotMatch(told, /was accepted/)
  })
}

test('an aborted transaction leaves its trace and nothing else', async () => {
  const to = kit()
  const transaction = new Transaction(to.ports, origin(), sender('a@b.test'))
  await transaction.start()
  void transaction.write(Buffer.from('half'))
  transaction.abort('content lost')
  transaction.abort('twice')
  assert.equal(to.traces.length, 1)
  assert.equal(to.accepted.length, 0)
})

test('MAIL and nothing more leaves no trace, a refused recipient does: a loop must not push the others out', async () => {
  const to = kit()
  const quiet = new Transaction(to.ports, origin(), sender('a@b.test'))
  await quiet.start()
  quiet.abort('reset by RSET')
  assert.equal(to.traces.length, 0)
  const asked = new Transaction(to.ports, origin(), sender('a@b.test'))
  await asked.start()
  const nobody = parseAddress('nobody@example.test')
  assert.ok(nobody !== undefined)
  asked.addRecipient({ address: nobody })
  asked.abort('reset by RSET')
  assert.equal(to.traces.length, 1)
})

const OWN = 'From: me@example.test\r\n'
const HIDDEN_AUTHORS = {
  'behind more fields than are read': `${OWN}${'A:\r\n'.repeat(2_100)}From: boss@bank.test\r\n`,
  'in a name that holds a NUL': `${OWN}Fr\0om: boss@bank.test\r\n`,
  'behind more addresses than are read': `From: ${'me@example.test,\r\n '.repeat(2_100)}boss@bank.test\r\n`,
  'behind more octets than are read': `From: me@example.test,\r\n ${`(${'x'.repeat(900)})\r\n `.repeat(150)}boss@bank.test\r\n`,
}
for (const [where, header] of Object.entries(HIDDEN_AUTHORS)) {
  test(`attack 14a: a second author ${where} is refused on submission`, async () => {
    const to = kit({ maxMessageBytes: 1_000_000 })
    const content = `${header}\r\nHello\r\n`
    const answers = await run(to, LOGGED_IN, { from: 'me@example.test', to: ['x@remote.test'], content })
    assert.equal(codes(answers).at(-1), '550 5.6.0')
    assert.equal(to.accepted.length, 0)
  })
}
