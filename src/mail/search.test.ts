import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsContent, type SearchKey, searchKeys } from './search.ts'

const seen: SearchKey = { kind: 'flag', bit: 1, set: true }
const body: SearchKey = { kind: 'body', text: 'x' }

test('each key of a tree comes once, parents first', () => {
  const key: SearchKey = {
    kind: 'and',
    keys: [seen, { kind: 'or', left: { kind: 'not', key: body }, right: seen }],
  }
  assert.deepEqual(
    [...searchKeys(key)].map((one) => one.kind),
    ['and', 'flag', 'or', 'not', 'body', 'flag'],
  )
})

test('only texts need the content', () => {
  assert.ok(needsContent({ kind: 'not', key: body }))
  assert.ok(needsContent({ kind: 'and', keys: [seen, { kind: 'header', name: 'to', text: '' }] }))
  assert.ok(!needsContent({ kind: 'or', left: seen, right: { kind: 'all' } }))
})
