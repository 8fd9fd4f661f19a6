import assert from 'node:assert/strict'
import { test } from 'node:test'
import { world } from './program.ts'

test('in twenty-five worlds every invariant holds', async () => {
  const { code, output } = await world('--seeds', '25', '--from', '900001')
  assert.equal(code, 0, output)
  assert.match(output, /^25 worlds in /m)
  assert.match(output, /every invariant held/)
})

test('a seed is the same world each time, in another process too', async () => {
  const [first, again] = await Promise.all([world('--seed', '900107'), world('--seed', '900107')])
  assert.equal(first.output, again.output)
  assert.match(first.output, /^seed 900107, transcript \d+-/m)
})

test('a server that acknowledges before its commit is found out, with the command that shows it again', async () => {
  const { code, output } = await world('--seeds', '4', '--plant', 'acknowledge-early')
  assert.equal(code, 1)
  assert.match(output, /accepted\) is 0 times in .*, at least 1 expected/)
  assert.match(output, /replay: node launch\.mjs world --seed \d+/)
})
