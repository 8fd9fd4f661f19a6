import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalDomain } from './domain.ts'

test('attack 22i: punycode beyond its bounds is no domain, and takes no time', { timeout: 60_000 }, () => {
  for (const text of [
    'xn--a\u{10ffff}',
    `xn--${'9'.repeat(59)}`,
    `xn--${'z'.repeat(200)}.test`,
    `${'\u{1f4a9}'.repeat(100)}.test`,
    `${'a'.repeat(64)}.test`,
    '\ud800.test',
    'a\u0000b.test',
    'xn--',
    `${'é.'.repeat(200)}test`,
    '\u202e.test',
    'é'.repeat(1_000_000),
  ])
    assert.doesNotThrow(
      () => {
        const domain = canonicalDomain(text)
        assert.ok(domain === undefined || (/^[a-z0-9_.-]+$/.test(domain) && domain.length <= 253), domain)
      },
      text.slice(0, 40),
    )
  assert.equal(canonicalDomain('é'.repeat(1_000_000)), undefined)
  assert.equal(canonicalDomain('\ud800.test'), undefined)
})

test('property: a canonical domain is its own canonical form, and plain', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const domain = canonicalDomain(text)
      if (domain === undefined) return
      assert.match(domain, /^[a-z0-9_.-]+$/)
      assert.equal(canonicalDomain(domain), domain)
      assert.equal(canonicalDomain(`${domain}.`), domain)
    }),
  )
})
