import type { Progress } from '../../ports/progress.ts'
import type { CheckReport } from '../../store/sqlite/check/check.ts'
import { type CheckJob, checkFolder } from '../../store/sqlite/check/check-folder.ts'
import { type Finding, type FindingKind, isHarmless } from '../../store/sqlite/check/finding.ts'
import type { RepairStep } from '../../store/sqlite/check/repair.ts'
import { type Operation, type OperationResult, refused } from './operation.ts'

/** Lines of progress come at most this often; the first of each phase at once. */
const LINE_EVERY_MS = 1_000
/** Something was found. */
const EXIT_FOUND = 1

/** `check [--quick]` of the data folder that this server has open. */
export const check: Operation = (ports, args, progress) =>
  checkOnce(
    { folder: ports.config().server.data, deep: args.quick !== true, held: 'store', work: 'check' },
    progress,
  )

/** Checks and tells what was found; the exit code is 1 where something is wrong. */
export async function checkOnce(
  job: CheckJob & { readonly work: 'check' },
  progress: Progress,
): Promise<OperationResult> {
  const findings: Finding[] = []
  const meter = new Meter(progress)
  const outcome = await checkFolder(job, {
    signal: progress.signal,
    onStep(step) {
      if (step.kind === 'finding') findings.push(step.finding)
      else meter.take(step)
    },
  })
  if (outcome.kind === 'stopped') return refused('The check was stopped; nothing was changed.')
  if (outcome.kind !== 'checked')
    return refused(
      `The data folder could not be checked: ${'problem' in outcome ? outcome.problem : outcome.kind}.`,
    )
  const lines = findingLines(findings, outcome.report)
  const count = countOf(outcome.report, (kind) => !isHarmless(kind))
  const exitCode = count === 0 ? 0 : EXIT_FOUND
  return { ok: true, lines: [...lines, ...sumLines(job, outcome.report, count)], exitCode }
}

/**
 * Repairs what can be proven, and tells each repair; only while no server has the folder.
 * @param out takes each repair as it is done.
 */
export async function repairOnce(
  job: CheckJob & { readonly work: 'repair' },
  progress: Progress,
  out: (line: string) => void,
): Promise<OperationResult> {
  const meter = new Meter(progress)
  const outcome = await checkFolder(job, {
    signal: progress.signal,
    onStep(step) {
      if (step.kind === 'repaired') out(`Repaired: ${step.sentence}`)
      else meter.take(step)
    },
  })
  if (outcome.kind === 'stopped') return refused('The repair was stopped; nothing was changed.')
  if (outcome.kind !== 'repaired')
    return refused(`Nothing was repaired: ${'problem' in outcome ? outcome.problem : outcome.kind}.`)
  const count = Object.values(outcome.repaired).reduce((sum, one) => sum + one, 0)
  return {
    ok: true,
    lines: [count === 0 ? 'There was nothing to repair.' : `${counted(count, 'thing')} put right.`],
  }
}

/** Shows how far the work is. */
class Meter {
  readonly #progress: Progress
  #phase: string | undefined
  #toldMs = 0

  constructor(progress: Progress) {
    this.#progress = progress
  }

  take(step: RepairStep): void {
    if (step.kind !== 'progress') return
    const nowMs = performance.now()
    const { done, of, phase } = step
    if (phase === this.#phase && nowMs - this.#toldMs < LINE_EVERY_MS) return
    this.#phase = phase
    this.#toldMs = nowMs
    const { label, unit = '' } = PHASES[phase]
    void this.#progress.line(`${label}: ${grouped(done)} of ${grouped(of)}${unit}`)
  }
}

type ProgressPhase = Extract<RepairStep, { kind: 'progress' }>['phase']

const PHASES: Readonly<Record<ProgressPhase, { readonly label: string; readonly unit?: string }>> = {
  pages: { label: 'Pages of the database looked through', unit: ' parts' },
  rows: { label: 'Rows looked at' },
  bodies: { label: 'Contents of messages read' },
  files: { label: 'Files looked at' },
}

/** Each finding, how many more of its kind there are, and then what to do. */
function findingLines(findings: readonly Finding[], report: CheckReport): string[] {
  const told = new Map<FindingKind, number>()
  for (const { kind } of findings) told.set(kind, (told.get(kind) ?? 0) + 1)
  const lines: string[] = []
  for (const [kind, count] of told) {
    lines.push(...findings.filter((one) => one.kind === kind).map(({ sentence }) => sentence))
    const more = (report.counts[kind] ?? 0) - count
    if (more > 0) lines.push(`… and ${grouped(more)} more of the same kind (${kind}).`)
  }
  return [...lines, ...adviceLines(findings)]
}

function adviceLines(findings: readonly Finding[]): string[] {
  const byAdvice = new Map<string, Set<FindingKind>>()
  for (const { advice, kind, repairable } of findings) {
    const what = repairable ? REPAIR : advice
    byAdvice.set(what, (byAdvice.get(what) ?? new Set()).add(kind))
  }
  return [...byAdvice].map(([advice, kinds]) => `What to do (${[...kinds].join(', ')}): ${advice}.`)
}

const REPAIR = 'stop the server and run `hikyaku check --repair`'

function sumLines(job: CheckJob, report: CheckReport, count: number): string[] {
  const { bodies, files, rows, wholeFile } = report
  const read = job.deep
    ? `the contents of ${counted(bodies, 'message')} (one in several mailboxes is read once, those of the queue are among them)`
    : 'no contents of messages (--quick)'
  const part = wholeFile
    ? []
    : ['The database is large: its unused pages are gone through only when the server is stopped.']
  const looked = `${counted(rows, 'row')}, ${read} and ${counted(files, 'file')}`
  const found = count === 0 ? 'nothing is' : `${counted(count, 'thing')} ${count === 1 ? 'is' : 'are'}`
  return [...part, `Checked ${looked}: ${found} wrong.`]
}

function countOf({ counts }: CheckReport, isMeant: (kind: FindingKind) => boolean): number {
  let sum = 0
  for (const [kind, count] of Object.entries(counts)) if (isMeant(kind as FindingKind)) sum += count
  return sum
}

const counted = (count: number, what: string): string => `${grouped(count)} ${what}${count === 1 ? '' : 's'}`
const grouped = (value: number): string => value.toLocaleString('en-US')
