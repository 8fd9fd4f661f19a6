import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../mail/address.ts'
import { reply } from '../mail/reply.ts'
import { composeDeliveryReport, isGlobalReport } from './delivery-report.ts'
import type { DeliveryReport, ReportedRecipient } from './delivery-report-types.ts'
import { headerFields } from './header.ts'
import { decodeParts, type Part, paramOf } from './parts.ts'
import { REPORT_TEXTS, type ReportAction, reasonOf } from './report-texts.ts'
import { MessageScanner } from './scanner.ts'
import { partText } from './text.ts'

function address(text: string) {
  const parsed = parseAddress(text)
  assert.ok(parsed, text)
  return parsed
}

const HEADER = Buffer.from('From: me@example.test\r\nSubject: hello\r\n\r\n')

function recipient(more: Partial<ReportedRecipient> = {}): ReportedRecipient {
  return {
    address: address('x@a.test'),
    action: 'failed',
    reply: reply(550, '5.1.1', 'no such user'),
    remoteHost: 'mx.a.test',
    ...more,
  }
}

function report(more: Partial<DeliveryReport> = {}): DeliveryReport {
  return {
    to: address('me@example.test'),
    hostname: 'mail.example.test',
    arrivedAtMs: 1_700_000_000_000,
    nowMs: 1_700_000_060_000,
    zoneMinutes: 540,
    smtputf8: false,
    recipients: [recipient()],
    original: { kind: 'header', octets: HEADER },
    unique: 'abc123',
    ...more,
  }
}

interface Read {
  readonly root: Part
  readonly octets: Buffer
  readonly subject: string
  readonly human: string
  /** Groups of fields of the status part. */
  readonly status: readonly ReadonlyMap<string, string>[]
  part(index: number): Part
  text(index: number): string
}

/** The report as our own MIME room reads it. */
function read(given: DeliveryReport): Read {
  const octets = composeDeliveryReport(given)
  const scanner = new MessageScanner()
  scanner.push(octets)
  const summary = scanner.end(Buffer.alloc(0))
  const root = decodeParts(summary.parts)
  const range = (start: number, end: number): Uint8Array => octets.subarray(start, end)
  const part = (index: number): Part => root.children[index] ?? assert.fail(`no part ${index}`)
  const text = (index: number): string =>
    octets.subarray(part(index).bodyStart, part(index).bodyEnd).toString('utf8')
  const status = text(1)
    .trimEnd()
    .split('\r\n\r\n')
    .map(
      (group) => new Map(headerFields(Buffer.from(`${group}\r\n`)).map(({ key, raw }) => [key, raw.trim()])),
    )
  return { root, octets, subject: summary.subject, human: partText(part(0), range).text, status, part, text }
}

test('a failure: three parts, for people in two languages, for programs, and the original', () => {
  const { root, subject, human, status, part, text } = read(report({ envid: 'q1' }))
  assert.deepEqual(
    [root.type, root.subtype, paramOf(root, 'report-type')],
    ['multipart', 'report', 'delivery-status'],
  )
  assert.equal(root.children.length, 3)
  assert.equal(subject, 'Your message could not be delivered')
  assert.match(human, /could not be delivered to:\n\n {4}x@a\.test\n {8}There is no such mailbox/)
  assert.match(human, /mx\.a\.test: 550 5\.1\.1 no such user/)
  assert.match(
    human,
    /メールを次の宛先に届けられませんでした。\n\n {4}x@a\.test\n {8}宛先のメールアドレスが存在しません/,
  )
  assert.deepEqual([part(1).type, part(1).subtype], ['message', 'delivery-status'])
  assert.deepEqual(Object.fromEntries(status[0] ?? []), {
    'reporting-mta': 'dns; mail.example.test',
    'original-envelope-id': 'q1',
    'arrival-date': 'Wed, 15 Nov 2023 07:13:20 +0900',
  })
  assert.deepEqual(Object.fromEntries(status[1] ?? []), {
    'final-recipient': 'rfc822; x@a.test',
    action: 'failed',
    status: '5.1.1',
    'remote-mta': 'dns; mx.a.test',
    'diagnostic-code': 'smtp; 550 5.1.1 no such user',
    'last-attempt-date': 'Wed, 15 Nov 2023 07:14:20 +0900',
  })
  assert.deepEqual([part(2).type, part(2).subtype], ['text', 'rfc822-headers'])
  assert.equal(text(2), HEADER.toString())
})

test('the whole original comes back as a message', () => {
  const octets = Buffer.concat([HEADER, Buffer.from('body é\r\n')])
  const { part } = read(report({ original: { kind: 'full', octets } }))
  assert.deepEqual([part(2).type, part(2).subtype, part(2).encoding], ['message', 'rfc822', '8bit'])
  assert.ok(part(2).message !== undefined)
})

test('late, given up, relayed and delivered say so', () => {
  const late = read(
    report({ recipients: [recipient({ action: 'delayed', willRetryUntilMs: 1_700_400_000_000 })] }),
  )
  assert.equal(late.status[1]?.get('will-retry-until'), 'Sun, 19 Nov 2023 22:20:00 +0900')
  assert.match(late.human, /It is tried again until Sun, 19 Nov 2023 22:20:00 \+0900\./)
  const over = read(
    report({ recipients: [recipient({ expired: true, reply: reply(451, '4.7.1', 'greylisted') })] }),
  )
  assert.equal(over.status[1]?.get('status'), '4.4.7')
  assert.match(over.human, /again and again/)
  for (const action of ['relayed', 'delivered'] as const) {
    const { status, subject } = read(
      report({ recipients: [recipient({ action, reply: reply(250, '2.1.5', 'ok') })] }),
    )
    assert.deepEqual([status[1]?.get('action'), status[1]?.get('status')], [action, '2.1.5'])
    assert.equal(subject, REPORT_TEXTS[action].subject)
  }
})

