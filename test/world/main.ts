import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { recordProof } from '../../tools/proofs.ts'
import { PLANTS, type Planted } from './planted.ts'
import { shrink } from './shrink.ts'
import { makeTemplates, type Templates } from './template.ts'
import { runWorld, type WorldResult } from './world.ts'

/*
 * `node launch.mjs world [--seeds N] [--from S] [--jobs N] [--record]` runs worlds and says which failed.
 * `node launch.mjs world --seed S [--without PART]… [--plant BUG]` runs one and prints all that happened in it.
 */

const USAGE = `usage: node launch.mjs world [--seeds N] [--from S] [--jobs N] [--record]
       node launch.mjs world --seed S [--without PART]... [--plant ${PLANTS.join('|')}]`
/** Seeds that are told of one by one when they fail. */
const MAX_TOLD = 20
/** Every octet of every message is checked at the end of each so-many-th world. */
const DEEP_EVERY = 50

/** What a worker tells its parent. */
interface Tally {
  readonly seeds: number
  readonly failures: readonly Pick<WorldResult, 'seed' | 'broken'>[]
  readonly counts: Readonly<Record<string, number>>
}

const options = {
  seeds: { type: 'string' },
  from: { type: 'string' },
  seed: { type: 'string' },
  jobs: { type: 'string' },
  record: { type: 'boolean' },
  plant: { type: 'string' },
  without: { type: 'string', multiple: true },
} as const

const { values } = parseArgs({ options })
const from = number(values.from, 1)
if (values.seed !== undefined) await replay(number(values.seed, 1))
else if (process.send !== undefined) await work(from, number(values.seeds, 1))
else await runAll(from, number(values.seeds, 100), number(values.jobs, 1))

function number(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise)
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(USAGE)
  process.exit(2)
}

function plant(): Planted | undefined {
  return PLANTS.find((one) => one === values.plant)
}

/** One seed, with everything that happened; where it fails, also with fewer who take part. */
async function replay(seed: number): Promise<void> {
  const templates = await makeTemplates()
  try {
    const without = new Set(values.without)
    const result = await runWorld({ seed, templates, without, planted: plant(), isTold: true, isDeep: true })
    for (const line of result.lines) console.log(line)
    console.log(`seed ${seed}, transcript ${result.hash}, ${JSON.stringify(result.counts)}`)
    for (const broken of result.broken) console.log(`BROKEN: ${broken}`)
    if (result.broken.length === 0) return
    process.exitCode = 1
    if (without.size > 0) return
    const needless = [...(await shrink(seed, templates, plant()))].map((part) => `--without '${part}'`)
    if (needless.length > 0) console.log(`it fails as well with: --seed ${seed} ${needless.join(' ')}`)
  } finally {
    templates.remove()
  }
}

/** A worker's share. */
async function work(first: number, count: number): Promise<void> {
  const templates = await makeTemplates()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      templates.remove()
      process.exit(1)
    })
  try {
    // Without a parent nobody waits for the rest.
    for (let seed = first; seed < first + count && process.connected; seed++) {
      const tally = await runOne(seed, templates)
      if (process.connected) process.send?.(tally)
    }
  } finally {
    templates.remove()
  }
  if (process.connected) process.disconnect()
}

async function runOne(seed: number, templates: Templates): Promise<Tally> {
  const isDeep = seed % DEEP_EVERY === 0
  const { broken, counts } = await runWorld({ seed, templates, isDeep, planted: plant() })
  return { seeds: 1, failures: broken.length === 0 ? [] : [{ seed, broken }], counts }
}

async function runAll(first: number, seeds: number, jobs: number): Promise<void> {
  const startedMs = performance.now()
  const total = { seeds: 0, failures: [] as WorldResult['seed'][], counts: {} as Record<string, number> }
  const take = (tally: Tally): void => {
    total.seeds += tally.seeds
    for (const [name, count] of Object.entries(tally.counts))
      total.counts[name] = (total.counts[name] ?? 0) + count
    for (const failure of tally.failures) {
      total.failures.push(failure.seed)
      if (total.failures.length <= MAX_TOLD) tell(failure)
    }
  }
  const share = Math.ceil(seeds / jobs)
  const shares = Array.from({ length: jobs }, (_, job) => [
    first + job * share,
    Math.min(share, seeds - job * share),
  ])
  const ends = await Promise.all(shares.map(([start = 0, count = 0]) => startWorker(start, count, take)))
  const seconds = (performance.now() - startedMs) / 1_000
  const last = first + seeds - 1
  console.log(
    `${total.seeds} worlds in ${seconds.toFixed(0)} s, ${(total.seeds / seconds).toFixed(1)} a second`,
  )
  console.log(JSON.stringify(total.counts))
  console.log(total.failures.length === 0 ? 'every invariant held' : `${total.failures.length} failed`)
  if (values.record === true && total.seeds === seeds) {
    const found = total.failures.length
    recordProof({ what: 'world', count: seeds, unit: 'seeds', seconds, seeds: `${first}-${last}`, found })
  }
  if (total.failures.length > 0 || total.seeds < seeds || ends.some((code) => code !== 0))
    process.exitCode = 1
}

function tell({ seed, broken }: Pick<WorldResult, 'seed' | 'broken'>): void {
  console.log(`seed ${seed} FAILED: ${broken[0]}`)
  for (const more of broken.slice(1, 4)) console.log(`  ${more}`)
  console.log(`  replay: node launch.mjs world --seed ${seed}`)
}

/** Resolves with the exit status. */
function startWorker(first: number, count: number, take: (tally: Tally) => void): Promise<number> {
  if (count <= 0) return Promise.resolve(0)
  const args = ['--from', String(first), '--seeds', String(count)]
  if (values.plant !== undefined) args.push('--plant', values.plant)
  const worker = fork(import.meta.filename, args)
  worker.on('message', (tally) => take(tally as Tally))
  return new Promise((resolve) => {
    worker.on('exit', (code) => resolve(code ?? 1))
  })
}
