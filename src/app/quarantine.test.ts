import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Evidence } from '../mail/authentication.ts'
import { type AccountId, makeTraceId } from '../mail/ids.ts'
import type { NewHold } from '../ports/new-hold.ts'
import { forTerminal } from './cli/io.ts'
import { startHouse } from './house.test-kit.ts'
import { QuarantineDuty } from './server/quarantine-duty.ts'

const house = await startHouse({ quarantine: { digest_hour: 0 } })
after(() => house.stop())
const { ports } = house.server.house

const EVIDENCE: Evidence = {
  spf: { result: 'fail', domain: 'jf3vqb.test', identity: 'mailfrom', why: '-all' },
  dkim: [{ result: 'fail', domain: 'jf3vqb.test', selector: 'sel1', signs: ['from'], why: 'bad signature' }],
  arc: { result: 'none', sealers: [] },
  dmarc: { result: 'fail', domain: 'jf3vqb.test', policy: 'quarantine', aligned: {} },
  dns: [{ name: '_dmarc.jf3vqb.test', type: 'TXT', said: '"v=DMARC1; p=quarantine"' }],
  limits: [],
}
const WHY = 'Nothing vouches for jf3vqb.test, which asks that such mail is held (p=quarantine).'
const CONTENT = [
  'From: =?utf-8?B?5ZWG5bqX?= <shop@jf3vqb.test>',
  'To: you@example.test',
  'Subject: \x1b]0;owned\x07pay now',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/html',
  '',
  '<p>Pay <b>now</b> \x1b[2J</p><script>steal()</script>',
  '--b',
  'Content-Type: application/zip; name="bill.zip"',
  'Content-Disposition: attachment; filename="bill.zip"',
  'Content-Transfer-Encoding: base64',
  '',
  'UEsDBA==',
  '--b--',
  '',
].join('\r\n')

/** What the pipeline does with a message that it holds. */
async function hold(login: string, more: Partial<NewHold> = {}): Promise<string> {
  const account = await ports.accounts.findAccount(login)
  assert.ok(account !== undefined)
  const [local = '', domain = ''] = login.split('@')
  const nowMs = ports.clock.now()
  const traceId = makeTraceId(nowMs, ports.random.bytes(10))
  const writer = ports.intake.body(1_000_000)
  await writer.write(Buffer.from(CONTENT, 'latin1'))
  const staged = await writer.finish()
  assert.ok(staged.ok)
  const stored = await ports.intake.accept({
    traceId,
    trace: [
      { atMs: nowMs, kind: 'connected', listener: 'mx', client: '203.0.113.66' },
      { atMs: nowMs, kind: 'helo', name: 'freebsd.azure.test', extended: true },
      { atMs: nowMs, kind: 'sender', reversePath: 'boss@jf3vqb.test' },
      { atMs: nowMs, kind: 'authentication', evidence: EVIDENCE },
      {
        atMs: nowMs,
        kind: 'decision',
        action: 'hold',
        rule: 'dmarc',
        reasons: [{ rule: 'dmarc', text: WHY }],
      },
    ],
    body: staged.value,
    prefix: Buffer.from('Return-Path: <boss@jf3vqb.test>\r\n'),
    reversePath: null,
    receivedAtMs: nowMs,
    deliveries: [
      { owner: account.id as AccountId, mailbox: 'INBOX', flags: [], recipient: { local, domain } as never },
    ],
    hold: {
      reasons: [{ rule: 'dmarc', text: WHY }],
      evidence: EVIDENCE,
      untilMs: nowMs + 1_000_000_000,
      from: '商店 <shop@jf3vqb.test>',
      subject: '\x1b]0;owned\x07pay now',
      client: '203.0.113.66',
      helo: 'freebsd.azure.test',
      ...more,
    },
  })
  assert.ok(stored.ok, JSON.stringify(stored))
  return traceId
}

