// Two thousand clients in IDLE on one mailbox: what each costs, and how soon all hear of a message.

import { setTimeout as sleep } from 'node:timers/promises'
import type { SmtpJob } from '../load/smtp.ts'
import { runLoad } from '../loader.ts'
import { memoryOf } from '../processes.ts'
import { median } from '../statistics.ts'
import type { MailSystem } from '../systems/system.ts'
import {
  type Lengths,
  loopMetric,
  type Measured,
  type Metric,
  type Numbers,
  type Workload,
  withLoopDelay,
} from './workload.ts'

const patienceMs = 15_000
const openingMs = 60_000

const metrics: readonly Metric[] = [
  { key: 'eachKiB', title: 'memory a connection (PSS)', unit: 'KiB', better: 'less' },
  { key: 'allToldMs', title: 'all told of a message', unit: 'ms', better: 'less' },
  { key: 'slowestMs', title: 'all told, the slowest message', unit: 'ms', better: 'less' },
  { key: 'toldPart', title: 'clients told', unit: 'of all', better: 'more' },
  { key: 'openedSeconds', title: 'until all are in IDLE', unit: 's', better: 'less' },
  loopMetric,
]

export const idleWorkloads: readonly Workload[] = [
  {
    name: 'idle',
    title: '2,000 clients in IDLE on one mailbox',
    metrics,
    mostRuns: 2,
    without: ['dovecot-maildir'],
    run: (measured, lengths) => runIdle(measured, lengths, false),
  },
  {
    name: 'idle-tls',
    title: '2,000 clients in IDLE on one mailbox, TLS',
    metrics,
    mostRuns: 2,
    without: ['dovecot-sdbox', 'dovecot-maildir', 'cyrus'],
    run: (measured, lengths) => runIdle(measured, lengths, true),
  },
]

async function runIdle({ system, host, warn }: Measured, lengths: Lengths, tls: boolean): Promise<Numbers> {
  // Without what earlier work has left in its memory, which would be taken up again instead of growing.
  await host.restart()
  await sleep(lengths.settleMs)
  return await withLoopDelay(system, async () => {
    const before = memoryOf(system.processes())
    let eachKiB = 0
    const measure = async (connections: number) => {
      eachKiB = (memoryOf(system.processes()) - before) / 1024 / connections
    }
    const job = {
      kind: 'idle',
      host: '127.0.0.1',
      port: (tls ? system.ports.imaps : system.ports.imap) ?? 0,
      tls,
      account: system.idler,
      connections: lengths.idleClients,
      delivery: deliveryTo(system),
      deliveries: lengths.deliveries,
      settleMs: lengths.settleMs,
      patienceMs,
      openingMs,
    } as const
    const { openedSeconds, connections, told } = await runLoad(job, measure)
    if (connections < lengths.idleClients)
      warn(`only ${connections} of ${lengths.idleClients} clients came up within ${openingMs / 1000} s`)
    const least = Math.min(...told.map((each) => each.told))
    const toldPart = least / connections
    if (toldPart < 1)
      warn(`of a message only ${least} of ${connections} clients were told within ${patienceMs / 1000} s`)
    const last = told.map(({ lastMs }) => lastMs)
    return { eachKiB, allToldMs: median(last), slowestMs: Math.max(...last), toldPart, openedSeconds }
  })
}

/** By LMTP straight to the store, so that no queue lies between. */
function deliveryTo({ ports, idler }: MailSystem): SmtpJob {
  return {
    kind: 'smtp',
    host: '127.0.0.1',
    port: ports.lmtp,
    protocol: 'lmtp',
    connections: 1,
    sizeBytes: 4096,
    pipelining: false,
    perConnection: 1,
    recipients: [idler.user],
    seconds: 30,
    messages: 1,
  }
}
