import assert from 'node:assert/strict'
import { test } from 'node:test'
import { falseScramKeys, scramSalt, verifiedTag } from './account-secrets.ts'

const key = Buffer.from('a key of this process')

test('attack 7f: no two different logins share a name in the cache (CVE-2025-30189)', () => {
  const triples = [
    ['ab', 'c', 'd'],
    ['a', 'bc', 'd'],
    ['a', 'b', 'cd'],
    ['', 'abc', 'd'],
    ['abc', '', 'd'],
    ['abcd', '', ''],
    ['ab\0', 'c', 'd'],
    ['ab', '\0c', 'd'],
    ['ab', 'c', 'd\0'],
    ['Ab', 'c', 'd'],
  ] as const
  const tags = triples.map(([login, password, version]) => verifiedTag(key, { login, password, version }))
  assert.equal(new Set(tags).size, triples.length)
  const triple = { login: 'ab', password: 'c', version: 'd' }
  assert.equal(verifiedTag(key, triple), tags[0])
  assert.notEqual(verifiedTag(Buffer.from('another key'), triple), tags[0])
})

test('false keys are stable, differ by login and installation, and look like real ones', () => {
  const one = falseScramKeys(key, 'nobody@example.test', 'SHA-256')
  assert.deepEqual(falseScramKeys(key, 'nobody@example.test', 'SHA-256'), one)
  assert.notDeepEqual(falseScramKeys(key, 'nobodi@example.test', 'SHA-256').salt, one.salt)
  assert.notDeepEqual(falseScramKeys(Buffer.from('other'), 'nobody@example.test', 'SHA-256').salt, one.salt)
  assert.equal(one.salt.length, 16)
  assert.equal(one.storedKey.length, 32)
  assert.equal(falseScramKeys(key, 'nobody@example.test', 'SHA-1').storedKey.length, 20)
  // The salt of an account that is made later under this name is the one that was told before.
  assert.deepEqual(scramSalt(key, 'nobody@example.test', 'SHA-256'), one.salt)
  const counts = new Set(
    Array.from({ length: 64 }, (_, i) => falseScramKeys(key, `u${i}@x.test`, 'SHA-256').iterations),
  )
  assert.deepEqual([...counts].sort(), [10_000, 600_000])
})
