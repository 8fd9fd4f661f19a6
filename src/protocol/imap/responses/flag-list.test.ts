import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlagListCache, renderFlags } from './flag-list.ts'

test('a list is rendered once for each set, with and without \\Recent', () => {
  const cache = new FlagListCache()
  let calls = 0
  const flags = () => {
    calls++
    return ['\\Seen', 'Work']
  }
  for (let i = 0; i < 3; i++) {
    assert.equal(cache.render(5, false, flags), '(\\Seen Work)')
    assert.equal(cache.render(5, true, flags), '(\\Seen Work \\Recent)')
  }
  assert.equal(calls, 2)
})

test('what is no flag never reaches the wire', () => {
  assert.equal(renderFlags([], false), '()')
  for (const flag of ['', '\\', 'a b', 'a)', 'a\r\nb', '\\\\x'])
    assert.throws(() => renderFlags([flag], false), flag)
})

test('a mailbox of ever new sets does not fill the memory', () => {
  const cache = new FlagListCache()
  for (let key = 0; key < 5_000; key++) cache.render(key, false, () => [`k${key}`])
  let calls = 0
  cache.render(0, false, () => [`${++calls}`])
  cache.render(4_999, false, () => [`k${++calls}`])
  assert.equal(calls, 1)
})
