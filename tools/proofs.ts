// What long proofs have run so far: fuzzing, simulated worlds, kills, power losses. A run with `--record` appends a
// line to test/proofs.tsv; docs/proofs.md is printed from that file, so that the totals are counted, not claimed.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** One run of one proof. */
export interface Proof {
  /** `fuzz smtp-server`, `world`, `kill -9`, `power loss`. */
  readonly what: string
  readonly count: number
  /** What is counted: inputs, seeds, rounds, losses, states. */
  readonly unit: string
  readonly seconds: number
  /** What makes the run again: `7`, or `1-2000`. */
  readonly seeds: string
  /** How many failures it found. */
  readonly found: number
}

interface Line extends Proof {
  readonly day: string
  readonly commit: string
}

const root = path.dirname(import.meta.dirname)
const file = path.join(root, 'test', 'proofs.tsv')
const COLUMNS = ['day', 'what', 'count', 'unit', 'seconds', 'seeds', 'found', 'commit'] as const

/** Appends a run to test/proofs.tsv, with the day and the commit that was checked out, and prints the page anew. */
export function recordProof(proof: Proof): void {
  const commit = execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).trim()
  const line: Line = {
    ...proof,
    seconds: Math.round(proof.seconds),
    day: new Date().toISOString().slice(0, 10),
    commit,
  }
  fs.appendFileSync(file, `${COLUMNS.map((column) => line[column]).join('\t')}\n`)
  fs.writeFileSync(path.join(root, 'docs', 'proofs.md'), proofsPage())
}

/** The page of totals, a row for each proof. */
export function proofsPage(): string {
  return pageOf(parseProofs(fs.readFileSync(file, 'utf8')))
}

/** Reads the lines of test/proofs.tsv; one that is not whole is a mistake of whoever wrote it and throws. */
export function parseProofs(text: string): readonly Line[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [day = '', what = '', count, unit = '', seconds, seeds = '', found, commit] = line.split('\t')
    const numbers = { count: Number(count), seconds: Number(seconds), found: Number(found) }
    if (commit === undefined || Object.values(numbers).some((number) => !Number.isFinite(number)))
      throw new SyntaxError(`test/proofs.tsv: not a line of ${COLUMNS.length} columns: ${line}`)
    return { day, what, unit, seeds, commit, ...numbers }
  })
}

const INTRODUCTION = `# What has been run

Totals of the proofs that are too long for a test run, printed from \`test/proofs.tsv\` (a line for each run, with its
seeds and its commit). The same proofs run in small in \`npm test\` and \`.ci/run\`. "Found" counts failures seen; each
was fixed and left a test, and the runs after it passed.

| command | what it does |
| --- | --- |
| \`node launch.mjs fuzz [NAME] --seconds N --record\` | changed inputs against every parser |
| \`node launch.mjs world --seeds N --record\` | whole mail flows in a simulated world, one a seed |
| \`node launch.mjs kill --rounds N --record\` | the server killed under load, started again, compared with what it had acknowledged |
| \`node launch.mjs power --losses N --record\` | the same with the disk's power gone; writes replayed with drops and reorders |

| proof | runs | total | time | a second | found | last |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
`

export function pageOf(lines: readonly Line[]): string {
  const groups = Map.groupBy(lines, ({ what, unit }) => `${what} (${unit})`)
  const rows = [...groups]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([name, runs]) => rowOf(name, runs))
  return `${INTRODUCTION}${rows.join('\n')}\n`
}

function rowOf(name: string, runs: readonly Line[]): string {
  const sum = (of: (line: Line) => number): number => runs.reduce((total, line) => total + of(line), 0)
  const [count, seconds, found] = [
    sum((run) => run.count),
    sum((run) => run.seconds),
    sum((run) => run.found),
  ]
  const last = runs
    .map(({ day }) => day)
    .sort()
    .at(-1)
  const minutes = `${(seconds / 60).toFixed(1)} min`
  return `| ${name} | ${runs.length} | ${count.toLocaleString('en')} | ${minutes} | ${rateText(count, seconds)} | ${found} | ${last} |`
}

/** Three significant digits, written out. */
function rateText(count: number, seconds: number): string {
  if (seconds === 0) return '-'
  return Number((count / seconds).toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 })
}
