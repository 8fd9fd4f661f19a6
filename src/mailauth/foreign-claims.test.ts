import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerFields } from '../mime/header.ts'
import { foreignClaims } from './foreign-claims.ts'

const OWN = 'mx.example.com'

function claimed(field: string, authservId = OWN): boolean {
  const header = Buffer.from(`From: a@example.org\r\n${field}\r\nTo: b@example.net\r\n\r\n`)
  const claims = foreignClaims(header, authservId)
  for (const { start, end } of claims) {
    const rest = Buffer.concat([header.subarray(0, start), header.subarray(end)]).toString()
    assert.equal(
      rest,
      'From: a@example.org\r\nTo: b@example.net\r\n\r\n',
      'the field is taken out whole, and nothing else',
    )
  }
  return claims.length > 0
}

test('attack 15a: fields that carry our authserv-id are found, however it is written', () => {
  for (const field of [
    'Authentication-Results: mx.example.com; dmarc=pass',
    'authentication-results:MX.Example.COM;dmarc=pass',
    'Authentication-Results : mx.example.com; dmarc=pass',
    'Authentication-Results\r\n : mx.example.com; dmarc=pass',
    'Authentication-Results: mx.example.com.; dmarc=pass',
    'Authentication-Results: mx.example.com 1; dmarc=pass',
    'Authentication-Results: mx.example.com/1; dmarc=pass',
    'Authentication-Results:\r\n\tmx.example.com\r\n ; dmarc=pass',
    'Authentication-Results: (a (nested; one) comment) mx.example.com (b) 1; dmarc=pass',
    'Authentication-Results: "mx.example.com"; dmarc=pass',
    'Authentication-Results: "m\\x.example.com"; dmarc=pass',
    'Authentication-Results: m"x".example.com; dmarc=pass',
    'Authentication-Results: mx.example.com',
    'Authentication-Results: mx.example.com dmarc=pass',
    'Authentication-Results: mx.example.com, dmarc=pass',
    'Authentication-Results: (open mx.example.com; dmarc=pass',
    'Authentication-Results: "open mx.example.com; dmarc=pass',
    'Authentication-Results: ; mx.example.com; dmarc=pass',
    'Authentication-Results: other.example mx.example.com; dmarc=pass',
    'Authentication-Results: mx.example.com\0; dmarc=pass',
    'Authentication-Results: mx\0.example.com; dmarc=pass',
    'Authentication-Results: mx.example.com\0.evil.example; dmarc=pass',
    'Authentication-Results: =?utf-8?q?mx.example.com?=; dmarc=pass',
    'Authentication-Results: ｍｘ.example.com; dmarc=pass',
    'Authentication-Results: mx。example。com; dmarc=pass',
    'Authentication-Results: \u00a0mx.example.com; dmarc=pass',
    'Received-SPF: pass (mx.example.com: domain of a@example.org designates 192.0.2.1) client-ip=192.0.2.1',
    'Received-SPF: pass client-ip=192.0.2.1; receiver="mx.example.com"; identity=mailfrom',
    'received-spf: pass receiver=mx.example.com',
  ])
    assert.ok(claimed(field), field)
})

test('fields of others stay', () => {
  for (const field of [
    'Authentication-Results: mx.google.com; dmarc=pass',
    'Authentication-Results: sub.mx.example.com; dmarc=pass',
    'Authentication-Results: mx.example.com.evil.example; dmarc=pass',
    'Authentication-Results: xmx.example.com; dmarc=pass',
    'Authentication-Results: other.example (for mx.example.com); dmarc=pass',
    'Authentication-Results: other.example; spf=pass smtp.helo=mx.example.com',
    'X-Authentication-Results: mx.example.com; dmarc=pass',
    'ARC-Authentication-Results: i=1; mx.example.com; dmarc=pass',
    'Subject: Authentication-Results: mx.example.com; dmarc=pass',
    'Received-SPF: pass (mx.google.com: fine) client-ip=192.0.2.1',
    'X-Note: x\r\n Authentication-Results: mx.example.com; dmarc=pass',
  ])
    assert.ok(!claimed(field), field)
})

test('a name of ours beyond ASCII is known in both of its forms', () => {
  for (const name of ['xn--r8jz45g.example', '例え.example']) {
    assert.ok(claimed('Authentication-Results: xn--r8jz45g.example; dmarc=pass', name), name)
    assert.ok(claimed('Authentication-Results: 例え.example; dmarc=pass', name), name)
  }
})

test('attack 15a: all of many are found, where they stand; the body is not looked at', () => {
  const one = `Authentication-Results: ${OWN}; dmarc=pass\r\n`
  const filler = 'X-Filler: 1\r\n'.repeat(3_000)
  const header = Buffer.from(`${one}${filler}${one}\r\n${one}`)
  const claims = foreignClaims(header, OWN)
  assert.deepEqual(
    claims.map(({ start }) => start),
    [0, one.length + filler.length],
  )
  assert.ok(claims.every(({ start, end }) => header.subarray(start, end).toString() === one))
})

const pieces = fc.constantFrom(
  ...[
    'Authentication-Results',
    'Received-SPF',
    ':',
    ' ',
    '\t',
    '\r\n',
    '\r\n ',
    '\n',
    '(',
    ')',
    '"',
    '\\',
    ';',
    OWN,
    'x',
    '=',
    '\0',
  ],
)

test('property: claims are fields in order that never overlap, and none is left once they are gone (cut at every byte)', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (words) => {
      const header = Buffer.from(words.join(''))
      let last = 0
      const kept: Buffer[] = []
      for (const { start, end } of foreignClaims(header, OWN)) {
        assert.ok(last <= start && start < end && end <= header.length)
        kept.push(header.subarray(last, start))
        last = end
      }
      const rest = Buffer.concat([...kept, header.subarray(last)])
      assert.deepEqual(foreignClaims(rest, OWN), [])
      for (const { key, raw } of headerFields(rest))
        assert.ok(key !== 'authentication-results' || !raw.trim().startsWith(`${OWN};`))
    }),
    { numRuns: 1_000 },
  )
})
