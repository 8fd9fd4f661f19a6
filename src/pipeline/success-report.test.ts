import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../mail/address.ts'
import type { Notify } from '../mail/envelope.ts'
import { isPositive } from '../mail/reply.ts'
import { type Kit, kit, origin } from './ports.test-kit.ts'
import { Transaction } from './transaction.ts'

const MESSAGE = 'From: a@remote.test\r\nSubject: hello\r\n\r\nbody\r\n'

function address(text: string) {
  const parsed = parseAddress(text)
  assert.ok(parsed, text)
  return parsed
}

/** A message from elsewhere for accounts here; gives what else was stored. */
async function run(
  to: Kit,
  from: string | null,
  recipients: Readonly<Record<string, Notify | undefined>>,
  role: 'mx' | 'lmtp' = 'lmtp',
) {
  const transaction = new Transaction(to.ports, origin({ role }), {
    reversePath: from === null ? null : address(from),
    bodyType: '7BIT',
    smtputf8: false,
    envid: 'q1',
  })
  assert.ok(isPositive(await transaction.start()))
  for (const [text, notify] of Object.entries(recipients)) {
    const answer = transaction.addRecipient({ address: address(text), notify, orcpt: `rfc822;${text}` })
    assert.ok(answer.kind === 'reply' && isPositive(answer.reply))
  }
  await transaction.write(Buffer.from(MESSAGE))
  const verdict = await transaction.commit()
  assert.ok(isPositive(verdict), 'the message is delivered, whatever becomes of the report')
  assert.equal(to.accepted[0]?.content, MESSAGE)
  return to.accepted.slice(1)
}

test('NOTIFY=SUCCESS: the sender elsewhere hears of those who asked, and of the head alone', async () => {
  const to = kit()
  const [report, ...more] = await run(to, 'a@remote.test', {
    'me@example.test': ['SUCCESS'],
    'other@example.test': ['FAILURE'],
  })
  assert.deepEqual(more, [])
  assert.equal(report?.reversePath, null)
  assert.deepEqual(report.deliveries, [])
  assert.deepEqual(report.queue?.recipients, [{ address: address('a@remote.test') }])
  assert.equal(report.queue.sender.reversePath, null)
  const { content } = report
  assert.deepEqual(content.match(/^Action: .*\w/gm), ['Action: delivered'])
  assert.match(content, /^Original-Envelope-Id: q1\r$/m)
  assert.match(content, /^Original-Recipient: rfc822;me@example\.test\r$/m)
  assert.match(content, /^Final-Recipient: rfc822; me@example\.test\r$/m)
  assert.match(content, /Subject: hello/)
  assert.ok(!content.includes('\r\nbody\r\n'))
  assert.ok(to.traces.some(({ events }) => events.some((event) => event.kind === 'dsn')))
})

test('mail from the open Internet reports to nobody elsewhere: its sender may be forged', async () => {
  assert.deepEqual(await run(kit(), 'a@remote.test', { 'me@example.test': ['SUCCESS'] }, 'mx'), [])
  const [report] = await run(kit(), 'other@example.test', { 'me@example.test': ['SUCCESS'] }, 'mx')
  assert.equal(report?.deliveries.length, 1)
})

test('a sender here has the report in its INBOX', async () => {
  const [report] = await run(kit(), 'other@example.test', { 'me@example.test': ['SUCCESS', 'FAILURE'] })
  assert.deepEqual(
    report?.deliveries.map(({ owner, mailbox }) => [owner, mailbox]),
    [[2, 'INBOX']],
  )
  assert.equal(report.queue, undefined)
})

test('attack 13a: nobody hears of it unasked, a null sender never', async () => {
  assert.deepEqual(await run(kit(), 'a@remote.test', { 'me@example.test': undefined }), [])
  assert.deepEqual(await run(kit(), 'a@remote.test', { 'me@example.test': 'NEVER' }), [])
  assert.deepEqual(await run(kit(), 'a@remote.test', { 'me@example.test': ['DELAY'] }), [])
  assert.deepEqual(await run(kit(), null, { 'me@example.test': ['SUCCESS'] }), [])
  assert.deepEqual(await run(kit(), 'nobody@example.test', { 'me@example.test': ['SUCCESS'] }), [])
})

test('a report that can not be stored is logged; the message stays delivered', async () => {
  const to = kit()
  const { accept } = to.ports.intake
  Object.assign(to.ports.intake, {
    accept: async (message: Parameters<typeof accept>[0]) => {
      const stored = await accept(message)
      to.failWith = { kind: 'full', cause: 'disk full' }
      return stored
    },
  })
  assert.deepEqual(await run(to, 'a@remote.test', { 'me@example.test': ['SUCCESS'] }), [])
  assert.ok(to.logged.some(({ name, fields }) => name === 'server.fault' && fields.cause === 'disk full'))
})
