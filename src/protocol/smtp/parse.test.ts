import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { LineReader } from '../../bytes/lines.ts'
import { ByteQueue } from '../../bytes/queue.ts'
import { makeAddress } from '../../mail/address.ts'
import { reply } from '../../mail/reply.ts'
import { mailCommand, rcptCommand } from './client-commands.ts'
import { readPeer } from './client-peer.ts'
import type { Command, CommandFault, ParseContext } from './parse.ts'
import { parseCommand } from './parse.ts'

const CONTEXT: ParseContext = {
  protocol: 'smtp',
  bareNewlines: 'refuse',
  smtputf8: true,
  dsn: true,
  utf8Transaction: false,
  maxParameters: 10,
}

function parse(text: string, context: Partial<ParseContext> = {}): Command | CommandFault {
  const bytes = Buffer.from(text, 'utf8')
  const line = { kind: 'line', bytes, ending: 'crlf', bareCr: false } as const
  return parseCommand(line, { ...CONTEXT, ...context })
}

function refusal(text: string, context: Partial<ParseContext> = {}): string {
  const parsed = parse(text, context)
  return 'kind' in parsed ? `${parsed.reply.code} ${parsed.reply.enhanced}` : `taken: ${parsed.verb}`
}

function mail(text: string, context: Partial<ParseContext> = {}): Extract<Command, { verb: 'MAIL' }> {
  const parsed = parse(text, context)
  assert.ok(!('kind' in parsed) && parsed.verb === 'MAIL', text)
  return parsed
}

function rcpt(text: string, context: Partial<ParseContext> = {}): Extract<Command, { verb: 'RCPT' }> {
  const parsed = parse(text, context)
  assert.ok(!('kind' in parsed) && parsed.verb === 'RCPT', text)
  return parsed
}

test('LMTP takes a local part without a domain, as the cyrusv2 mailer of sendmail writes it; SMTP does not', () => {
  assert.deepEqual(rcpt('RCPT To:<user10>', { protocol: 'lmtp' }).path, {
    kind: 'local-name',
    local: 'user10',
    text: '<user10>',
  })
  assert.equal(refusal('RCPT TO:<user10>'), '501 5.1.3')
  assert.equal(refusal('RCPT TO:<us er>', { protocol: 'lmtp' }), '501 5.1.3')
  assert.equal(refusal('MAIL FROM:<user10>', { protocol: 'lmtp' }), '501 5.1.7')
})

test('MAIL with every parameter', () => {
  assert.deepEqual(
    mail('mail from:<A.b@Example.TEST> size=12 BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=q+2B1 AUTH=a+3Db@x'),
    {
      verb: 'MAIL',
      sender: {
        reversePath: { local: 'A.b', domain: 'example.test' },
        bodyType: '8BITMIME',
        smtputf8: true,
        declaredSizeBytes: 12,
        ret: 'HDRS',
        envid: 'q+1',
      },
      text: '<A.b@Example.TEST>',
      route: [],
      authParam: 'a=b@x',
      lenient: [],
    },
  )
  assert.equal(mail('MAIL FROM:<>').sender.reversePath, null)
  assert.equal(mail('MAIL FROM:<> AUTH=<>').authParam, null)
})

test('an ORCPT of type utf-8 in any form is one address (rfc6533 §3)', () => {
  for (const form of ['太郎+2Bx', '\\x{592A}\\x{90CE}\\x{2B}x', '+E5+A4+AA+E9+83+8E+2Bx']) {
    const { orcpt } = rcpt(`RCPT TO:<b@x.test> ORCPT=UTF-8;${form}@x.test`)
    assert.equal(orcpt, 'utf-8;太郎+x@x.test')
    assert.equal(
      rcptCommand(
        { address: { local: 'b', domain: 'x.test' }, orcpt },
        readPeer(reply(250, undefined, 'x\nDSN')),
      ),
      'RCPT TO:<b@x.test> ORCPT=utf-8;\\x{592A}\\x{90CE}\\x{2B}x@x.test',
    )
  }
  for (const form of ['\\x{D800}', '\\x{110000}', '\\x{D}\\x{A}'])
    assert.equal(refusal(`RCPT TO:<b@x.test> ORCPT=utf-8;${form}@x.test`), '501 5.5.4')
})

