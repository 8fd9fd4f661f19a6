// What a mail server takes when nobody does anything.

import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOf } from '../processes.ts'
import type { Lengths, Measured, Numbers, Workload } from './workload.ts'

/** Measured right after the start, before other work; ours without the watch of its event loop. */
export const restWorkload: Workload = {
  name: 'rest',
  title: 'Memory at rest',
  metrics: [
    { key: 'pssMiB', title: 'memory at rest (PSS)', unit: 'MiB', better: 'less' },
    { key: 'processes', title: 'processes', unit: '', better: 'less' },
  ],
  without: ['dovecot-maildir'],
  mostRuns: 1,
  run,
}

async function run({ system }: Measured, { settleMs }: Lengths): Promise<Numbers> {
  await sleep(settleMs)
  const pids = system.processes()
  return { pssMiB: memoryOf(pids) / 2 ** 20, processes: pids.length }
}
