// A report as rows of text, for the terminal and for the page alike.

import { type Goal, goals, judge, short, type Verdict } from '../goals.ts'
import { compare, middleOf, ours, type Report, valuesOf, type WorkloadResult } from '../results.ts'
import { spread } from '../statistics.ts'
import type { SystemName } from '../systems/system.ts'
import type { Metric } from '../workloads/workload.ts'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What went wrong or is to be known. */
  readonly notes: readonly string[]
  /** Words in every column, not numbers. */
  readonly isText?: true
}

/** One table for each workload: a row for each number, a column for each system, then our ratio to each peer. */
export function workloadTables(report: Report): Table[] {
  return report.workloads.map((result) => {
    const names = report.systems.map(({ name }) => name).filter((name) => result.systems[name] !== undefined)
    const peers = names.filter((name) => name !== ours)
    const titles = (list: readonly SystemName[]) => list.map((name) => titleOf(report, name))
    const rows = result.metrics
      .map((metric) => [
        `${metric.title}${metric.unit ? `, ${metric.unit}` : ''}`,
        ...names.map((name) => cell(result, name, metric.key)),
        ...peers.map((peer) => {
          const compared = isCompared(metric) ? compare(result, metric, peer) : undefined
          return compared === undefined ? '' : `${short(compared.middle)} ×${range(compared.ratios)}`
        }),
      ])
      .filter((row) => row.slice(1).some((text) => text !== ''))
    return {
      title: result.title,
      head: [
        '',
        ...titles(names),
        ...titles(peers).map((title) => `beside ${title.replace('Postfix + ', '')}`),
      ],
      rows,
      notes: names.flatMap((name) =>
        (result.systems[name]?.problems ?? []).map((problem) => `${titleOf(report, name)}: ${problem}`),
      ),
    }
  })
}

/** How many processes, or which part was told, is not better by so many times. */
function isCompared({ unit }: Metric): boolean {
  return unit !== '' && unit !== 'of all'
}

export function titleOf(report: Report, name: SystemName): string {
  return report.systems.find((system) => system.name === name)?.title ?? name
}

/** The median, and how far the runs lie apart where that is much. */
function cell(result: WorkloadResult, name: SystemName, key: string): string {
  const value = middleOf(result, name, key)
  if (value === undefined) return ''
  const apart = spread(valuesOf(result, name, key))
  return `${short(value)}${apart >= 0.2 ? ` ±${Math.round(apart * 50)} %` : ''}`
}

function range(ratios: readonly number[]): string {
  if (ratios.length < 2) return ''
  return ` (${short(Math.min(...ratios))} to ${short(Math.max(...ratios))})`
}

export function verdicts(report: Report, list: readonly Goal[] = goals): Verdict[] {
  return list.map((goal) => judge(goal, report))
}

export function goalTable(report: Report): Table {
  const all = verdicts(report).filter(({ state }) => state !== 'not measured')
  const rows = all.map(({ goal, state, measured, remark }) => [
    goal.text,
    measured,
    remark === '' ? state : `${state}: ${remark}`,
  ])
  const met = all.filter(({ state }) => state === 'met').length
  return {
    title: `Goals: ${met} of ${all.length} met`,
    head: ['goal', 'measured', ''],
    rows,
    notes: unmeasured(report),
    isText: true,
  }
}

/** Goals of which this run says nothing, by the reason. */
function unmeasured(report: Report): string[] {
  const none = verdicts(report).filter(({ state }) => state === 'not measured')
  const byReason = Map.groupBy(none, ({ remark }) => remark)
  return [...byReason].map(([reason, all]) => `${all.length} goals are not judged: ${reason}`)
}

export function floorTable({ floors }: Report): Table {
  const row = (title: string, values: readonly number[]) => [title, ...values.map(short)]
  return {
    title: 'What the machine can do',
    head: ['', 'before', 'after'].slice(0, floors.length + 1),
    rows: [
      row(
        '4 KiB appended and fdatasync, /s',
        floors.map((floor) => floor.syncedAppendsPerSecond),
      ),
      row(
        'the same, one fdatasync for 32, records/s',
        floors.map((floor) => floor.groupedAppendsPerSecond),
      ),
      row(
        '64 octets there and back over loopback, 10 connections, /s',
        floors.map((floor) => floor.roundTripsPerSecond),
      ),
    ],
    notes: [],
  }
}
