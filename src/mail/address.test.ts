import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressKey, formatAddress, isLenientLocal, makeAddress, needsUtf8, parseAddress } from './address.ts'

const GOOD: readonly (readonly [text: string, local: string, domain: string])[] = [
  ['me@example.test', 'me', 'example.test'],
  ['Me.You+x@EXAMPLE.Test.', 'Me.You+x', 'example.test'],
  ['"a b"@example.test', 'a b', 'example.test'],
  ['"a\\"b\\\\c"@example.test', 'a"b\\c', 'example.test'],
  ['"x@y"@example.test', 'x@y', 'example.test'],
  ['a..b@docomo.test', 'a..b', 'docomo.test'],
  ['x.@docomo.test', 'x.', 'docomo.test'],
  ['用户@例え.test', '用户', 'xn--r8jz45g.test'],
  ['u@[192.0.2.1]', 'u', '[192.0.2.1]'],
  ['u@[IPv6:2001:DB8::1]', 'u', '[ipv6:2001:db8::1]'],
]
for (const [text, local, domain] of GOOD)
  test(`${text} is an address`, () => assert.deepEqual(parseAddress(text), { local, domain }))

const BAD = [
  '',
  '@',
  'a@',
  '@b',
  'a',
  'a b@c.test',
  '"a@c.test',
  'a"b@c.test',
  '"a\\"@c.test',
  '""@c.test',
  'a@b c',
  'a@-b.test',
  'a@b..test',
  'a@[300.0.0]',
  'a@[x]',
  'a\r\n@b.test',
  '"a\nb"@c.test',
  '"a\0b"@c.test',
  `${'x'.repeat(65)}@b.test`,
  `a@${'b'.repeat(64)}.test`,
  `a@${'b.'.repeat(130)}test`,
]
for (const text of BAD)
  test(`${JSON.stringify(text.slice(0, 40))} is no address`, () =>
    assert.equal(parseAddress(text), undefined))

test('lookups know no case and no form of Unicode', () => {
  assert.equal(addressKey({ local: 'Me', domain: 'a.test' }), 'me@a.test')
  assert.equal(
    addressKey({ local: 'が', domain: 'a.test' }),
    addressKey({ local: 'か\u3099', domain: 'a.test' }),
  )
})

test('what has to be quoted, and what is only lenient', () => {
  assert.equal(formatAddress({ local: 'a b', domain: 'c.test' }), '"a b"@c.test')
  assert.equal(formatAddress({ local: 'a..b', domain: 'c.test' }), 'a..b@c.test')
  assert.deepEqual(['a..b', 'x.', 'a.b', 'a b'].map(isLenientLocal), [true, true, false, false])
  assert.equal(needsUtf8({ local: '用', domain: 'c.test' }), true)
})

test('round trip: parseAddress reads what formatAddress writes', () => {
  const locals = fc
    .string({ minLength: 1, maxLength: 20 })
    .filter((local) => !/[\u0000-\u001f\u007f]/.test(local))
  fc.assert(
    fc.property(locals, (local) => {
      const address = makeAddress(local, 'example.test')
      if (address !== undefined) assert.deepEqual(parseAddress(formatAddress(address)), address)
    }),
  )
})

test('cut at every byte: parseAddress gives an address or undefined', () => {
  for (const [text] of GOOD) for (let cut = 0; cut <= text.length; cut++) parseAddress(text.slice(0, cut))
})

test('attack 22e: a long local part that is no address costs no more than its length (was: nested repetition, found by fuzzing)', () => {
  assert.equal(parseAddress(`${'a'.repeat(100_000)}"@b.test`), undefined)
})
