import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../mail/address.ts'
import { makeTraceId } from '../mail/ids.ts'
import { type OwnMail, sendOwnMail } from './own-mail.ts'
import { ACCOUNT, kit } from './ports.test-kit.ts'

const NOW_MS = 1_700_000_000_000
const FAR: readonly Address[] = [
  { local: 'a', domain: 'remote.test' },
  { local: 'b', domain: 'away.test' },
]
const MAIL: OwnMail = {
  traceId: makeTraceId(NOW_MS, new Uint8Array(10)),
  content: Buffer.from('Subject: ours\r\n\r\nbody\r\n'),
  to: FAR,
  local: [],
  remote: FAR,
  rule: 'test',
  smtputf8: false,
  nowMs: NOW_MS,
}

test('a message of ours comes from nobody, and its trace says that it is queued', async () => {
  const { accepted, ports } = kit()
  assert((await sendOwnMail(ports.intake, MAIL)).ok)
  const [stored] = accepted
  assert.equal(stored?.reversePath, null)
  assert.equal(Buffer.from(stored.prefix).toString(), 'Return-Path: <>\r\n')
  assert.deepEqual(
    stored.queue?.recipients,
    FAR.map((address) => ({ address })),
  )
  assert.equal(stored.queue.skipBytes, stored.prefix.length)
  assert.equal(stored.reported, undefined)
  const recipients = ['a@remote.test', 'b@away.test']
  assert.deepEqual(stored.trace, [
    { atMs: NOW_MS, kind: 'sender', reversePath: '' },
    ...recipients.map((address) => ({ atMs: NOW_MS, kind: 'recipient', address, as: 'remote' })),
    { atMs: NOW_MS, kind: 'queued', recipients, nextAttemptAtMs: NOW_MS },
    { atMs: NOW_MS, kind: 'decision', action: 'accept', rule: 'test' },
  ])
})

test('one that answers for its sender carries it, asks for no failures, and closes its day', async () => {
  const { accepted, ports } = kit()
  const reversePath = { local: 'reports', domain: 'example.test' }
  const reported = { day: '2026-11-23', policyDomain: 'far.test', reportId: 'r', atMs: NOW_MS, recipients: 2 }
  assert((await sendOwnMail(ports.intake, { ...MAIL, reversePath, notify: 'NEVER', reported })).ok)
  const [stored] = accepted
  assert.deepEqual(stored?.reversePath, reversePath)
  assert.equal(Buffer.from(stored.prefix).toString(), 'Return-Path: <reports@example.test>\r\n')
  assert.deepEqual(stored.queue?.sender.reversePath, reversePath)
  assert.deepEqual(
    stored.queue.recipients.map(({ notify }) => notify),
    ['NEVER', 'NEVER'],
  )
  assert.deepEqual(stored.reported, reported)
  assert.deepEqual(stored.trace[0], { atMs: NOW_MS, kind: 'sender', reversePath: 'reports@example.test' })
})

test('one for people here is delivered, and queued for nobody', async () => {
  const { accepted, ports } = kit()
  const to: Address = { local: 'me', domain: 'example.test' }
  const local = [{ account: ACCOUNT, login: 'me@example.test', overQuota: false }]
  assert((await sendOwnMail(ports.intake, { ...MAIL, to: [to], local, remote: [] })).ok)
  const [stored] = accepted
  assert.deepEqual(stored?.deliveries, [{ owner: ACCOUNT, mailbox: 'INBOX', flags: [], recipient: to }])
  assert.equal(stored.queue, undefined)
  assert.deepEqual(
    stored.trace.map(({ kind }) => kind),
    ['sender', 'recipient', 'decision'],
  )
})
