import assert from 'node:assert/strict'
import { test } from 'node:test'
import { neededPackages, needPrograms, needSlowNamespace } from './programs.ts'

test('the list of packages is sound, and names no program twice', () => {
  const rows = neededPackages()
  const programs = rows.flatMap(({ program }) => (program === undefined ? [] : [program]))
  assert.deepEqual(programs, [...new Set(programs)])
  assert.ok(rows.some(({ how }) => how === 'unpack'))
})

test('a row without a reason, or of another shape, is refused by its line', () => {
  assert.throws(() => neededPackages('# head\ninstall swaks swaks\n'), /line 2/)
  assert.throws(() => neededPackages('fetch swaks swaks # why\n'), /line 1/)
  assert.throws(() => neededPackages('install swaks # why\n'), /line 1/)
})

test('a missing program fails and names its package', () => {
  needPrograms('script')
  const path = process.env.PATH
  process.env.PATH = '/nowhere'
  try {
    assert.throws(() => needPrograms('swaks'), /swaks is missing: it comes with the Debian package swaks/)
  } finally {
    process.env.PATH = path
  }
  assert.throws(() => needPrograms('no-such-program'), /not in test\/debian-packages\.txt/)
})

test('a slow suite outside its namespace fails', () => {
  const inside = process.env.HIKYAKU_SLOW
  delete process.env.HIKYAKU_SLOW
  try {
    assert.throws(needSlowNamespace, /test\/slow\.sh/)
  } finally {
    if (inside !== undefined) process.env.HIKYAKU_SLOW = inside
  }
})
