import assert from 'node:assert/strict'
import { test } from 'node:test'
import { origin } from '../ports.test-kit.ts'
import { receivedField } from '../received.ts'
import { parsePassedOn } from './passed-on.ts'

const FORMS: readonly (readonly [string, string, string])[] = [
  // sendmail
  [
    'from mx.bigmail.test (mx.bigmail.test [203.0.113.10])\r\n\tby backup.test (8.17.1.9/8.17.1.9) with ESMTP id 6AO6MmTT000475\r\n\tfor <p@jf3vqb.test>; Tue, 24 Nov 2026 06:22:48 GMT',
    '203.0.113.10',
    'mx.bigmail.test',
  ],
  ['from mx.test (mx.test [IPv6:2001:db8:200:0:0:0:0:20]) by backup.test; x', '2001:db8:200::20', 'mx.test'],
  ['from mx.test (rdns.test [203.0.113.10] (may be forged)) by backup.test; x', '203.0.113.10', 'mx.test'],
  // Postfix
  [
    'from evil.test (unknown [203.0.113.66])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\t(No client certificate requested)\r\n\tby backup.test (Postfix) with ESMTPS id 4A; x',
    '203.0.113.66',
    'evil.test',
  ],
  [
    'from [203.0.113.10] (unknown [203.0.113.66]) by backup.test (Postfix); x',
    '203.0.113.66',
    '[203.0.113.10]',
  ],
  // Exim
  [
    'from mx.test ([203.0.113.10] helo=other.test) by backup.test with esmtp (Exim 4.96) id 1; x',
    '203.0.113.10',
    'other.test',
  ],
  ['from mx.test ([2001:db8::10]:2525) by backup.test with esmtp (Exim 4.96); x', '2001:db8::10', 'mx.test'],
  [
    'from [203.0.113.10] (port=4 helo=[192.0.2.1]) by backup.test with esmtp (Exim 4.96); x',
    '203.0.113.10',
    '[192.0.2.1]',
  ],
  // Cyrus over TCP
  [
    'from front.test (front.test [192.0.2.9]) by store.test (Cyrus 3.6) with LMTPA; x',
    '192.0.2.9',
    'front.test',
  ],
]
for (const [raw, client, helo] of FORMS)
  test(`read: ${raw.slice(0, 60).replace(/\s+/g, ' ')}`, () =>
    assert.deepEqual(parsePassedOn(raw), { client, helo }))

const UNREADABLE = [
  'from evil (a.test [203.0.113.10]) (real.test [203.0.113.66]) by backup.test; x',
  'from x by (a.test [203.0.113.10]) (real.test [203.0.113.66]) by backup.test; x',
  'from evil a.test (a.test [203.0.113.10]) by backup.test; x',
  'from (a.test [203.0.113.10]) by backup.test; x',
  'from dhcp.test ([unix socket]) by store.test with LMTPA; x',
  'from localhost (localhost) by backup.test id 6; x',
  'from a.test (b [999.0.0.1]) by backup.test; x',
  'from a.test (x y [203.0.113.10]) by backup.test; x',
  'from a.test (b [203.0.113.10]',
  'from a.test (b [203.0.113.10]); no by',
  'by backup.test with local; x',
  `from a.test (b [203.0.113.10]) ${'('.repeat(3_000)} by x`,
  `from a.test (b [203.0.113.10]) by x${' '.repeat(5_000)}`,
  '',
]
for (const raw of UNREADABLE)
  test(`not read: ${raw.slice(0, 60).replace(/\s+/g, ' ')}`, () =>
    assert.equal(parsePassedOn(raw), undefined))

test('cut at every byte it says nothing else than the whole', () => {
  for (const [raw, client, helo] of FORMS) {
    for (let end = 0; end < raw.length; end++) {
      const found = parsePassedOn(raw.slice(0, end))
      if (found !== undefined) assert.deepEqual(found, { client, helo })
    }
  }
})

test('round trip: what our own field says is read back', () => {
  for (const client of ['192.0.2.7', '2001:db8::7']) {
    const stamp = { hostname: 'b.test', traceId: '01', smtputf8: false, receivedAtMs: 0, zoneMinutes: 0 }
    const field = receivedField({ origin: origin({ client, helo: 'mx.test' }), ...stamp })
    assert.deepEqual(parsePassedOn(field.slice('Received:'.length)), { client, helo: 'mx.test' })
  }
})

test('a comment of thousands of equal signs is read in one pass', () => {
  const comment = 'a='.repeat(1_500)
  assert.equal(parsePassedOn(`from [203.0.113.10] (${comment} ) b by x`), undefined)
  assert.equal(parsePassedOn(`from [203.0.113.10] (${comment}a \u0001) by x`), undefined)
})
