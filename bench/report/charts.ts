// Which numbers are drawn.

import { middleOf, type Report } from '../results.ts'
import type { Chart, Group } from './plot.ts'

interface Wanted {
  readonly file: string
  readonly title: string
  readonly hint: string
  /** Workload, number and what to call it. */
  readonly rows: readonly (readonly [workload: string, key: string, label: string, unit: string])[]
}

const arrivals = [
  ['smtp-10', 'SMTP, 10 connections'],
  ['smtp-1', 'SMTP, 1 connection'],
  ['smtp-64', 'SMTP, 64 connections'],
  ['smtp-each', 'SMTP, a connection each'],
  ['smtp-64k', 'SMTP, 64 KiB'],
  ['smtp-pipelined', 'SMTP, pipelined'],
  ['lmtp-10', 'LMTP, 10 connections'],
] as const
const appends = [
  ['append-10', 'APPEND, 10 connections'],
  ['append-1', 'APPEND, 1 connection'],
] as const

/** Whose reply times are drawn; the tables have all of them. */
const timed = new Set<string>(['smtp-10', 'smtp-1', 'smtp-each', 'lmtp-10', 'append-10'])

const wanted: readonly Wanted[] = [
  {
    file: 'mail-in.svg',
    title: 'Mail in: messages a second, in the mailbox',
    hint: 'Longer is better. Each group has its own scale.',
    rows: [
      ...arrivals.map(([name, label]) => [name, 'delivered', label, '/s'] as const),
      ...appends.map(([name, label]) => [name, 'accepted', label, '/s'] as const),
    ],
  },
  {
    file: 'mail-in-cpu.svg',
    title: 'Mail in: CPU of all server processes for a message',
    hint: 'Shorter is better. Each group has its own scale.',
    rows: [...arrivals, ...appends].map(([name, label]) => [name, 'cpuMs', label, 'ms'] as const),
  },
  {
    file: 'mail-in-latency.svg',
    title: 'Mail in: how long the reply to a message takes',
    hint: 'From the final dot, or from APPEND. Shorter is better. Each group has its own scale.',
    rows: [...arrivals, ...appends]
      .filter(([name]) => timed.has(name))
      .flatMap(([name, label]) => [
        [name, 'replyP50Ms', `${label}, p50`, 'ms'] as const,
        [name, 'replyP99Ms', `${label}, p99`, 'ms'] as const,
      ]),
  },
  {
    file: 'mailbox.svg',
    title: 'Mail out: a mailbox of 10,000 messages, one connection',
    hint: 'Shorter is better. Each group has its own scale.',
    rows: [
      ['mailbox', 'selectMs', 'SELECT again', 'ms'],
      ['large', 'selectMs', 'SELECT of 100,000 again', 'ms'],
      ['mailbox', 'flagsMs', 'UID FETCH (UID FLAGS)', 'ms'],
      ['large', 'flagsMs', 'FLAGS of 100,000', 'ms'],
      ['mailbox', 'structureFirstMs', 'ENVELOPE BODYSTRUCTURE, first', 'ms'],
      ['mailbox', 'structureMs', 'ENVELOPE BODYSTRUCTURE, again', 'ms'],
      ['mailbox', 'fieldsMs', 'three header fields', 'ms'],
      ['mailbox', 'bodyColdMs', 'BODY.PEEK[], cold', 'ms'],
      ['mailbox', 'bodyWarmMs', 'BODY.PEEK[], warm', 'ms'],
      ['mailbox', 'storeMs', 'STORE +FLAGS', 'ms'],
    ],
  },
  {
    file: 'clients.svg',
    title: 'Many clients, and none',
    hint: 'Shorter is better, but for log-ins. Each group has its own scale.',
    rows: [
      ['idle', 'eachKiB', 'memory of an idle client', 'KiB'],
      ['idle', 'allToldMs', 'until 2,000 are told of a message', 'ms'],
      ['logins', 'login', 'log-ins (longer is better)', '/s'],
      ['rest', 'pssMiB', 'memory at rest', 'MiB'],
      ['smtp-10', 'diskMiB', 'disk for 10,000 messages', 'MiB'],
    ],
  },
]

/** Every chart that this report has numbers for, by its file name. */
export function chartsOf(report: Report): ReadonlyMap<string, Chart> {
  const charts = new Map<string, Chart>()
  for (const { file, title, hint, rows } of wanted) {
    const groups = rows.map(([workload, key, label, unit]) => groupOf(report, { workload, key, label, unit }))
    const drawn = groups.filter(({ bars }) => bars.length > 0)
    if (drawn.length === 0) continue
    const shown = new Set(drawn.flatMap(({ bars }) => bars.map(({ system }) => system)))
    const legend = report.systems
      .filter(({ name }) => shown.has(name))
      .map(({ name, title: systemTitle }) => ({ system: name, title: systemTitle }))
    charts.set(file, { title, hint, groups: drawn, legend })
  }
  return charts
}

function groupOf(
  report: Report,
  { workload, key, label, unit }: Record<'workload' | 'key' | 'label' | 'unit', string>,
): Group {
  const result = report.workloads.find(({ name }) => name === workload)
  const bars = report.systems.flatMap(({ name }) => {
    const value = middleOf(result, name, key)
    return value === undefined ? [] : [{ system: name, value }]
  })
  return { label, unit, bars }
}
