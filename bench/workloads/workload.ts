// What is measured: a workload gives numbers by name for one run on one system.

import type { Host, LoopDelay, MailSystem, SystemName } from '../systems/system.ts'

/** How a number is to be read. */
export interface Metric {
  readonly key: string
  readonly title: string
  readonly unit: Unit
  readonly better: 'more' | 'less'
}

export type Unit = '/s' | 'ms' | 's' | 'KiB' | 'MiB' | 'of all' | 'each' | ''

export type Numbers = Readonly<Record<string, number>>

export interface Workload {
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  /** Systems that it is not measured on. */
  readonly without?: readonly SystemName[]
  /** More runs would show nothing, or take too long. */
  readonly mostRuns?: number
  /** Done once for each system, before the first run. */
  prepare?(system: Measured, lengths: Lengths): Promise<Numbers | undefined>
  run(system: Measured, lengths: Lengths, round: number): Promise<Numbers>
}

/** A system with what measuring it needs. */
export interface Measured {
  readonly system: MailSystem
  readonly host: Host
  /** Tells what went wrong without ending the run. */
  warn(problem: string): void
}

/** How long and how large; the same for every system. */
export interface Lengths {
  /** One load, which ends after this time or after so many messages or log-ins. */
  readonly seconds: number
  readonly most: number
  /** The load before the first run, which is not counted. */
  readonly warmSeconds: number
  readonly messages: number
  readonly manyMessages: number
  readonly idleClients: number
  readonly deliveries: number
  /** How long a server is left alone before its memory is looked at. */
  readonly settleMs: number
  /** Whether nobody else is on the machine: what was written is flushed before a run, the page cache dropped before what is called cold. */
  readonly ownsMachine: boolean
}

/** Where one load ends. */
export type Limits = Pick<Lengths, 'seconds' | 'most'>

export const loopMetric: Metric = {
  key: 'loopP99Ms',
  title: 'event loop delay p99',
  unit: 'ms',
  better: 'less',
}

/** Runs `work` and gives its numbers with the event loop's delay in that time, where the system tells it. */
export async function withLoopDelay(system: MailSystem, work: () => Promise<Numbers>): Promise<Numbers> {
  await system.loopDelay?.()
  const numbers = await work()
  const delay: LoopDelay | undefined = await system.loopDelay?.()
  return delay === undefined ? numbers : { ...numbers, loopP99Ms: delay.p99Ms, loopWorstMs: delay.worstMs }
}
