// Mail in by IMAP APPEND.

import type { AppendJob } from '../load/imap.ts'
import { runLoad } from '../loader.ts'
import { costOf } from '../processes.ts'
import type { MailSystem } from '../systems/system.ts'
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

const metrics: readonly Metric[] = [
  { key: 'accepted', title: 'appended', unit: '/s', better: 'more' },
  { key: 'cpuMs', title: 'server CPU a message', unit: 'ms', better: 'less' },
  { key: 'replyP50Ms', title: 'reply p50', unit: 'ms', better: 'less' },
  { key: 'replyP99Ms', title: 'reply p99', unit: 'ms', better: 'less' },
  loopMetric,
]

export const appendWorkloads: readonly Workload[] = [appendWorkload(10), appendWorkload(1)]

function appendWorkload(connections: number): Workload {
  return {
    name: `append-${connections}`,
    title: `APPEND, ${connections} connection${connections === 1 ? '' : 's'}, 4 KiB`,
    metrics,
    ...(connections === 1 ? { without: ['dovecot-maildir'] } : {}),
    prepare: async ({ system }, lengths) => {
      await runLoad(appendJob(system, connections, { ...lengths, seconds: lengths.warmSeconds }))
      return undefined
    },
    run: (measured, lengths) => runAppends(connections, measured, lengths),
  }
}

/** Each connection appends to a mailbox of its own. */
export function appendJob(
  { ports, many }: MailSystem,
  connections: number,
  { seconds, most }: Limits,
): AppendJob {
  return {
    kind: 'append',
    host: '127.0.0.1',
    port: ports.imap,
    accounts: many.slice(0, connections),
    mailbox: 'INBOX',
    sizeBytes: 4096,
    seconds,
    messages: most,
  }
}

async function runAppends(
  connections: number,
  { system, warn }: Measured,
  lengths: Lengths,
): Promise<Numbers> {
  return await withLoopDelay(system, async () => {
    const before = costOf(system.processes())
    const done = await runLoad(appendJob(system, connections, lengths))
    const after = costOf(system.processes())
    for (const problem of done.problems) warn(problem)
    if (done.accepted === 0) throw new Error('no message was taken')
    return {
      accepted: done.accepted / done.seconds,
      cpuMs: ((after.cpuSeconds - before.cpuSeconds) * 1000) / done.accepted,
      replyP50Ms: done.latencyMs.p50,
      replyP99Ms: done.latencyMs.p99,
    }
  })
}
