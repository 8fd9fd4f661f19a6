// A mailbox of ten thousand messages as a client reads it, on one connection.
//
// It is filled once by APPEND and never read; each run copies it, so that what a server computes at the first FETCH is
// computed in each run.

import type { ScriptAnswer } from '../load/imap.ts'
import { runLoad } from '../loader.ts'
import { forgetFiles } from '../page-cache.ts'
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

const source = 'Source'
/** Read before each measurement, so that a server whose code is compiled as it runs is not measured while it is. */
const warm = 'Warm'
const warmMessages = 1_000
const warmRounds = 3
const time = (key: string, title: string): Metric => ({ key, title, unit: 'ms', better: 'less' })

interface Step {
  readonly key?: string
  readonly command: string
}

const body = 'UID FETCH 1:* (BODY.PEEK[])'
const structure = 'UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)'

/** In this order; those without a key are not counted. */
const steps: readonly Step[] = [
  { key: 'flagsMs', command: 'UID FETCH 1:* (UID FLAGS)' },
  { key: 'structureFirstMs', command: structure },
  { key: 'structureMs', command: structure },
  { key: 'structureMs', command: structure },
  { key: 'fieldsMs', command: 'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])' },
  { command: body },
  { key: 'bodyWarmMs', command: body },
  { key: 'flagsMs', command: 'UID FETCH 1:* (UID FLAGS)' },
  { key: 'storeMs', command: 'UID STORE 1:* +FLAGS (\\Flagged)' },
  { key: 'storeSilentMs', command: 'UID STORE 1:* +FLAGS.SILENT (\\Answered)' },
  { key: 'flagsMs', command: 'UID FETCH 1:* (UID FLAGS)' },
]
const selecting = 5

export const mailboxWorkload: Workload = {
  name: 'mailbox',
  title: 'A mailbox of 10,000 messages of 4 KiB',
  metrics: [
    time('selectMs', 'SELECT again'),
    time('flagsMs', 'UID FETCH (UID FLAGS)'),
    time('structureFirstMs', 'ENVELOPE and BODYSTRUCTURE, first time'),
    time('structureMs', 'ENVELOPE and BODYSTRUCTURE, again'),
    time('fieldsMs', 'three header fields'),
    time('bodyColdMs', 'BODY.PEEK[] of all, cold'),
    time('bodyWarmMs', 'BODY.PEEK[] of all, warm'),
    time('storeMs', 'STORE +FLAGS on all'),
    time('storeSilentMs', 'STORE +FLAGS.SILENT on all'),
    loopMetric,
  ],
  prepare: fill,
  run: runMailbox,
}

async function fill({ system, warn }: Measured, { messages }: Lengths): Promise<undefined> {
  await script(system, [`CREATE ${source}`, `CREATE ${warm}`])
  const done = await runLoad({
    kind: 'append',
    host: '127.0.0.1',
    port: system.ports.imap,
    accounts: Array.from({ length: 4 }, () => system.reader),
    mailbox: source,
    sizeBytes: 4096,
    batch: 20,
    seconds: 240,
    messages,
  })
  for (const problem of done.problems) warn(problem)
  if (done.accepted !== messages)
    throw new Error(`only ${done.accepted} of ${messages} messages could be filled in`)
  await script(system, [`SELECT ${source}`, `UID COPY 1:${warmMessages} ${warm}`])
  return undefined
}

async function runMailbox(
  { system, host, warn }: Measured,
  { messages, ownsMachine }: Lengths,
  round: number,
): Promise<Numbers> {
  const box = `Box${round}`
  await warmUp(system)
  await script(system, [`CREATE ${box}`, `SELECT ${source}`, `UID COPY 1:* ${box}`])
  const numbers = await withLoopDelay(system, async () => {
    const commands = [`SELECT ${box}`, ...steps.map(({ command }) => command)]
    const answers = (await script(system, commands)).slice(1)
    for (const [index, answer] of answers.entries()) checkAll(steps[index] as Step, answer, messages)
    return { ...medians(answers), selectMs: await selectAgain(system, box) }
  })
  await host.restart()
  await warmUp(system)
  const why = ownsMachine ? forgetFiles() : undefined
  if (why !== undefined) warn(`the cold figure is not cold: ${why}`)
  const [, cold] = await script(system, [`SELECT ${box}`, body])
  checkAll({ command: body }, cold as ScriptAnswer, messages)
  await script(system, [`DELETE ${box}`])
  return { ...numbers, bodyColdMs: (cold as ScriptAnswer).ms }
}

function medians(answers: readonly ScriptAnswer[]): Numbers {
  const byKey = Map.groupBy(answers.entries(), ([index]) => steps[index]?.key ?? '')
  byKey.delete('')
  return Object.fromEntries([...byKey].map(([key, all]) => [key, median(all.map(([, { ms }]) => ms))]))
}

function checkAll({ command }: Step, answer: ScriptAnswer, messages: number): void {
  const isAnswered = /^UID (FETCH|STORE .*FLAGS )/.test(command)
  if (isAnswered && answer.fetches !== messages)
    throw new Error(`${command}: ${answer.fetches} responses for ${messages} messages`)
}

/** The same commands on another mailbox. */
async function warmUp(system: MailSystem): Promise<void> {
  const commands = steps.map(({ command }) => command.replace('+FLAGS', 'FLAGS'))
  await script(system, [`SELECT ${warm}`, ...Array.from({ length: warmRounds }, () => commands).flat()])
}

/** A mailbox that was selected before, on new connections. Gives the median. */
export async function selectAgain(system: MailSystem, box: string): Promise<number> {
  const answers = await script(system, [`SELECT ${box}`], selecting)
  return median(answers.map(({ ms }) => ms))
}

/** Runs commands as the reader, each of which must succeed; `times` times, each on a connection of its own. */
export async function script(
  system: MailSystem,
  commands: readonly string[],
  times = 1,
): Promise<readonly ScriptAnswer[]> {
  const { answers } = await runLoad({
    kind: 'script',
    host: '127.0.0.1',
    port: system.ports.imap,
    account: system.reader,
    commands,
    times,
  })
  for (const { ok, command, last } of answers) if (!ok) throw new Error(`${command}: ${last}`)
  return answers
}
