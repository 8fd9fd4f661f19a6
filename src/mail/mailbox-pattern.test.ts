import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchPattern } from './mailbox-pattern.ts'

test('% stops at the separator, * does not', () => {
  const yes = ['*|a/b', '%|a', 'a/%|a/b', 'a/*|a/b/c', '%/%|a/b', '*c|a/b/c', 'a|a', '*%|a/b', '%*|a/b', '|']
  const no = ['%|a/b', 'a/%|a', 'a/%|a/b/c', 'a|b', 'a|ab', 'ab|a', '|a', '%/%|a', 'a*|A', '%c|a/b/c']
  for (const pair of yes) assert.ok(matchPattern(...(pair.split('|') as [string, string])), pair)
  for (const pair of no) assert.ok(!matchPattern(...(pair.split('|') as [string, string])), pair)
})

test('INBOX matches in any case, other names do not', () => {
  for (const pattern of ['inbox', 'Inbox', 'inb%', '%bOx', 'INBOX'])
    assert.ok(matchPattern(pattern, 'INBOX'), pattern)
  assert.ok(matchPattern('inbox/%', 'INBOX/Work'))
  assert.ok(!matchPattern('inbox/work', 'INBOX/Work'))
  assert.ok(!matchPattern('sent', 'Sent'))
})

test('agrees with a regular expression', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '/', '*', '%'), { maxLength: 40 })
  const names = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 80 })
  fc.assert(
    fc.property(letters, names, (pattern, name) => {
      // Wildcards in a row are folded so that the expression does not explode.
      const folded = pattern
        .join('')
        .replace(/[*%]*\*[*%]*/g, '*')
        .replace(/%+/g, '%')
      const source = folded.replace(/[*%]/g, (c) => (c === '*' ? '[^]*' : '[^/]*'))
      fc.pre((folded.match(/[*%]/g)?.length ?? 0) <= 6)
      assert.equal(
        matchPattern(pattern.join(''), name.join('')),
        new RegExp(`^${source}$`).test(name.join('')),
      )
    }),
    { numRuns: 2000 },
  )
})

test('attack 25e: *%*%*% does not backtrack', () => {
  assert.ok(!matchPattern(`${'*%'.repeat(400)}x`, 'a'.repeat(900)))
  assert.ok(!matchPattern(`${'*a'.repeat(400)}x`, 'a'.repeat(900)))
  assert.ok(matchPattern(`${'*a'.repeat(400)}%`, 'a'.repeat(900)))
  assert.ok(!matchPattern('%'.repeat(100_000), 'a'))
})
