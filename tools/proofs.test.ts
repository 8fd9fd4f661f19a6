import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageOf, parseProofs } from './proofs.ts'

const LINES = [
  '# a comment',
  '2026-01-02\tfuzz a\t1000\tinputs\t10\t7\t0\tabc',
  '2026-01-03\tfuzz a\t2000\tinputs\t20\t8\t1\tabd',
  '2026-01-01\tworld\t50\tseeds\t100\t1-50\t0\tabc',
]

test('totals are summed for each proof, with the rate and the last day', () => {
  const rows = pageOf(parseProofs(`${LINES.join('\n')}\n`))
    .split('\n')
    .filter((line) => line.includes(' min |'))
  assert.deepEqual(rows, [
    '| fuzz a (inputs) | 2 | 3,000 | 0.5 min | 100 | 1 | 2026-01-03 |',
    '| world (seeds) | 1 | 50 | 1.7 min | 0.5 | 0 | 2026-01-01 |',
  ])
})

test('a line that was cut is refused', () => {
  const whole = LINES[1] ?? ''
  for (const end of [0, 12, whole.lastIndexOf('\t')])
    if (end > 0) assert.throws(() => parseProofs(whole.slice(0, end)), SyntaxError, `cut at ${end}`)
})
