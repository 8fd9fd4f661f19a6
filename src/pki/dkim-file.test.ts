import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatKeys, parseKeys } from './dkim-file.ts'
import type { Generation } from './dkim-generation.ts'
import { makeGeneration } from './dkim-make.ts'
import { compareRecord, parseTags, recordValue, zoneLine } from './dkim-record.ts'
import { switched, withWaiting } from './dkim-rotation.ts'

const at = Date.parse('2026-11-24T10:00:00Z')
const first: Generation = { ...(await makeGeneration('hk202611', at)), state: 'signing', signingSinceMs: at }
const second = await makeGeneration('hk202611x02', at + 5)
const STATES: readonly (readonly Generation[])[] = [
  [first],
  [first, second],
  [first, { ...second, seenAtMs: at + 10 }],
  switched(withWaiting([first], second), at + 20),
]
const clean = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('round trip: every state of a rotation is read as it was written', () => {
  for (const generations of STATES) {
    const read = parseKeys(formatKeys('example.test', generations), 'example.test')
    assert.ok(read.ok, JSON.stringify(read))
    assert.deepEqual(clean(read.generations), clean(generations))
  }
})

test('cut at every byte: a file of keys is refused, never read as fewer keys', () => {
  const text = formatKeys('example.test', STATES[3] ?? [])
  for (let cut = 0; cut < text.length; cut++)
    assert.equal(parseKeys(text.slice(0, cut), 'example.test').ok, false, String(cut))
})

test('a file that does not say which keys sign is refused', () => {
  const refused = (text: string): string => {
    const read = parseKeys(text, 'example.test')
    return read.ok ? assert.fail('taken') : read.problem
  }
  const text = formatKeys('example.test', [first, second])
  assert.match(refused(text.replace('State: signing', 'State: waiting')), /does not say which keys sign/)
  assert.match(refused(text.replace('State: waiting', 'State: signing')), /does not say which keys sign/)
  assert.match(refused(text.replace('State: signing', 'State: resting')), /is damaged at hk202611/)
  assert.match(refused(text.replace('hk202611x02', 'hk202611')), /two generations of one name/)
  assert.match(refused(text.replace('hk202611x02', '../../etc')), /named "\.\.\/\.\.\/etc"/)
  const [rsa, ed25519] = first.keys
  assert.ok(rsa !== undefined && ed25519 !== undefined)
  assert.match(
    refused(formatKeys('example.test', [{ ...first, keys: [ed25519, rsa] }])),
    /has a key that is not rsa/,
  )
  assert.match(
    refused(formatKeys('example.test', [{ ...first, keys: [rsa] }])),
    /has 1 keys at hk202611 instead of 2/,
  )
})

test('round trip: the record of a key matches it, however it was cut into strings', () => {
  for (const key of first.keys) {
    assert.deepEqual(compareRecord(key, recordValue(key)), { kind: 'matches' })
    const line = zoneLine(key, 'example.test')
    const strings = [...line.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '')
    assert.ok(strings.every((string) => string.length <= 255))
    assert.equal(strings.join(''), recordValue(key))
    assert.ok(line.startsWith(`${key.selector}._domainkey.example.test. IN TXT "v=DKIM1; k=`))
  }
})

test('what panels and people do to records', () => {
  const [rsa, ed25519] = first.keys
  assert.ok(rsa !== undefined && ed25519 !== undefined)
  const p = rsa.publicKey
  const says = (text: string): string => {
    const match = compareRecord(rsa, text)
    return match.kind === 'matches' ? (match.note ?? 'matches') : match.why
  }
  for (const good of [
    `p=${p}`,
    `v=DKIM1;p=${p};`,
    ` v = DKIM1 ; t=s; n=note; p=${p.slice(0, 90)} ${p.slice(90)}`,
    `v=DKIM1; h=sha1:sha256; s=email; k=rsa; p=${p}`,
  ])
    assert.equal(says(good), 'matches', good)
  assert.match(says(`v=DKIM1; t=y; p=${p}`), /it says t=y/)
  assert.match(says(`v=DKIM2; p=${p}`), /version is DKIM2/)
  assert.match(says(recordValue(ed25519)), /for a key of type ed25519/)
  assert.match(says(`v=DKIM1; p=${p.slice(0, 200)}`), /is cut off/)
  assert.match(says(`v=DKIM1; p=${p.replace('A', 'B')}`), /another key/)
  assert.match(says('v=DKIM1; p='), /taken back/)
  assert.match(says('v=DKIM1'), /no key/)
  assert.match(says(`v=DKIM1; h=sha1; p=${p}`), /sha256/)
  assert.match(says(`v=DKIM1; s=tlsrpt; p=${p}`), /not for mail/)
  for (const bad of ['google-site-verification', `p=${p}; p=${p}`, 'nonsense', `p=${'A'.repeat(5_000)}`])
    assert.equal(says(bad), 'it is not a list of tags', bad.slice(0, 30))
})

test('cut at every byte: a record never matches before its key is whole', () => {
  for (const key of first.keys) {
    const value = recordValue(key)
    for (let cut = 0; cut < value.length; cut++)
      assert.equal(compareRecord(key, value.slice(0, cut)).kind, 'differs', String(cut))
  }
})

test('any text is read or refused, never thrown', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      parseTags(text)
      parseKeys(`Hikyaku DKIM keys 1\nDomain: example.test\n\nGeneration: ${text}\nEnd\n`, 'example.test')
    }),
  )
})
