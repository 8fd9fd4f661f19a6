// One life of the real server under load, with every change to its files written down.

import { closeSync, mkdirSync, openSync } from 'node:fs'
import type { Chance } from './chance.ts'
import { Post, type PostStep } from './post.ts'
import { allHands, enough } from './rounds.ts'
import { dataFolder, Serving } from './serving.ts'
import { type Shim, shimEnv } from './shim.ts'
import { Sink } from './sink.ts'
import type { HandParts } from './smtp-hands.ts'
import { type LogRecord, readWriteLog, writeMark } from './write-log.ts'

export interface Recording {
  readonly records: readonly LogRecord[]
  /** What was asked and answered; a mark `step N` in the records stands where the Nth happened. */
  readonly steps: readonly PostStep[]
  readonly tag: string
}

export interface RecordingOptions {
  /** Made anew. */
  readonly folder: string
  /** Outside the folder. */
  readonly logFile: string
  readonly shim: Pick<Shim, 'library'>
  readonly chance: Chance
  readonly tag: string
  /** How much is done before the end. */
  readonly acknowledgements: number
}

/** The mark of a program's start. */
export const begins = 'begins'

/** A first start, a load, SIGKILL, a second start, and an orderly stop. */
export async function record(options: RecordingOptions): Promise<Recording> {
  const { folder, logFile, shim, chance, tag, acknowledgements } = options
  mkdirSync(folder, { recursive: true })
  const log = openSync(logFile, 'a')
  const sink = await Sink.listen(chance.fork())
  const post = new Post(sink.deliveries, tag)
  const steps: PostStep[] = []
  post.onStep = (step) => {
    writeMark(log, `step ${steps.length}`)
    steps.push(step)
  }
  const serve = async (): Promise<Serving> => {
    writeMark(log, begins)
    sink.run++
    const env = shimEnv(shim, dataFolder(folder), { log: logFile })
    const serving = new Serving({ folder, sinkPort: sink.port, dnsPort: sink.dnsPort, env })
    await serving.started()
    return serving
  }
  let said = ''
  try {
    const first = await serve()
    let isOver = false
    const parts = (): HandParts => ({
      ...{ serving: first, post, profile: 'usual', chance: chance.fork() },
      isOver: () => isOver,
    })
    const hands = allHands(first, post, parts)
    await enough(post, acknowledgements)
    await first.kill()
    isOver = true
    await hands
    said = first.log
    const second = await serve()
    await second.stop()
  } finally {
    await sink.close()
    closeSync(log)
  }
  if (post.refusals.length + post.problems.length > 0)
    throw new Error(
      `the load was refused things: ${[...post.refusals, ...post.problems].join('\n')}\n${said
        .split('\n')
        .filter((line) => / (server|store)\.fault /.test(line))
        .join('\n')}`,
    )
  return { records: readWriteLog(logFile), steps, tag }
}
