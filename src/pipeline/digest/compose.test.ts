import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeAddress } from '../../mail/address.ts'
import type { TraceId } from '../../mail/ids.ts'
import { decodeParts } from '../../mime/parts.ts'
import { MessageScanner } from '../../mime/scanner.ts'
import { readableText } from '../../mime/text.ts'
import type { Held } from '../../ports/quarantine.ts'
import { composeDigest } from './compose.ts'

const HELD: Held = {
  id: '0abcdefghjkmnpqrstvw' as TraceId,
  heldAtMs: Date.UTC(2026, 10, 24, 6),
  untilMs: Date.UTC(2026, 11, 24, 6),
  reversePath: 'someone@freebsd.azure.test',
  sizeBytes: 700,
  recipients: [{ address: 'pokemon@jf3vqb.test' }],
  reasons: [{ rule: 'dmarc', text: 'Nothing vouches for jf3vqb.test, and it asks that such mail is held.' }],
  evidence: {
    spf: { result: 'fail', domain: 'jf3vqb.test', identity: 'mailfrom' },
    dkim: [],
    arc: { result: 'none', sealers: [] },
    dmarc: { result: 'fail', domain: 'jf3vqb.test', policy: 'quarantine', aligned: {} },
    dns: [],
    limits: [],
  },
  from: 'Boss <boss@jf3vqb.test>',
  subject: 'お知らせ',
  client: '203.0.113.66',
  helo: 'freebsd.azure.test',
}

function composed(held: readonly Held[], language: 'en' | 'ja') {
  const to = makeAddress('pokemon', 'jf3vqb.test')
  const postmaster = makeAddress('postmaster', 'jf3vqb.test')
  assert.ok(to !== undefined && postmaster !== undefined)
  const octets = composeDigest({
    ...{ to, postmaster, hostname: 'mail.jf3vqb.test', language, held },
    ...{ nowMs: Date.UTC(2026, 10, 24, 22), zoneMinutes: 540, unique: 'unique' },
  })
  const scanner = new MessageScanner()
  scanner.push(octets)
  const summary = scanner.end(new Uint8Array(0))
  const { text } = readableText(decodeParts(summary.parts), (start, end) => octets.subarray(start, end))
  return { summary, text, raw: octets.toString('latin1') }
}

test('a digest says who, what, when, why, until when, and how to have it', () => {
  const { summary, text, raw } = composed([HELD], 'en')
  assert.equal(summary.subject, 'A message is held for you')
  assert.match(raw, /^Reply-To: postmaster@jf3vqb\.test\r$/m)
  assert.match(raw, /^Auto-Submitted: auto-generated\r$/m)
  for (const part of [
    'From: Boss <boss@jf3vqb.test>',
    'Subject: お知らせ',
    'Came: 2026-11-24 15:00',
    'Why: Nothing vouches for jf3vqb.test',
    'Held until: 2026-12-24 15:00',
    `Number: ${HELD.id}`,
    'the answer goes to postmaster@jf3vqb.test',
  ])
    assert.ok(text.includes(part), `${part} in:\n${text}`)
})

test('in Japanese the reasons are Japanese too', () => {
  const { summary, text } = composed([HELD, HELD], 'ja')
  assert.equal(summary.subject, '保留中のメールが 2 通あります')
  assert.match(text, /理由: jf3vqb\.test を名乗っていますが/)
  assert.match(text, /返信は管理者 \(postmaster@jf3vqb\.test\) に届き/)
})

test('attack 34e: what strangers wrote stays one line of plain text: no field, no escape, no link, no turned writing', () => {
  const evil = 'x\r\nBcc: all@jf3vqb.test\r\n\x1b[2J\u202egnp.exe https://evil.test/ '.padEnd(5000, 'y')
  const { text, raw } = composed([{ ...HELD, from: evil, subject: evil }], 'en')
  assert.doesNotMatch(raw, /^Bcc:/m)
  for (const line of text.split('\n')) assert.ok(!/^Bcc:/.test(line))
  assert.doesNotMatch(text, /[\x1b\u202e]|:\/\/evil/)
  assert.ok(text.length < 3000)
})

test('of hundreds of held messages the digest names fifty, and says how many there are', () => {
  const { text } = composed(
    Array.from({ length: 120 }, () => HELD),
    'en',
  )
  assert.equal(text.match(/^Number:/gm)?.length, 50)
  assert.match(text, /120 messages to you were not delivered/)
  assert.match(text, /… and 70 more\./)
})
