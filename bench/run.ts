// Runs workloads on systems, interleaved: A B A B, so that what disturbs the machine for a while disturbs all of them.

import { short } from './goals.ts'
import { flushDisk } from './page-cache.ts'
import type { Runs, WorkloadResult } from './results.ts'
import type { Host, MailSystem, SystemName } from './systems/system.ts'
import type { Lengths, Measured, Numbers, Workload } from './workloads/workload.ts'

export interface RunOptions {
  readonly hosts: readonly Host[]
  readonly workloads: readonly Workload[]
  readonly lengths: Lengths
  readonly runs: number
  /** Shown as it goes. */
  tell(line: string): void
  /** Ends between two runs when it aborts. */
  readonly signal: AbortSignal
}

/** Never rejects for what a workload does: a failure is told, and the rest goes on. */
export async function runAll(options: RunOptions): Promise<WorkloadResult[]> {
  const results: WorkloadResult[] = []
  for (const workload of options.workloads) {
    if (options.signal.aborted) break
    results.push(await runWorkload(workload, options))
  }
  return results
}

/** Runs that may fail before a system is left out of the rest of a workload; the reasons are kept. */
const mostFailures = 2

interface Lane {
  readonly measured: Measured
  readonly runs: Runs
  /** Numbers that come once for all runs. */
  once: Numbers
  failures: number
}

async function runWorkload(workload: Workload, options: RunOptions): Promise<WorkloadResult> {
  const { hosts, lengths, tell, signal } = options
  tell(`${workload.title}`)
  const lanes = hosts.flatMap((host) =>
    host.systems
      .filter(({ name }) => !workload.without?.includes(name))
      .map((system) => laneOf(host, system, tell)),
  )
  for (const lane of lanes) {
    if (signal.aborted) break
    const isReady = await guarded(lane, async () => {
      lane.once = (await workload.prepare?.(lane.measured, lengths)) ?? {}
    })
    if (!isReady) lane.failures = mostFailures
  }
  const runs = Math.min(options.runs, workload.mostRuns ?? options.runs)
  for (let round = 1; round <= runs && !signal.aborted; round++) {
    for (const lane of lanes) {
      if (signal.aborted) break
      lane.runs.rounds.push(await oneRun(workload, lane, options, `${round}/${runs}`, round))
    }
  }
  const systems = lanes.map(({ measured, runs: all }) => [measured.system.name, all] as const)
  const { name, title, metrics } = workload
  return { name, title, metrics, systems: Object.fromEntries(systems) as Partial<Record<SystemName, Runs>> }
}

async function oneRun(
  workload: Workload,
  lane: Lane,
  { lengths, tell }: RunOptions,
  count: string,
  round: number,
): Promise<Numbers | undefined> {
  if (lane.failures >= mostFailures) return undefined
  // What was written before is not to be paid for now.
  if (lengths.ownsMachine) flushDisk()
  let numbers: Numbers | undefined
  await guarded(lane, async () => {
    numbers = { ...lane.once, ...(await workload.run(lane.measured, lengths, round)) }
  })
  if (numbers !== undefined) tell(`  ${count} ${lane.measured.system.title}: ${lineOf(workload, numbers)}`)
  return numbers
}

function lineOf({ metrics }: Workload, numbers: Numbers): string {
  const shown = metrics.filter(({ key }) => numbers[key] !== undefined)
  return shown.map(({ key, title, unit }) => `${title} ${short(numbers[key] ?? 0)} ${unit}`.trim()).join(', ')
}

function laneOf(host: Host, system: MailSystem, tell: (line: string) => void): Lane {
  const runs: Runs = { rounds: [], problems: [] }
  const warn = (problem: string) => {
    if (runs.problems.includes(problem)) return
    runs.problems.push(problem)
    tell(`  ! ${system.title}: ${problem}`)
  }
  return { measured: { system, host, warn }, runs, once: {}, failures: 0 }
}

async function guarded(lane: Lane, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    lane.failures++
    const { system, warn } = lane.measured
    warn(error instanceof Error ? error.message : String(error))
    const fault = system.lastFault?.()
    if (fault !== undefined) warn(`its log says: ${fault}`)
    return false
  }
}
