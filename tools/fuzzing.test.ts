import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { diceOf, maxInputBytes, nextInput, shrink } from './fuzz-input.ts'
import { fuzzFile } from './fuzz-thread.ts'
import { failureOf, runTarget, type Target, targetOf } from './fuzzing.ts'
import { plant } from './testing.ts'

const ignore = (): void => {}

/** A parser that forgets that a quoted string may end in its escape. */
const faulty: Target = {
  name: 'faulty',
  corpus: ['"a\\"b"', 'plain'],
  fuzz(input) {
    const text = Buffer.from(input).toString('latin1')
    if (text.startsWith('"') && text.endsWith('\\')) throw new RangeError('read past the end')
  },
}

test('a planted bug is found, made small and found again by its input', () => {
  const { failure } = runTarget(faulty, { seed: 1, budgetMs: 20_000, before: ignore })
  assert.ok(failure)
  assert.match(failure.why, /read past the end/)
  assert.equal(Buffer.from(failure.input).toString(), '"\\')
  assert.match(failureOf(faulty, failure.input) ?? '', /read past the end/)
})

test('work that grows with the square of the input is found, linear work is not', () => {
  let total = 0
  const rescan = (input: Uint8Array): void => {
    for (let from = 0; from < input.length; from += 64)
      for (let at = from; at < input.length; at += 1) total += input[at] ?? 0
  }
  const scan = (input: Uint8Array): void => {
    for (let times = 0; times < 20; times += 1) for (const octet of input) total += octet
  }
  const slow = runTarget(
    { name: 'slow', corpus: ['abc'], fuzz: rescan },
    { seed: 1, budgetMs: 60_000, before: ignore },
  )
  assert.match(slow.failure?.why ?? '', /grows faster than the input/)
  const quick = runTarget(
    { name: 'quick', corpus: ['abc'], fuzz: scan },
    { seed: 1, budgetMs: 500, before: ignore },
  )
  assert.equal(quick.failure, undefined)
  assert.ok(Number.isFinite(total))
})

test('a seed repeats its inputs, another gives others, and none is too long', () => {
  const corpus = ['From: a <a@b>\r\n', 'x'].map((text) => Buffer.from(text))
  const inputs = (seed: number): string[] => {
    const dice = diceOf(seed)
    return Array.from({ length: 500 }, () => nextInput(corpus, dice).toString('latin1'))
  }
  assert.deepEqual(inputs(7), inputs(7))
  assert.notDeepEqual(inputs(7), inputs(8))
  assert.ok(inputs(7).every((input) => input.length <= maxInputBytes))
  assert.ok(new Set(inputs(7)).size > 300)
})

test('shrinking keeps what makes an input fail', () => {
  const small = shrink(
    Buffer.from(`${'a'.repeat(1000)}X${'b'.repeat(500)}Y`),
    (input) => /X.*Y/.test(String(input)),
    5000,
  )
  assert.equal(small.toString(), 'XY')
})

test('a module without a corpus is no target', () => {
  assert.equal(typeof targetOf({ name: 'a', corpus: [], fuzz: ignore }), 'string')
  assert.equal(typeof targetOf({ name: 'a', corpus: ['a'], fuzz: ignore }), 'object')
})

test('a target that never comes back is ended and its input is told', async (t) => {
  const root = plant(t, {
    'hang.fuzz.ts': [
      "export const name = 'hang'",
      "export const corpus: readonly string[] = ['ok', 'never']",
      "export function fuzz(input: Uint8Array): void { while (String(Buffer.from(input)) === 'never'); }",
    ].join('\n'),
    'good.fuzz.ts': "export const name = 'good'\nexport const corpus = ['a']\nexport function fuzz() {}\n",
  })
  const hang = await fuzzFile({
    file: path.join(root, 'hang.fuzz.ts'),
    seed: 1,
    budgetMs: 1000,
    hangMs: 1500,
  })
  assert.ok('failure' in hang && hang.failure)
  assert.match(hang.failure.why, /no end within 1500 ms/)
  assert.equal(Buffer.from(hang.failure.input).toString(), 'never')
  const good = await fuzzFile({
    file: path.join(root, 'good.fuzz.ts'),
    seed: 1,
    budgetMs: 200,
    hangMs: 20_000,
  })
  assert.ok('executions' in good && good.executions > 10 && good.failure === undefined)
})
