import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attacksPage, namedTests, pageOf } from './attacks.ts'

const groups = [
  {
    title: 'Group',
    attacks: { 1: { title: 'One', parts: { a: { what: 'A' }, b: { what: 'B', notYet: 'no B' } } } },
  },
]
const named = (name: string) => namedTests('x.test.ts', `test('${name}', () => {})`)

test('tests are found by their names, in each kind of quotes and for several parts', () => {
  const source =
    "test('attack 1a: it\\'s', f)\ntest(`attack 2b, 13c: of ${name}`, f)\nthing(\n  \"attack 3a: x\",\n)\ntest('an attack 1a', f)"
  assert.deepEqual(
    namedTests('a.test.ts', source).map(({ parts, what }) => [...parts, what]),
    [
      ['1a', "it's"],
      ['2b', '13c', 'of …'],
      ['3a', 'x'],
    ],
  )
})

test('a part is tested or has its reason; nothing is claimed otherwise', () => {
  assert.match(
    pageOf(groups, named('attack 1a: tried')),
    /\*\*1a\*\* A\n {2}- tried \(`x\.test\.ts`\)\n.*not here yet: no B/,
  )
  assert.throws(() => pageOf(groups, []), /attack 1a \(A\) has no test, and no reason/)
  assert.throws(
    () => pageOf(groups, named('attack 1a, 1b: tried')),
    /attack 1b \(B\) has tests, and a reason/,
  )
  assert.throws(() => pageOf(groups, named('attack 1a, 2a: tried')), /there is no attack 2a/)
})

test('each part of the list has its tests', () => {
  assert.match(attacksPage(), /^# Attacks\n/)
})