const text = async (operation: string, args: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  (await house.run(operation, args)).map(forTerminal).join('\n')

test('a held message is listed, shown with every reason, previewed without opening anything, and released once', async () => {
  const { login } = await house.account()
  const id = await hold(login)
  const list = await text('quarantine.list', { to: login })
  assert.ok(list.includes(id) && list.includes(WHY) && list.includes(`to ${login}`), list)
  const shown = await text('quarantine.show', { id })
  for (const part of [
    '商店 <shop@jf3vqb.test>',
    WHY,
    '203.0.113.66 may not send mail for jf3vqb.test',
    'A signature that names jf3vqb.test does not fit',
    'TXT of _dmarc.jf3vqb.test: "v=DMARC1; p=quarantine"',
    '| Pay now',
    'Attachment, not opened: bill.zip (application/zip',
    `hikyaku quarantine release ${id}`,
  ])
    assert.ok(shown.includes(part), `${part} in:\n${shown}`)
  assert.ok(!shown.includes('\x1b') && !shown.includes('steal'), shown)
  const released = await text('quarantine.release', { id })
  assert.match(released, new RegExp(`was released\\.\\nIt is in INBOX of ${login} as UID 1\\.`))
  const again = await house.server.run('quarantine.release', { id })
  assert.ok(!again.ok && again.error.includes('in the quarantine'))
  assert.match(await text('mail.show', { account: login, mailbox: 'INBOX', uid: '1' }), /Pay now/)
  const why = await text('why', { id })
  for (const part of [WHY, 'It was held', 'The operator released it', 'It is in INBOX', 'TXT of _dmarc'])
    assert.ok(why.includes(part), `${part} in:\n${why}`)
})

test('a deleted message is gone, and its trace says by whom', async () => {
  const { login } = await house.account()
  const id = await hold(login)
  assert.match(await text('quarantine.delete', { id }), /was deleted\. Neither/)
  assert.match(await text('quarantine.list', { to: login }), /Nothing is held/)
  assert.match(await text('why', { id }), /The operator deleted it from the quarantine/)
})

test('each account is told once a day what is held for it, in its language', async () => {
  const [anna, hana] = [await house.account(), await house.account()]
  await house.run('account.language', { address: hana.login, language: 'ja' })
  const first = await hold(anna.login)
  await hold(anna.login)
  await hold(hana.login)
  const duty = new QuarantineDuty(ports, () => ports.clock.now())
  await duty.run()
  const digest = await text('mail.show', { account: anna.login, mailbox: 'INBOX', uid: '1' })
  for (const part of ['2 messages are held for you', WHY, `Number: ${first}`, 'postmaster@example.test'])
    assert.ok(digest.includes(part), `${part} in:\n${digest}`)
  const japanese = await text('mail.show', { account: hana.login, mailbox: 'INBOX', uid: '1' })
  assert.match(japanese, /保留中のメールが 1 通あります/)
  await duty.run()
  await new QuarantineDuty(ports, () => ports.clock.now()).run()
  const second = await house.server.run('mail.show', { account: anna.login, mailbox: 'INBOX', uid: '2' })
  assert.ok(!second.ok, 'told twice')
  assert.match(digest, /Subject: 2 messages/)
})

test('what is past its time goes, and the trace says so', async () => {
  const { login } = await house.account()
  const id = await hold(login, { untilMs: ports.clock.now() + 1 })
  const duty = new QuarantineDuty(ports, () => ports.clock.now() + 1_000)
  await duty.run()
  assert.match(await text('quarantine.list', { to: login }), /Nothing is held/)
  assert.match(await text('why', { id }), /its time was over/)
})

test('ids of nothing get a sentence', async () => {
  for (const operation of ['quarantine.show', 'quarantine.release', 'quarantine.delete', 'why']) {
    for (const id of ['', 'nonsense', '0abcdefghjkmnpqrstvw']) {
      const result = await house.server.run(operation, { id })
      assert.ok(!result.ok && result.error.startsWith('There is no'), operation)
    }
  }
})
