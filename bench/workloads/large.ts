// A mailbox of a hundred thousand messages: opened again, and asked for all its flags.

import { runLoad } from '../loader.ts'
import { median } from '../statistics.ts'
import { script, selectAgain } from './mailbox.ts'
import {
  type Lengths,
  loopMetric,
  type Measured,
  type Numbers,
  type Workload,
  withLoopDelay,
} from './workload.ts'

const source = 'Large-source'
const box = 'Large'
const filledBy = 10
const repeats = 3

export const largeWorkload: Workload = {
  name: 'large',
  title: 'A mailbox of 100,000 messages',
  metrics: [
    { key: 'selectMs', title: 'SELECT again', unit: 'ms', better: 'less' },
    { key: 'flagsMs', title: 'UID FETCH (FLAGS)', unit: 'ms', better: 'less' },
    loopMetric,
  ],
  prepare: fill,
  run,
}

/** Small messages, copied until there are enough: neither SELECT nor flags look at bodies. */
async function fill({ system }: Measured, { manyMessages }: Lengths): Promise<undefined> {
  await script(system, [`CREATE ${source}`, `CREATE ${box}`])
  await runLoad({
    kind: 'append',
    host: '127.0.0.1',
    port: system.ports.imap,
    accounts: Array.from({ length: 4 }, () => system.reader),
    mailbox: source,
    sizeBytes: 1500,
    batch: 20,
    seconds: 120,
    messages: manyMessages / filledBy / 10,
  })
  const copy = `UID COPY 1:* ${box}`
  const ten = Array.from({ length: 10 }, () => copy)
  await script(system, [`SELECT ${source}`, ...Array.from({ length: filledBy }, () => ten).flat()])
}

async function run({ system }: Measured, { manyMessages }: Lengths): Promise<Numbers> {
  return await withLoopDelay(system, async () => {
    const flags = 'UID FETCH 1:* (FLAGS)'
    const answers = await script(system, [`SELECT ${box}`, ...Array.from({ length: repeats }, () => flags)])
    const fetches = answers.slice(1)
    const short = fetches.find((answer) => answer.fetches !== manyMessages)
    if (short) throw new Error(`${short.fetches} responses for ${manyMessages} messages`)
    const flagsMs = median(fetches.map(({ ms }) => ms))
    return { selectMs: await selectAgain(system, box), flagsMs }
  })
}
