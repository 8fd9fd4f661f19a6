// How often the disk is made to keep a message: fsyncs counted by strace, in a short run of their own. The peers' other
// system calls are slowed by it, so no rate is taken here; ours is started under a filter that stops at fsyncs only.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { runLoad } from '../loader.ts'
import type { MailSystem } from '../systems/system.ts'
import { appendJob } from './append.ts'
import { Arrivals } from './arrivals.ts'
import { jobOf } from './ingest.ts'
import type { Lengths, Measured, Numbers, Workload } from './workload.ts'

const calls = 'fsync,fdatasync,sync_file_range,msync,syncfs,sync'
const attachMs = 1_000

export const fsyncsWorkload: Workload = {
  name: 'fsyncs',
  title: 'fsyncs a message',
  metrics: [
    { key: 'smtp10', title: 'SMTP, 10 connections', unit: 'each', better: 'less' },
    { key: 'smtp64', title: 'SMTP, 64 connections', unit: 'each', better: 'less' },
    { key: 'append10', title: 'APPEND, 10 connections', unit: 'each', better: 'less' },
  ],
  mostRuns: 1,
  run,
}

async function run({ system }: Measured, lengths: Lengths): Promise<Numbers> {
  const smtp = (connections: number) => async () => {
    const arrivals = await Arrivals.open(system)
    const { accepted } = await runLoad(jobOf({ name: '', title: '', connections }, system, lengths))
    await arrivals.until(accepted)
    arrivals.close()
    return accepted
  }
  const append = async () => (await runLoad(appendJob(system, 10, lengths))).accepted
  return {
    smtp10: await fsyncsOf(system, smtp(10)),
    smtp64: await fsyncsOf(system, smtp(64)),
    append10: await fsyncsOf(system, append),
  }
}

/** Counts while `work` runs, and divides by what it gives. */
async function fsyncsOf(system: MailSystem, work: () => Promise<number>): Promise<number> {
  const attach = system.processes().flatMap((pid) => ['-p', String(pid)])
  const tracer = spawn('strace', ['-f', '-c', '-e', `trace=${calls}`, ...attach], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  tracer.stderr.on('data', (piece) => (said += piece))
  const closed = once(tracer, 'close')
  await sleep(attachMs)
  const messages = await work()
  tracer.kill('SIGINT')
  await closed
  return countCalls(said) / messages
}

/** The sum of the calls in the table that `strace -c` prints. */
export function countCalls(summary: string): number {
  const table = summary.slice(summary.indexOf('% time'))
  let sum = 0
  for (const row of table.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/gm)) {
    if (calls.split(',').includes(row[2] as string)) sum += Number(row[1])
  }
  return sum
}
