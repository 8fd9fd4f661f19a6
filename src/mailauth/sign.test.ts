import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DkimFinding } from '../mail/authentication.ts'
import { unfold } from '../mime/header.ts'
import { sign } from './sign.ts'
import { contentOf, evaluated, testKey, zoneOf } from './signing.test-kit.ts'

const RSA = testKey('example.org', 'r1', 'rsa-sha256')
const ED25519 = testKey('example.org', 'e1', 'ed25519-sha256')
const ZONE = zoneOf(RSA, ED25519)
const NOW_MS = Date.UTC(2026, 10, 24, 12)

const HEADER =
  'From: Aya <aya@example.org>\r\nTo: bo@example.net\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n and\t more\r\n' +
  'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nX-Note: n\r\nList-Id: <l.example.org>\r\n'
const BODY = 'Hello  there \r\n\r\nbye\r\n\r\n\r\n'

async function signed(
  content: Buffer,
  added = '',
  keys = [RSA, ED25519],
  cuts: readonly number[] = [],
): Promise<Buffer> {
  const fields = await sign({
    content: contentOf(content, cuts).pieces(),
    added: Buffer.from(added),
    keys,
    nowMs: NOW_MS,
  })
  return Buffer.concat([Buffer.from(fields + added), content])
}

async function verdicts(message: Buffer): Promise<string[]> {
  const { dkim } = await evaluated(message, ZONE)
  return dkim.map(({ result, algorithm }: DkimFinding) => `${algorithm} ${result}`)
}

const PASS = ['rsa-sha256 pass', 'ed25519-sha256 pass']
const FAIL = ['rsa-sha256 fail', 'ed25519-sha256 fail']

test('each key gives one field: relaxed, with a time, without l=, i= and x=, folded', async () => {
  const message = await signed(Buffer.from(`${HEADER}\r\n${BODY}`))
  const [rsa = '', ed25519 = ''] = message.toString().split(/\r\n(?![ \t])/)
  assert.match(
    unfold(rsa),
    /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=example\.org; s=r1; t=1795521600; h=[a-z: -]+; bh=[A-Za-z0-9+/=]{44}; b=[A-Za-z0-9+/= ]+$/,
  )
  assert.match(unfold(ed25519), /^DKIM-Signature: v=1; a=ed25519-sha256; .* s=e1; /)
  assert.ok(
    message
      .toString()
      .split('\r\n')
      .every((line) => line.length <= 78),
  )
  assert.deepEqual(await verdicts(message), PASS)
})

test('what is signed: every field that means something, guarded; list fields where they are; never what others write', async () => {
  const others =
    'Received: from x\r\nReturn-Path: <x@y>\r\nAuthentication-Results: mx; none\r\nBcc: z@example.org\r\n' +
    'DKIM-Signature: v=1\r\nARC-Seal: i=1\r\nReceived-SPF: pass\r\nX-Spam: no\r\n'
  const message = await signed(Buffer.from(`${others}${HEADER}Sender: s@example.org\r\n\r\n${BODY}`), '', [
    RSA,
  ])
  const { dkim } = await evaluated(message, ZONE)
  assert.deepEqual(
    dkim[0]?.signs.toSorted(),
    (
      'cc content-transfer-encoding content-type date from in-reply-to list-id message-id mime-version references ' +
      'reply-to sender subject to'
    ).split(' '),
  )
  const h = /h=([^;]*);/.exec(message.toString().replace(/\s+/g, ''))?.[1]?.split(':') ?? []
  const guarded = [...new Set(h)].filter((name) => h.filter((other) => other === name).length > 1)
  assert.deepEqual(guarded.toSorted(), ['date', 'from', 'message-id', 'subject', 'to'])
})

test('a second From, Subject or To, or a new Content-Type, breaks the signature, above and below', async () => {
  const message = (await signed(Buffer.from(`${HEADER}\r\n${BODY}`))).toString()
  for (const field of [
    'From: evil@example.com',
    'FROM : evil@example.com',
    'Subject: other',
    'To: victim@example.net',
    'Cc: victim@example.net',
    'Reply-To: evil@example.com',
    'Date: Wed, 25 Nov 2026 12:00:00 +0000',
    'Message-ID: <2@example.com>',
    'References: <3@example.com>',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: base64',
    'MIME-Version: 1.0',
  ]) {
    assert.deepEqual(await verdicts(Buffer.from(`${field}\r\n${message}`)), FAIL, field)
    assert.deepEqual(await verdicts(Buffer.from(message.replace('X-Note: n', field))), FAIL, field)
  }
})

test('what a list or forwarder adds by right leaves the signature whole', async () => {
  const message = await signed(Buffer.from(`${HEADER}\r\n${BODY}`))
  const added =
    'Received: from x by y; Tue, 24 Nov 2026 12:00:01 +0000\r\nSender: list-bounces@lists.example.net\r\n' +
    'List-Id: <other.example.net>\r\nList-Unsubscribe: <https://example.net/u>\r\nResent-From: bo@example.net\r\n' +
    'Authentication-Results: mx.example.net; dkim=pass\r\nPrecedence: list\r\nReturn-Path: <x@example.net>\r\n'
  assert.deepEqual(await verdicts(Buffer.concat([Buffer.from(added), message])), PASS)
})

test('fields that we add are signed with the content', async () => {
  const content = Buffer.from(`From: aya@example.org\r\n\r\n${BODY}`)
  const message = await signed(
    content,
    'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n',
  )
  assert.deepEqual(await verdicts(message), PASS)
  assert.deepEqual(await verdicts(Buffer.from(message.toString().replace('<1@', '<2@'))), FAIL)
})