test('several actions in one report: each has its section, the worst the subject', () => {
  const actions: ReportAction[] = ['delivered', 'relayed', 'delayed', 'failed']
  const { human, status, subject } = read(
    report({
      recipients: actions.map((action) => recipient({ action, address: address(`${action}@a.test`) })),
    }),
  )
  assert.equal(subject, 'Your message could not be delivered')
  assert.deepEqual(
    status.slice(1).map((group) => group.get('action')),
    actions,
  )
  const order = [...human.matchAll(/^ {4}(\w+)@a\.test$/gm)].map(([, name]) => name)
  assert.deepEqual(order, [
    'failed',
    'delayed',
    'relayed',
    'delivered',
    'failed',
    'delayed',
    'relayed',
    'delivered',
  ])
})

test('UTF-8 addresses: as they are to who takes them, in their ASCII form to others (rfc6533 §3)', () => {
  const recipients = [recipient({ address: address('花子@a.test') })]
  const plain = read(report({ recipients }))
  assert.equal(isGlobalReport(report({ recipients })), false)
  assert.equal(plain.status[1]?.get('final-recipient'), 'utf-8; \\x{82B1}\\x{5B50}@a.test')
  assert.ok(!/[\x80-\xff]/.test(plain.octets.toString('latin1')), 'nothing of it needs SMTPUTF8')
  assert.match(plain.human, /花子@a\.test/)
  const global = report({ recipients, smtputf8: true, original: { kind: 'full', octets: HEADER } })
  assert.equal(isGlobalReport(global), true)
  const { root, part, text } = read(global)
  assert.equal(paramOf(root, 'report-type'), 'global-delivery-status')
  assert.deepEqual([part(1).subtype, part(2).subtype], ['global-delivery-status', 'global'])
  assert.match(text(1), /^Final-Recipient: utf-8; 花子@a\.test\r$/m)
  assert.equal(isGlobalReport(report({ to: address('花子@example.test') })), true)
})

test('a host without enhanced codes: the class has to do', () => {
  const status = (code: number): string | undefined =>
    read(report({ recipients: [recipient({ reply: reply(code, undefined, 'no') })] })).status[1]?.get(
      'status',
    )
  assert.deepEqual([status(550), status(451)], ['5.0.0', '5.0.0'])
})

test('attack 8c: the words of a hostile host add no field, no part and no terminal escape', () => {
  const words = [
    'x\r\nAction: delivered',
    'x\r\n\r\n--report-abc123--\r\n',
    '\u001b[2J\u009b31m',
    'x\nBcc: a@b\n\n',
    '\u2028Status: 2.0.0',
  ]
  for (const text of words) {
    const hostile = { code: 550, enhanced: '5.1.1', lines: [text] }
    const given = report({
      envid: text,
      recipients: [recipient({ reply: hostile, remoteHost: text, orcpt: `rfc822;${text}` })],
    })
    const { root, status, human, octets } = read(given)
    assert.equal(root.children.length, 3, text)
    assert.equal(status.length, 2, text)
    assert.equal(status[1]?.get('action'), 'failed')
    assert.equal(headerFields(octets).filter(({ key }) => key === 'bcc').length, 0)
    assert.ok(!/[\u001b\u009b]/.test(human), text)
  }
})

test('property: whatever a host says, the report has its three parts and one action a recipient', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 4 }), (lines) => {
      const said = { code: 550, lines: lines.map((line) => line.toWellFormed()) }
      const { root, status } = read(report({ recipients: [recipient({ reply: said }), recipient()] }))
      return root.children.length === 3 && status.length === 3 && status[2]?.get('action') === 'failed'
    }),
    { numRuns: 100 },
  )
})

test('no line is longer than a mail server takes', () => {
  const said = reply(550, '5.1.1', 'x'.repeat(5_000))
  const { octets } = read(
    report({ recipients: [recipient({ reply: said, orcpt: `rfc822;${'y'.repeat(5_000)}` })] }),
  )
  assert.ok(
    octets
      .toString('latin1')
      .split('\r\n')
      .every((line) => line.length <= 998),
  )
})

test('reasons are found by subject and detail, or by subject', () => {
  assert.match(reasonOf('5.1.1')?.english ?? '', /no such mailbox/)
  assert.match(reasonOf('4.7.99')?.japanese ?? '', /規則/)
  assert.equal(reasonOf('5.0.0'), undefined)
  assert.equal(reasonOf('nonsense'), undefined)
  assert.equal(reasonOf('5.constructor.x'), undefined)
})

test('an original recipient in UTF-8 keeps its characters (rfc6533 §3)', () => {
  const recipients = [recipient({ address: address('花子@a.test'), orcpt: 'utf-8;太郎+x@a.test' })]
  const plain = read(report({ recipients }))
  assert.equal(plain.status[1]?.get('original-recipient'), 'utf-8; \\x{592A}\\x{90CE}\\x{2B}x@a.test')
  const global = read(report({ recipients, smtputf8: true }))
  assert.match(global.text(1), /^Original-Recipient: utf-8; 太郎\+x@a\.test\r$/m)
})

test('only what a host said is a diagnostic of SMTP (rfc3464 §2.3.6)', () => {
  const ours = recipient({ remoteHost: undefined, reply: reply(550, '5.1.2', 'no such domain') })
  const { status } = read(report({ recipients: [recipient(), ours] }))
  assert.equal(status[1]?.get('diagnostic-code'), 'smtp; 550 5.1.1 no such user')
  assert.equal(status[2]?.get('diagnostic-code'), 'x-hikyaku; 550 5.1.2 no such domain')
})
