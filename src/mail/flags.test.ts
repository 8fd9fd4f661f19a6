import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ANSWERED,
  addFlags,
  DELETED,
  equalFlags,
  formatFlagSet,
  hasKeyword,
  isKeyword,
  MAX_KEYWORD_OCTETS,
  MAX_KEYWORDS_PER_MESSAGE,
  makeFlagSet,
  NO_FLAGS,
  removeFlags,
  SEEN,
  tooManyKeywords,
} from './flags.ts'

test('system flags in any case, keywords sorted, each once', () => {
  const flags = makeFlagSet(['$Work', '\\SEEN', 'b', '\\answered', 'A', '$work'])
  assert.deepEqual(flags, { system: SEEN | ANSWERED, keywords: ['$Work', 'A', 'b'] })
  assert.equal(formatFlagSet(flags as never), '\\Answered \\Seen $Work A b')
})

test('what may not be stored is refused', () => {
  for (const name of [
    '\\Recent',
    '\\Unknown',
    '\\*',
    '',
    'a b',
    'a(',
    'a{',
    'a%',
    'a*',
    'a"',
    'a\\b',
    'a]',
    'é',
    'a\n',
  ])
    assert.equal(makeFlagSet([name]), undefined, JSON.stringify(name))
})

test('attack 32c: keywords are limited in length and number', () => {
  assert.ok(isKeyword('x'.repeat(MAX_KEYWORD_OCTETS)))
  assert.ok(!isKeyword('x'.repeat(MAX_KEYWORD_OCTETS + 1)))
  const most = Array.from({ length: MAX_KEYWORDS_PER_MESSAGE }, (_, i) => `k${i}`)
  const full = makeFlagSet(most)
  assert.ok(full)
  assert.equal(makeFlagSet([...most, 'one-more']), undefined)
  assert.ok(!tooManyKeywords(addFlags(full, full)))
  assert.ok(tooManyKeywords(addFlags(full, { system: 0, keywords: ['one-more'] })))
})

test('adding and removing look at no case and leave the arguments alone', () => {
  const base = makeFlagSet(['\\Seen', 'Junk'])
  assert.ok(base)
  const more = addFlags(base, { system: DELETED, keywords: ['JUNK', 'a'] })
  assert.deepEqual(more, { system: SEEN | DELETED, keywords: ['a', 'Junk'] })
  assert.deepEqual(removeFlags(more, { system: SEEN, keywords: ['junk'] }), {
    system: DELETED,
    keywords: ['a'],
  })
  assert.deepEqual(base, { system: SEEN, keywords: ['Junk'] })
  assert.ok(hasKeyword(base, 'jUNK'))
  assert.ok(equalFlags(base, { system: SEEN, keywords: ['junk'] }))
  assert.ok(!equalFlags(base, NO_FLAGS))
})