test('messages of every shape verify', async () => {
  const long = 'x'.repeat(990)
  for (const [shape, content] of Object.entries({
    'no body': HEADER,
    'an empty body': `${HEADER}\r\n`,
    'only empty lines': `${HEADER}\r\n\r\n\r\n`,
    'only blanks': `${HEADER}\r\n \t \r\n  \r\n`,
    'no final line end': `${HEADER}\r\nabc`,
    'blanks and no line end': `${HEADER}\r\nabc \t`,
    'long lines': `${HEADER}X-Long: ${long}\r\n ${long}\r\nSubject: ${long}\r\n\r\n${long}\r\n${long}${long}${long}\r\n`,
    'UTF-8 fields': `${HEADER}Cc: 例え <ö@例え.example>\r\nSubject: Ünï\u00a0code \r\n\r\n本文 \r\n`,
    'fields many times': `${HEADER}${'Subject: s\r\nFrom: b@example.org\r\nList-Post: x\r\n'.repeat(20)}\r\n${BODY}`,
    'empty fields': `From:\r\nTo: \r\nSubject:\t\r\n \r\n x\r\n\r\n${BODY}`,
    'fields of old form': `From \t: a@example.org\r\nsUBJECT: x\r\n\r\n${BODY}`,
    'no field at all': `\r\n${BODY}`,
  }))
    assert.deepEqual(await verdicts(await signed(Buffer.from(content))), PASS, shape)
  const octets = Buffer.from(
    Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => octet !== 10 && octet !== 13),
  )
  assert.deepEqual(await verdicts(await signed(Buffer.concat([Buffer.from(`${HEADER}\r\n`), octets]))), PASS)
})

test('25 MB are signed as they come, and verify', async () => {
  const line = Buffer.from(`${'abc \t def  '.repeat(7)}\r\n`)
  const body = Buffer.alloc(25 * 1024 * 1024, line)
  const content = Buffer.concat([Buffer.from(`${HEADER}\r\n`), body])
  const cuts = Array.from({ length: 400 }, (_, at) => at * 65_521)
  assert.deepEqual(
    await verdicts(
      await signed(
        content,
        '',
        [RSA, ED25519],
        cuts.filter((cut) => cut < content.length),
      ),
    ),
    PASS,
  )
})

test('without a key nothing is read and nothing signed; a key that is none is our fault, and not told', async () => {
  const unread: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => assert.fail('it was read'),
  }
  assert.equal(await sign({ content: unread, added: Buffer.alloc(0), keys: [], nowMs: NOW_MS }), '')
  for (const privateKeyPem of ['secret words', ED25519.privateKeyPem])
    await assert.rejects(signed(Buffer.from(HEADER), '', [{ ...RSA, privateKeyPem }]), {
      message: 'the key of selector r1 for example.org is no rsa private key',
    })
})

const names = fc.constantFrom(
  'From',
  'subject',
  'TO',
  'Cc',
  'Date',
  'X-Other',
  'List-Id',
  'Content-Type',
  'received',
)
const text = fc.string({
  unit: fc.constantFrom('a', 'Z', ' ', '\t', '  ', '\r\n ', '\r\n\t', ':', ';', '=', 'é', '本', '.'),
  maxLength: 20,
})
const field = fc.tuple(names, fc.constantFrom(':', ' :', ': '), text).map((words) => `${words.join('')}x\r\n`)
const lines = fc.string({
  unit: fc.constantFrom('a', '.', ' ', '\t', '\r\n', '\r\n\r\n', 'é', '\0'),
  maxLength: 60,
})
const message = fc.tuple(fc.array(field, { maxLength: 12 }), lines).map(([fields, body]) => ({
  header: `From: a@example.org\r\n${fields.join('')}\r\n`,
  body,
}))

test('property: a message cut at every byte, or anywhere, is signed the same and verifies (round trip)', async () => {
  await fc.assert(
    fc.asyncProperty(message, fc.array(fc.nat(400), { maxLength: 8 }), async ({ header, body }, places) => {
      const content = Buffer.from(header + body)
      const whole = await signed(content, '', [ED25519])
      const cuts = places.filter((place) => place < content.length)
      const every = Array.from({ length: content.length }, (_, at) => at)
      assert.deepEqual(await signed(content, '', [ED25519], cuts), whole)
      assert.deepEqual(await signed(content, '', [ED25519], every), whole)
      assert.deepEqual(await verdicts(whole), ['ed25519-sha256 pass'], JSON.stringify(content.toString()))
    }),
    { numRuns: 200 },
  )
})

test('property: a change of any signed octet breaks the signature', async () => {
  const content = Buffer.from(`${HEADER}\r\n${BODY}`)
  const whole = await signed(content, '', [ED25519])
  const prefix = whole.length - content.length
  // Not the field that is not signed, white space (which relaxed form may lose), the case and colon of names, nor line ends.
  const free = /(?:^X-Note: .*$|^[A-Za-z-]+:|[ \t\r\n])/gm
  const loose = new Set(
    [...content.toString().matchAll(free)].flatMap(({ index, 0: { length } }) =>
      Array.from({ length }, (_, at) => index + at),
    ),
  )
  const tight = Array.from({ length: content.length }, (_, at) => at).filter((at) => !loose.has(at))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...tight), fc.integer({ min: 0x21, max: 0x7e }), async (at, octet) => {
      fc.pre(content[at] !== octet)
      const changed = Buffer.from(whole)
      changed[prefix + at] = octet
      assert.deepEqual(await verdicts(changed), ['ed25519-sha256 fail'])
    }),
    { numRuns: 300 },
  )
})
