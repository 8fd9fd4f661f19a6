// Log-ins: connect, log in, leave, begin again, on ten connections.

import type { LoginWay } from '../load/imap-login.ts'
import { runLoad } from '../loader.ts'
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

const rate = (key: string, title: string): Metric => ({ key, title, unit: '/s', better: 'more' })

export const loginsWorkload: Workload = {
  name: 'logins',
  title: 'Log-ins on 10 connections',
  metrics: [
    rate('login', 'LOGIN'),
    rate('scram', 'SCRAM-SHA-256'),
    { key: 'p99Ms', title: 'LOGIN p99, from connecting', unit: 'ms', better: 'less' },
    loopMetric,
  ],
  without: ['dovecot-maildir'],
  prepare: async (measured, lengths) => {
    await loginsBy('login', measured, { ...lengths, seconds: lengths.warmSeconds })
    return undefined
  },
  run,
}

async function run(measured: Measured, lengths: Lengths): Promise<Numbers> {
  const { system } = measured
  return await withLoopDelay(system, async () => {
    const plain = await loginsBy('login', measured, lengths)
    const numbers = { login: plain.accepted / plain.seconds, p99Ms: plain.latencyMs.p99 }
    // The peers keep clear-text passwords here and do not offer it.
    if (system.name !== 'hikyaku') return numbers
    const scram = await loginsBy('scram-sha-256', measured, lengths)
    return { ...numbers, scram: scram.accepted / scram.seconds }
  })
}

async function loginsBy(way: LoginWay, { system, warn }: Measured, { seconds, most }: Limits) {
  const { ports, many } = system
  const done = await runLoad({
    kind: 'logins',
    host: '127.0.0.1',
    port: ports.imap,
    accounts: many,
    way,
    seconds,
    logins: most,
  })
  for (const problem of done.problems) warn(`${way}: ${problem}`)
  if (done.accepted === 0) throw new Error('nobody could log in')
  return done
}
