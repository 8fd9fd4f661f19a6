// What is to be reached. One line each; the run says whether it was.

import { compareToBest, middleOf, ours, type Report, valuesOf } from './results.ts'

interface GoalPlace {
  readonly text: string
  readonly workload: string
  readonly metric: string
}

export type Goal =
  /** So many times better than the best peer of the same run. */
  | (GoalPlace & { readonly kind: 'times-the-best'; readonly times: number })
  | (GoalPlace & { readonly kind: 'at-most'; readonly value: number })
  | (GoalPlace & { readonly kind: 'at-least'; readonly value: number })
  /** Not below another of our own numbers. */
  | (GoalPlace & { readonly kind: 'at-least-own'; readonly other: string })
  /** Of every workload that has the number; `workload` is not used. */
  | (GoalPlace & { readonly kind: 'at-most-everywhere'; readonly value: number })

export interface Verdict {
  readonly goal: Goal
  readonly state: 'met' | 'not met' | 'not measured'
  readonly measured: string
  /** How much is missing, or why nothing can be said. */
  readonly remark: string
}

type Line = readonly [text: string, workload: string, metric: string, value: number]

const times: readonly Line[] = [
  ['SMTP, 10 connections: 10 times the best peer', 'smtp-10', 'delivered', 10],
  ['SMTP, 1 connection: 4 times', 'smtp-1', 'delivered', 4],
  ['SMTP, a connection for each message: 6 times', 'smtp-each', 'delivered', 6],
  ['SMTP, 64 KiB: 6 times', 'smtp-64k', 'delivered', 6],
  ['LMTP: 6 times', 'lmtp-10', 'delivered', 6],
  ['APPEND, 10 connections: 4 times', 'append-10', 'accepted', 4],
  ['APPEND, 1 connection: at least as fast as the best peer', 'append-1', 'accepted', 1],
  ['SELECT of 10,000: the best', 'mailbox', 'selectMs', 1],
  ['SELECT of 100,000: the best', 'large', 'selectMs', 1],
  ['UID FETCH (UID FLAGS) of 10,000: the best', 'mailbox', 'flagsMs', 1],
  ['UID FETCH (FLAGS) of 100,000: the best', 'large', 'flagsMs', 1],
  ['ENVELOPE and BODYSTRUCTURE, first time: the best', 'mailbox', 'structureFirstMs', 1],
  ['ENVELOPE and BODYSTRUCTURE, again: the best', 'mailbox', 'structureMs', 1],
  ['three header fields: the best', 'mailbox', 'fieldsMs', 1],
  ['BODY.PEEK[] of all, cold: the best', 'mailbox', 'bodyColdMs', 1],
  ['judged mail, a connection for each message: 10 times', 'checked-each', 'delivered', 10],
  ['judged mail, 10 connections: 10 times', 'checked-10', 'delivered', 10],
  ['judged mail of 2.5 KB, a connection for each message: 10 times', 'checked-small', 'delivered', 10],
]

const most: readonly Line[] = [
  ['CPU a message, SMTP on 10 connections: at most 0.3 ms', 'smtp-10', 'cpuMs', 0.3],
  ['reply after the final dot, p50: at most 2 ms', 'smtp-10', 'replyP50Ms', 2],
  ['reply after the final dot, p99: at most 10 ms', 'smtp-10', 'replyP99Ms', 10],
  ['fsyncs a message, SMTP on 10 connections: below 0.3', 'fsyncs', 'smtp10', 0.3],
  ['fsyncs a message, SMTP on 64 connections: below 0.05', 'fsyncs', 'smtp64', 0.05],
  ['disk for 10,000 messages of 4 KiB: at most 60 MiB', 'smtp-10', 'diskMiB', 60],
  ['BODY.PEEK[] of all, warm: at most 150 ms', 'mailbox', 'bodyWarmMs', 150],
  ['STORE +FLAGS on all of 10,000: at most 10 ms', 'mailbox', 'storeMs', 10],
  ['2,000 idle clients: at most 20 KiB each', 'idle', 'eachKiB', 20],
  ['2,000 idle clients over TLS: at most 80 KiB each', 'idle-tls', 'eachKiB', 80],
  ['all 2,000 told within 150 ms', 'idle', 'allToldMs', 150],
  ['memory at rest: at most 130 MiB', 'rest', 'pssMiB', 130],
  ['CPU of judged mail, a connection for each message: at most 1.6 ms', 'checked-each', 'cpuMs', 1.6],
  ['CPU of judged mail, 10 connections: at most 1.6 ms', 'checked-10', 'cpuMs', 1.6],
  ['event loop delay p99 while 25 MB are judged: below 20 ms', 'checked-25m', 'loopP99Ms', 20],
]

