// The program behind `node launch.mjs fuzz [NAME …] [--seconds N] [--seed N]`, and
// `node launch.mjs fuzz NAME --replay FILE` for an input that was found. Without a name, every target of fuzz/.
// `--record` adds what was run to test/proofs.tsv.
import { createHash, randomInt } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { filesUnder } from './finding.ts'
import { fuzzFile } from './fuzz-thread.ts'
import { type Failure, failureOf, targetOf } from './fuzzing.ts'
import { recordProof } from './proofs.ts'

const root = path.dirname(import.meta.dirname)
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
})
const all = filesUnder(root, 'fuzz', '.fuzz.ts')
const files =
  positionals.length === 0
    ? all
    : positionals.map((name) => `fuzz/${name.replace(/^fuzz\/|\.fuzz\.ts$/g, '')}.fuzz.ts`)
const missing = files.find((file) => !all.includes(file))
if (missing !== undefined) {
  console.error(
    `there is no ${missing}; there are ${all.map((file) => path.basename(file, '.fuzz.ts')).join(', ')}`,
  )
  process.exitCode = 2
} else if (values.replay !== undefined) await replay(files, values.replay)
else await fuzzAll(files, Number(values.seed ?? randomInt(2 ** 31)), Number(values.seconds ?? 10))

async function fuzzAll(files: readonly string[], seed: number, seconds: number): Promise<void> {
  console.log(`seed ${seed}`)
  for (const file of files) {
    const startMs = performance.now()
    const done = await fuzzFile({
      file: path.join(root, file),
      seed,
      budgetMs: seconds * 1000,
      hangMs: 20_000,
    })
    if ('broken' in done) {
      console.log(`FAIL  ${file} ${done.broken}`)
      process.exitCode = 1
    } else if (done.failure !== undefined) {
      console.log(
        `FAIL  ${file} after ${done.executions} executions of seed ${seed}\n${indent(done.failure.why)}`,
      )
      console.log(indent(`again: node launch.mjs fuzz ${file} --replay ${keep(file, done.failure)}`))
      process.exitCode = 1
    } else console.log(`ok    ${file} ${done.executions} executions`)
    if (values.record && !('broken' in done))
      recordProof({
        what: `fuzz ${path.basename(file, '.fuzz.ts')}`,
        count: done.executions,
        unit: 'inputs',
        seconds: (performance.now() - startMs) / 1000,
        seeds: String(seed),
        found: done.failure === undefined ? 0 : 1,
      })
  }
}

/** Writes the input down and gives where. */
function keep(file: string, { input }: Failure): string {
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const kept = `fuzz/found/${path.basename(file, '.fuzz.ts')}-${digest}`
  fs.mkdirSync(path.join(root, 'fuzz/found'), { recursive: true })
  fs.writeFileSync(path.join(root, kept), input)
  return kept
}

async function replay([file, ...others]: readonly string[], input: string): Promise<void> {
  if (file === undefined || others.length > 0) throw new RangeError('--replay wants the name of one target')
  const module: Record<string, unknown> = await import(pathToFileURL(path.join(root, file)).href)
  const target = targetOf(module)
  const why = typeof target === 'string' ? target : failureOf(target, fs.readFileSync(input))
  console.log(why === undefined ? `ok    ${file} ${input}` : `FAIL  ${file} ${input}\n${indent(why)}`)
  if (why !== undefined) process.exitCode = 1
}

function indent(text: string): string {
  return text.replace(/^/gm, '      ')
}
