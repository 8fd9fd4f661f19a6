// Recordings and their replays from one seed, for the command and the suite.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Chance } from './chance.ts'
import { record } from './recording.ts'
import { replay } from './replay.ts'
import { buildShim } from './shim.ts'

export interface ReplaysOptions {
  /** Disk states to be tried, in all. */
  readonly states: number
  readonly seed: number
  /** Everything is made below it; best in memory. */
  readonly base: string
  readonly say: (line: string) => void
  /** See ReplayOptions. */
  readonly counts?: (path: string) => boolean
}

export interface ReplaysResult {
  readonly states: number
  readonly seconds: number
  readonly failures: readonly string[]
}

/** States of one recording: more of them find less than another recording does. */
const statesPerRecording = 400
const acknowledgements = 250
const shownProblems = 8

export async function replayCampaign({
  states,
  seed,
  base,
  say,
  counts,
}: ReplaysOptions): Promise<ReplaysResult> {
  mkdirSync(base, { recursive: true })
  const shim = await buildShim()
  const began = performance.now()
  const failures: string[] = []
  let done = 0
  try {
    for (let number = 0; done < states && failures.length === 0; number++) {
      const chance = new Chance(seed + number * 7919)
      const folder = join(base, `r${seed}f${number}`)
      const logFile = `${folder}.log`
      const recording = await record({
        ...{ folder, logFile, shim, chance, acknowledgements },
        tag: `r${seed}f${number}`,
      })
      const replayed = await replay({
        ...{ recording, chance, folder: `${folder}.state` },
        states: Math.min(statesPerRecording, states - done),
        ...(counts === undefined ? {} : { counts }),
      })
      done += replayed.states
      for (const { cut, fate, problems } of replayed.failures)
        failures.push(
          [`seed ${seed}, recording ${number} (${logFile}), power gone before record ${cut}, ${fate}`]
            .concat(problems.slice(0, shownProblems))
            .join('\n      '),
        )
      rmSync(folder, { recursive: true })
      if (replayed.failures.length === 0) rmSync(logFile)
      const { records, steps } = recording
      say(`${done} of ${states} states; the last of ${records.length} writes and ${steps.length} steps`)
    }
  } finally {
    shim.remove()
  }
  return { states: done, seconds: (performance.now() - began) / 1000, failures }
}
