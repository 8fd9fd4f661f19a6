// Mail in by SMTP and LMTP, until it is in the mailbox.

import type { SmtpJob } from '../load/smtp.ts'
import { runLoad } from '../loader.ts'
import { costOf } from '../processes.ts'
import type { Author } from '../signed.ts'
import type { MailSystem, SystemName } from '../systems/system.ts'
import { Arrivals } from './arrivals.ts'
import {
  type Lengths,
  type Limits,
  loopMetric,
  type Measured,
  type Metric,
  type Numbers,
  type Workload,
  withLoopDelay,
} from './workload.ts'

export interface IngestShape {
  readonly name: string
  readonly title: string
  readonly connections: number
  readonly sizeBytes?: number
  readonly protocol?: SmtpJob['protocol']
  readonly pipelining?: boolean
  readonly perConnection?: number
  readonly without?: readonly SystemName[]
  /** Told for one shape: to look at every file of a Maildir takes a while. */
  readonly tellsDisk?: true
}

export const ingestMetrics: readonly Metric[] = [
  { key: 'delivered', title: 'delivered', unit: '/s', better: 'more' },
  { key: 'accepted', title: 'accepted', unit: '/s', better: 'more' },
  { key: 'cpuMs', title: 'server CPU a message', unit: 'ms', better: 'less' },
  { key: 'replyP50Ms', title: 'reply after the final dot p50', unit: 'ms', better: 'less' },
  { key: 'replyP99Ms', title: 'reply after the final dot p99', unit: 'ms', better: 'less' },
  { key: 'diskMiB', title: 'disk for 10,000 messages', unit: 'MiB', better: 'less' },
  loopMetric,
]

/** Below what our server takes on one connection (1,000); a client that has more comes again, as queues do. */
const perConnection = 900

const shapes: readonly IngestShape[] = [
  { name: 'smtp-10', title: 'SMTP, 10 connections, 4 KiB', connections: 10, tellsDisk: true },
  { name: 'smtp-1', title: 'SMTP, 1 connection, 4 KiB', connections: 1, without: ['dovecot-maildir'] },
  { name: 'smtp-64', title: 'SMTP, 64 connections, 4 KiB', connections: 64, without: ['dovecot-maildir'] },
  {
    name: 'smtp-each',
    title: 'SMTP, 10 at once, a connection for each message, 4 KiB',
    connections: 10,
    perConnection: 1,
  },
  { name: 'smtp-64k', title: 'SMTP, 10 connections, 64 KiB', connections: 10, sizeBytes: 65_536 },
  {
    name: 'smtp-pipelined',
    title: 'SMTP, 10 connections, 4 KiB, pipelined',
    connections: 10,
    pipelining: true,
    without: ['dovecot-maildir'],
  },
  { name: 'lmtp-10', title: 'LMTP, 10 connections, 4 KiB', connections: 10, protocol: 'lmtp' },
]

export const ingestWorkloads: readonly Workload[] = shapes.map((shape) => ({
  name: shape.name,
  title: shape.title,
  metrics: ingestMetrics,
  ...(shape.without ? { without: shape.without } : {}),
  prepare: async ({ system }, lengths) => {
    const arrivals = await Arrivals.open(system)
    const { accepted } = await runLoad(jobOf(shape, system, { ...lengths, seconds: lengths.warmSeconds }))
    await arrivals.until(accepted)
    arrivals.close()
    return undefined
  },
  run: (measured, lengths) => runIngest(shape, measured, lengths),
}))

/** The load of this shape on this system. */
export function jobOf(shape: IngestShape, { ports, many }: MailSystem, { seconds, most }: Limits): SmtpJob {
  const protocol = shape.protocol ?? 'smtp'
  return {
    kind: 'smtp',
    host: '127.0.0.1',
    port: ports[protocol],
    protocol,
    connections: shape.connections,
    sizeBytes: shape.sizeBytes ?? 4096,
    pipelining: shape.pipelining ?? false,
    perConnection: shape.perConnection ?? perConnection,
    recipients: many.map(({ user }) => user),
    seconds,
    messages: most,
  }
}

export async function runIngest(
  shape: IngestShape,
  { system, warn }: Measured,
  lengths: Lengths,
  author?: Author,
): Promise<Numbers> {
  const arrivals = await Arrivals.open(system)
  try {
    return await withLoopDelay(system, async () => {
      const diskBefore = shape.tellsDisk ? system.diskBytes() : 0
      const before = costOf(system.processes())
      const done = await runLoad({ ...jobOf(shape, system, lengths), author })
      const { count, atMs } = await arrivals.until(done.accepted)
      const after = costOf(system.processes())
      for (const problem of done.problems) warn(problem)
      if (done.refused > 0) warn(`${done.refused} messages were refused`)
      if (count !== done.accepted) warn(`${done.accepted} messages were accepted and ${count} arrived`)
      if (done.accepted === 0) throw new Error('no message was accepted')
      return {
        delivered: count / ((atMs - done.startedAtMs) / 1000),
        accepted: done.accepted / done.seconds,
        cpuMs: ((after.cpuSeconds - before.cpuSeconds) * 1000) / count,
        replyP50Ms: done.latencyMs.p50,
        replyP99Ms: done.latencyMs.p99,
        ...(shape.tellsDisk ? { diskMiB: diskMiB(system.diskBytes() - diskBefore, count) } : {}),
      }
    })
  } finally {
    arrivals.close()
  }
}

function diskMiB(bytes: number, messages: number): number {
  return ((bytes / messages) * 10_000) / 2 ** 20
}
