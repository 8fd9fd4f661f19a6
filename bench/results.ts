// The numbers of a whole run, and how they are asked for.

import type { Floors } from './floors.ts'
import type { Machine } from './machine.ts'
import { median, pairRatios } from './statistics.ts'
import type { SystemName } from './systems/system.ts'
import type { Metric, Numbers } from './workloads/workload.ts'

/** One system under one workload. */
export interface Runs {
  /** undefined: that run failed. */
  readonly rounds: (Numbers | undefined)[]
  readonly problems: string[]
}

export interface WorkloadResult {
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  readonly systems: Readonly<Partial<Record<SystemName, Runs>>>
}

export interface SystemInfo {
  readonly name: SystemName
  readonly title: string
  readonly about: string
}

export interface Report {
  readonly takenAt: string
  readonly command: string
  readonly machine: Machine
  readonly runs: number
  readonly seconds: number
  readonly systems: readonly SystemInfo[]
  /** Peers that could not be started, and why. */
  readonly missing: readonly string[]
  /** Before and after everything: the machine may have changed in between. */
  readonly floors: readonly Floors[]
  readonly workloads: readonly WorkloadResult[]
}

export const ours: SystemName = 'hikyaku'

export function valuesOf(result: WorkloadResult | undefined, system: SystemName, key: string): number[] {
  const rounds = result?.systems[system]?.rounds ?? []
  return rounds.map((round) => round?.[key]).filter((value) => value !== undefined)
}

/** The median of the runs; undefined where there is none. */
export function middleOf(
  result: WorkloadResult | undefined,
  system: SystemName,
  key: string,
): number | undefined {
  const values = valuesOf(result, system, key)
  return values.length === 0 ? undefined : median(values)
}

export interface Comparison {
  readonly peer: SystemName
  /** How many times better ours is, pair by pair; below 1 it is worse. */
  readonly ratios: readonly number[]
  readonly middle: number
}

/** Ours beside one peer. undefined where one of them has no number. */
export function compare(
  result: WorkloadResult,
  { key, better }: Metric,
  peer: SystemName,
): Comparison | undefined {
  const side = (system: SystemName) => result.systems[system]?.rounds.map((round) => round?.[key] ?? 0) ?? []
  const [mine, others] = better === 'more' ? [side(ours), side(peer)] : [side(peer), side(ours)]
  // A run that failed has no partner; pairs stay those that ran side by side.
  const ratios = pairRatios(mine, others).filter((ratio) => ratio > 0)
  return ratios.length === 0 ? undefined : { peer, ratios, middle: median(ratios) }
}

/** Ours beside the peer that is best at this by its median. */
export function compareToBest(result: WorkloadResult, metric: Metric): Comparison | undefined {
  let best: { readonly peer: SystemName; readonly value: number } | undefined
  for (const peer of Object.keys(result.systems) as SystemName[]) {
    const value = peer === ours ? undefined : middleOf(result, peer, metric.key)
    if (value === undefined) continue
    const isBetter =
      best === undefined || (metric.better === 'more' ? value > best.value : value < best.value)
    if (isBetter) best = { peer, value }
  }
  return best === undefined ? undefined : compare(result, metric, best.peer)
}
