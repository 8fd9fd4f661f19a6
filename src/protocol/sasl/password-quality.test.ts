import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { generatePassword, weakness } from './password-quality.ts'

const context = { login: 'sparrow@example.test' }

test('generated passwords: five groups, no ambiguous character, never weak, all octets used alike', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 500; i++) {
    const password = generatePassword(randomBytes)
    assert.match(password, /^(?:[2-9a-hjkmnp-z]{4}-){4}[2-9a-hjkmnp-z]{4}$/)
    assert.doesNotMatch(password, /[01oil]/)
    assert.equal(weakness(password, context), undefined, password)
    seen.add(password)
  }
  assert.equal(seen.size, 500)
  // The octets 248 to 255 would make the first characters likelier: they are thrown away.
  let calls = 0
  const biased = generatePassword((n) => new Uint8Array(n).fill(calls++ === 0 ? 255 : 30))
  assert.equal(biased, 'zzzz-zzzz-zzzz-zzzz-zzzz')
})

test('weak passwords are refused with the reason', () => {
  const weak: [string, RegExp][] = [
    ['', /empty/],
    ['a', /1 characters/],
    ['Tr0ub4dor', /9 characters/],
    ['1234567890', /only digits/],
    ['19840229123456', /only digits/],
    ['password123', /tried first/],
    ['P4ssw0rd123!', /tried first/],
    ['p@$$w0rd2026', /tried first/],
    ['Administrator1', /tried first/],
    ['!!iloveyou!!', /tried first/],
    ['qwertyuiop12', /tried first/],
    ['1qwertyuiop2', /tried first/],
    ['asdfghjkl;qwe', /row/],
    ['aaaaaaaaaaaaaa', /repetition/],
    ['abcabcabcabcabc', /repetition/],
    ['abcdefghijklm', /row/],
    ['xkqpxkqpxkqpxkqp', /repetition/],
    ['Sparrow-is-here-99', /'sparrow'/],
    ['my-example-mail-x', /'example'/],
    ['bell\u0007ringing1', /cannot be typed/],
    ['x'.repeat(2000), /too long/],
  ]
  for (const [password, reason] of weak)
    assert.match(weakness(password, context) ?? 'accepted', reason, password)
})

test('what a person or a manager makes passes', () => {
  for (const password of [
    'correct horse battery',
    'Ea7!kqLm0x',
    '桜が咲く丘の上で会おう',
    'mutter-geht-einkaufen',
    '🙂vzQ8#mwP2k',
  ])
    assert.equal(weakness(password, context), undefined, password)
})