test('paths: quoting, literals, routes, postmaster', () => {
  const address = (text: string) => {
    const { path } = rcpt(`RCPT TO:${text}`)
    assert.ok(path.kind === 'address', text)
    return [path.address.local, path.address.domain, ...path.route]
  }
  assert.deepEqual(address('<"a b"@x.test>'), ['a b', 'x.test'])
  assert.deepEqual(address('<"a>b\\"c"@x.test>'), ['a>b"c', 'x.test'])
  assert.deepEqual(address('<a@[192.0.2.1]>'), ['a', '[192.0.2.1]'])
  assert.deepEqual(address('<a@[IPv6:2001:db8::1]>'), ['a', '[ipv6:2001:db8::1]'])
  assert.deepEqual(address('<@One.test,@two.test:u@d.test>'), ['u', 'd.test', 'one.test', 'two.test'])
  assert.deepEqual(address('<a%b.test@x.test>'), ['a%b.test', 'x.test'])
  assert.deepEqual(address('<b!a@x.test>'), ['b!a', 'x.test'])
  assert.deepEqual(address('<"a@b"@x.test>'), ['a@b', 'x.test'])
  assert.deepEqual(rcpt('RCPT TO:<pOstMaster>').path, { kind: 'postmaster', text: '<pOstMaster>' })
})

test('leniencies are tagged', () => {
  assert.deepEqual(rcpt('RCPT TO:<a..b@x.test>').lenient, ['dots-in-local-part'])
  assert.deepEqual(rcpt('RCPT TO:<x.@x.test>').lenient, ['dots-in-local-part'])
  assert.deepEqual(rcpt('RCPT TO: <a@x.test>').lenient, ['space-after-colon'])
  assert.deepEqual(rcpt('RCPT TO:a@x.test').lenient, ['no-angle-brackets'])
  const odd = parse('EHLO my_host')
  assert.ok('lenient' in odd && odd.lenient[0] === 'helo-name')
  const bare = parse('HELO 192.0.2.1')
  assert.ok('lenient' in bare && bare.lenient[0] === 'helo-name')
})

test('each error has its own reply', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['MAIL', '501 5.5.4'],
    ['MAIL FROM', '501 5.5.4'],
    ['MAIL TO:<a@x.test>', '501 5.5.4'],
    ['MAIL FROM:', '501 5.1.7'],
    ['MAIL FROM:a', '501 5.1.7'],
    ['MAIL FROM:<a>', '501 5.1.7'],
    ['MAIL FROM:<a@x.test', '501 5.1.7'],
    ['MAIL FROM:<a@x.test>SIZE=1', '501 5.1.7'],
    ['MAIL FROM:<@a,b:u@d>', '501 5.1.7'],
    ['MAIL FROM:<a b@x.test>', '501 5.1.7'],
    ['MAIL FROM:<postmaster>', '501 5.1.7'],
    ['MAIL FROM:<"a@x.test>', '501 5.1.7'],
    ['MAIL FROM:<a@x..test>', '501 5.1.7'],
    [`MAIL FROM:<${'a'.repeat(65)}@x.test>`, '501 5.1.7'],
    ['MAIL FROM:<a@x.test> SIZE', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> SIZE=-1', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> SIZE=1 SIZE=2', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> BODY=9BIT', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> BODY=BINARYMIME', '555 5.5.4'],
    ['MAIL FROM:<a@x.test> SMTPUTF8=1', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> RET=ALL', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> ENVID=a=b', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> ENVID=a+4', '501 5.5.4'],
    [`MAIL FROM:<a@x.test> ENVID=${'a'.repeat(101)}`, '501 5.5.4'],
    ['MAIL FROM:<a@x.test> __proto__=1', '501 5.5.4'],
    ['MAIL FROM:<a@x.test> constructor', '555 5.5.4'],
    ['MAIL FROM:<a@x.test> NOTIFY=NEVER', '555 5.5.4'],
    ['MAIL FROM:<é@x.test>', '553 5.6.7'],
    ['MAIL FROM:<a@é.test>', '553 5.6.7'],
    ['RCPT', '501 5.5.4'],
    ['RCPT TO:<>', '501 5.1.3'],
    ['RCPT TO:<b>', '501 5.1.3'],
    ['RCPT TO:<x!y!z>', '501 5.1.3'],
    ['RCPT TO:<@x.test>', '501 5.1.3'],
    ['RCPT TO:<a@[300.1.1.1.1]>', '501 5.1.3'],
    ['RCPT TO:<é@x.test>', '553 5.6.7'],
    ['RCPT TO:<b@x.test> NOTIFY=NEVER,SUCCESS', '501 5.5.4'],
    ['RCPT TO:<b@x.test> NOTIFY=', '501 5.5.4'],
    ['RCPT TO:<b@x.test> ORCPT=x', '501 5.5.4'],
    ['RCPT TO:<b@x.test> SIZE=1', '555 5.5.4'],
    ['EHLO', '501 5.5.4'],
    ['EHLO a b', '501 5.5.4'],
    ['EHLO x"y', '501 5.5.4'],
    ['EHLO x(y)', '501 5.5.4'],
    ['EHLO é.test', '501 5.5.4'],
    ['EHLO a;b', '501 5.5.4'],
    ['VRFY', '501 5.5.4'],
    ['AUTH', '501 5.5.4'],
    ['AUTH PLAIN a b', '501 5.5.4'],
    ['AUTH PLAIN é', '501 5.5.4'],
    ['DATA now', '501 5.5.4'],
    ['BURL x', '502 5.5.1'],
    ['HELOx', '500 5.5.1'],
    [' EHLO x', '500 5.5.1'],
    ['', '500 5.5.1'],
    ['NOOP\tx', '500 5.5.2'],
  ]
  for (const [line, expected] of cases) assert.equal(refusal(line), expected, line)
  assert.equal(refusal('MAIL FROM:<a@x.test> SMTPUTF8', { smtputf8: false }), '555 5.5.4')
  assert.equal(refusal('MAIL FROM:<a@x.test> RET=FULL', { dsn: false }), '555 5.5.4')
  assert.equal(refusal(`MAIL FROM:<a@x.test> SIZE=1 RET=FULL`, { maxParameters: 1 }), '501 5.5.4')
  assert.equal(refusal('RCPT TO:<é@é.test>', { utf8Transaction: true }), 'taken: RCPT')
})

