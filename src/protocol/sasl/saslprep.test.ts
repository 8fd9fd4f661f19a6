import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { saslprep } from './saslprep.ts'

test('the examples of rfc4013 §3', () => {
  assert.equal(saslprep('I\u00adX', 'stored'), 'IX')
  assert.equal(saslprep('user', 'stored'), 'user')
  assert.equal(saslprep('USER', 'stored'), 'USER')
  assert.equal(saslprep('\u00aa', 'stored'), 'a')
  assert.equal(saslprep('\u2168', 'stored'), 'IX')
  assert.equal(saslprep('\u0007', 'stored'), undefined)
  assert.equal(saslprep('\u0627\u0031', 'stored'), undefined)
})

test('prohibited characters', () => {
  const prohibited = [
    '\0',
    '\x7f',
    '\x85',
    '\u06dd',
    '\u2028',
    '\ue000',
    '\ufdd0',
    '\uffff',
    '\u{1ffff}',
    '\ud800',
  ]
  for (const one of [
    ...prohibited,
    '\ufffd',
    '\u2ff0',
    '\u200e',
    '\u202e',
    '\u{e0001}',
    '\u{e0041}',
    '\u{10fffe}',
  ])
    assert.equal(saslprep(`a${one}b`, 'query'), undefined, JSON.stringify(one))
})

test('spaces become SPACE, joiners go', () => {
  assert.equal(saslprep('a\u00a0b\u3000c\u2003d', 'query'), 'a b c d')
  assert.equal(saslprep('a\u200db\ufe0fc\ufeffd', 'query'), 'abcd')
})

test('directions are not mixed', () => {
  assert.equal(saslprep('\u0627\u0628', 'query'), '\u0627\u0628')
  assert.equal(saslprep('\u06271\u0628', 'query'), '\u06271\u0628')
  assert.equal(saslprep('\u0627a\u0628', 'query'), undefined)
  assert.equal(saslprep('a\u0628', 'query'), undefined)
  assert.equal(saslprep('1\u0628', 'query'), undefined)
  assert.equal(saslprep('\u05d0', 'query'), '\u05d0')
})

test('unassigned code points may be asked for, not stored', () => {
  assert.equal(saslprep('a\u{50000}', 'stored'), undefined)
  assert.equal(saslprep('a\u{50000}', 'query'), 'a\u{50000}')
  assert.equal(saslprep('a🙂', 'stored'), 'a🙂')
})

test('property: preparing twice is preparing once, in linear time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const once = saslprep(text, 'query')
      if (once !== undefined) assert.equal(saslprep(once, 'query'), once)
    }),
  )
  assert.equal(saslprep(`${'\u0627'.repeat(50_000)}a`, 'query'), undefined)
})
