import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BenchOptions, readOptions } from './options.ts'
import { workloadsNamed } from './workloads/every.ts'

function read(...args: string[]): BenchOptions {
  const options = readOptions(args)
  assert.ok(typeof options !== 'string', String(options))
  return options
}

test('the page is written by a full run beside the peers, or where it is asked for', () => {
  assert.equal(read().write, false)
  assert.equal(read('--peers').write, true)
  assert.equal(read('--peers', '--no-write').write, false)
  assert.equal(read('--peers', '--quick').write, false)
  assert.equal(read('--peers', '--only', 'smtp').write, false)
  assert.equal(read('--quick', '--write').write, true)
})

test('runs and seconds, of which a quick run has fewer unless it is told', () => {
  assert.equal(read().runs, 3)
  assert.equal(read('--quick').runs, 1)
  assert.equal(read('--quick', '--runs', '2').runs, 2)
  assert.equal(read('--seconds', '7').lengths.seconds, 7)
})

test('a command line that means nothing is refused with a sentence', () => {
  for (const args of [['--runs', '0'], ['--runs', 'x'], ['--seconds', 'soon'], ['--peer', 'exim'], ['peers']])
    assert.equal(typeof readOptions(args), 'string', args.join(' '))
})

test('workloads are named whole, or by the beginning of their names', () => {
  assert.deepEqual(
    workloadsNamed(['append', 'rest', 'idle', 'smtp-1']).map(({ name }) => name),
    ['rest', 'smtp-1', 'append-10', 'append-1', 'idle'],
  )
  assert.deepEqual(workloadsNamed(['nothing']), [])
})