test('octets that are no UTF-8 are refused', () => {
  const line = {
    kind: 'line',
    bytes: Buffer.from('NOOP \xe9', 'latin1'),
    ending: 'crlf',
    bareCr: false,
  } as const
  const parsed = parseCommand(line, CONTEXT)
  assert.ok('kind' in parsed && parsed.reply.code === 500)
})

test('property: no line breaks the parser', () => {
  const verbs = fc.constantFrom('MAIL FROM:', 'RCPT TO:', 'EHLO ', 'AUTH ', 'BDAT ', 'VRFY ', '')
  const tail = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }))
  fc.assert(
    fc.property(verbs, tail, (verb, text) => {
      const parsed = parse(verb + text.replaceAll('\n', ' '))
      if ('kind' in parsed) assert.ok(parsed.reply.code >= 421)
    }),
    { numRuns: 1000 },
  )
})

const PEER = readPeer({ code: 250, lines: ['x', 'SIZE', '8BITMIME', 'SMTPUTF8', 'DSN'] })
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((s) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/.test(s))
const addresses = fc
  .tuple(text, fc.constantFrom('x.test', '[192.0.2.1]', 'a-b.c.test'))
  .map(([local, domain]) => makeAddress(local, domain))
  .filter((address) => address !== undefined)
const dsnWords = text.filter((s) => Buffer.byteLength(s) <= 30)

test('round trip: MAIL and RCPT as the client writes them are read as they were meant', () => {
  const senders = fc.record({
    reversePath: fc.option(addresses, { nil: null }),
    bodyType: fc.constantFrom('7BIT' as const, '8BITMIME' as const),
    smtputf8: fc.constant(true),
    ret: fc.constantFrom('FULL' as const, 'HDRS' as const, undefined),
    envid: fc.option(dsnWords, { nil: undefined }),
  })
  const recipients = fc.record({
    address: addresses,
    notify: fc.constantFrom('NEVER' as const, ['SUCCESS', 'DELAY'] as const, undefined),
    orcpt: fc.option(
      dsnWords.map((word) => `rfc822;${word}`),
      { nil: undefined },
    ),
  })
  fc.assert(
    fc.property(senders, recipients, fc.nat(), (sender, recipient, sizeBytes) => {
      const transaction = { sender, recipients: [recipient], sizeBytes }
      assert.deepEqual(mail(mailCommand(transaction, PEER)).sender, {
        ...sender,
        declaredSizeBytes: sizeBytes,
      })
      const read = rcpt(rcptCommand(recipient, PEER), { utf8Transaction: true })
      assert.ok(read.path.kind === 'address')
      assert.deepEqual(
        { address: read.path.address, notify: read.notify, orcpt: read.orcpt },
        { ...recipient, notify: recipient.notify },
      )
    }),
    { numRuns: 500 },
  )
})

test('commands cut at every octet are the same commands', () => {
  const input = Buffer.from('EHLO x\r\nMAIL FROM:<é@x.test> SMTPUTF8\r\nNOOP\nQUIT\r\r\n')
  const readAll = (size: number): unknown[] => {
    const queue = new ByteQueue()
    const lines = new LineReader(queue)
    const commands: unknown[] = []
    for (let at = 0; at < input.length; at += size) {
      queue.push(input.subarray(at, at + size))
      for (let line = lines.next(100); line.kind === 'line'; line = lines.next(100))
        commands.push(parseCommand(line, CONTEXT))
    }
    return commands
  }
  const whole = readAll(input.length)
  assert.equal(whole.length, 4)
  for (let size = 1; size < input.length; size++) assert.deepEqual(readAll(size), whole)
})