export const goals: readonly Goal[] = [
  ...times.map(([text, workload, metric, value]) => ({
    ...{ kind: 'times-the-best' as const, text, workload, metric, times: value },
  })),
  ...most.map(([text, workload, metric, value]) => ({
    ...{ kind: 'at-most' as const, text, workload, metric, value },
  })),
  {
    kind: 'at-least',
    text: 'SPF, one signature and DMARC: 800/s for each core',
    workload: 'checked-evaluation',
    metric: 'perCore',
    value: 800,
  },
  { kind: 'at-least', text: 'all 2,000 always told', workload: 'idle', metric: 'toldPart', value: 1 },
  {
    kind: 'at-least',
    text: 'log-ins on 10 connections: 900/s',
    workload: 'logins',
    metric: 'login',
    value: 900,
  },
  {
    kind: 'at-least-own',
    text: 'SCRAM-SHA-256 faster than LOGIN',
    workload: 'logins',
    metric: 'scram',
    other: 'login',
  },
  {
    kind: 'at-most-everywhere',
    text: 'event loop delay p99 under all of it: below 20 ms',
    workload: '',
    metric: 'loopP99Ms',
    value: 20,
  },
]

/** What this run says of a goal. */
export function judge(goal: Goal, report: Report): Verdict {
  if (goal.kind === 'at-most-everywhere') return judgeEverywhere(goal, report)
  const result = report.workloads.find(({ name }) => name === goal.workload)
  const value = middleOf(result, ours, goal.metric)
  const unmeasured = (remark: string): Verdict => ({ goal, state: 'not measured', measured: '', remark })
  if (result === undefined || value === undefined) return unmeasured('no number of ours in this run')
  if (goal.kind === 'at-most' || goal.kind === 'at-least') return judgeValue(goal, value)
  if (goal.kind === 'at-least-own') {
    const other = middleOf(result, ours, goal.other)
    if (other === undefined) return unmeasured(`no ${goal.other} in this run`)
    return judgeValue({ ...goal, kind: 'at-least', value: other }, value)
  }
  const metric = result.metrics.find(({ key }) => key === goal.metric)
  const compared = metric && compareToBest(result, metric)
  if (compared === undefined) return unmeasured('no peer in this run')
  const title = report.systems.find(({ name }) => name === compared.peer)?.title ?? compared.peer
  const isMet = compared.middle >= goal.times
  return {
    goal,
    state: isMet ? 'met' : 'not met',
    measured: `${short(compared.middle)} × ${title}`,
    remark: isMet ? '' : `${percent(1 - compared.middle / goal.times)} short`,
  }
}

function judgeValue(goal: Extract<Goal, { kind: 'at-most' | 'at-least' }>, value: number): Verdict {
  const isMet = goal.kind === 'at-most' ? value <= goal.value : value >= goal.value
  const off = goal.kind === 'at-most' ? value / goal.value - 1 : 1 - value / goal.value
  const remark = isMet ? '' : `${percent(off)} ${goal.kind === 'at-most' ? 'above' : 'short'}`
  return { goal, state: isMet ? 'met' : 'not met', measured: short(value), remark }
}

function judgeEverywhere(goal: Extract<Goal, { kind: 'at-most-everywhere' }>, report: Report): Verdict {
  const found = report.workloads
    .filter((result) => valuesOf(result, ours, goal.metric).length > 0)
    .map((result) => ({ name: result.name, value: middleOf(result, ours, goal.metric) ?? 0 }))
    .toSorted((a, b) => b.value - a.value)
  const [worst] = found
  if (worst === undefined)
    return { goal, state: 'not measured', measured: '', remark: 'no number of ours in this run' }
  const above = found
    .filter(({ value }) => value > goal.value)
    .map(({ name, value }) => `${name} ${short(value)}`)
  return {
    goal,
    state: above.length === 0 ? 'met' : 'not met',
    measured: `${short(worst.value)} at most (${worst.name})`,
    remark: above.length === 0 ? '' : `above: ${above.join(', ')}`,
  }
}

/** Three figures, as far as they say something. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en')
  if (size >= 10) return value.toFixed(1).replace(/\.0$/, '')
  return value.toFixed(size >= 1 ? 2 : 3).replace(/\.?0+$/, '')
}

function percent(part: number): string {
  return `${Math.max(1, Math.round(part * 100))} %`
}
