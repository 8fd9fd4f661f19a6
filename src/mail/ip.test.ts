import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { budgetKey, canonicalIp, formatIp, isLoopback, networkContains, parseIp, parseNetwork } from './ip.ts'

const CANONICAL: readonly (readonly [string, string | undefined])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['256.0.0.1', undefined],
  ['1.2.3', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1::2::3', undefined],
  ['12345::', undefined],
  ['localhost', undefined],
  ['', undefined],
]
for (const [text, expected] of CANONICAL)
  test(`${text} is ${expected ?? 'no address'}`, () => assert.equal(canonicalIp(text), expected))

test('networks', () => {
  const inside = (network: string, address: string): boolean => {
    const parsed = parseNetwork(network)
    assert.ok(parsed !== undefined)
    return networkContains(parsed, address)
  }
  assert.equal(inside('192.0.2.0/24', '192.0.2.255'), true)
  assert.equal(inside('192.0.2.0/25', '192.0.2.128'), false)
  assert.equal(inside('192.0.2.7', '192.0.2.7'), true)
  assert.equal(inside('2001:db8::/33', '2001:db8:7fff::'), true)
  assert.equal(inside('2001:db8::/33', '2001:db8:8000::'), false)
  assert.equal(inside('0.0.0.0/0', '::1'), false, 'families are apart')
  for (const bad of ['192.0.2.0/33', '192.0.2.0/', '192.0.2.0/8/8', 'x/8', '::/129'])
    assert.equal(parseNetwork(bad), undefined, bad)
})

test('budgets count an IPv6 home as one', () => {
  assert.equal(budgetKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(budgetKey('192.0.2.1'), '192.0.2.1')
  assert.equal(budgetKey('unix'), 'unix')
})

test('loopback', () =>
  assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1'].map(isLoopback), [true, true, true, false]))

test('round trip: parseIp reads what formatIp writes', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(octets, (given) => {
      const text = formatIp(given)
      assert.equal(canonicalIp(text), canonicalIp(formatIp(parseIp(text) ?? new Uint8Array(4))))
    }),
  )
})

test('cut at every byte: parseIp and parseNetwork give a value or undefined', () => {
  for (const [text] of CANONICAL) {
    for (let cut = 0; cut <= text.length; cut++) {
      parseIp(text.slice(0, cut))
      parseNetwork(`${text.slice(0, cut)}/24`)
    }
  }
})
