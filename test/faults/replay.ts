// Puts a disk into the states that it may be in when the power goes at any point of a recorded life, opens the store
// on each, and asks it for everything that had been acknowledged up to that point.

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Chance } from './chance.ts'
import { compareAll } from './compare.ts'
import { Deliveries } from './deliveries.ts'
import { DiskModel, type Fate, fates } from './disk-model.ts'
import { Post } from './post.ts'
import { begins, type Recording } from './recording.ts'
import { checkFolder } from './rounds.ts'
import { readFolder } from './store-reader.ts'
import type { LogRecord } from './write-log.ts'

export interface ReplayOptions {
  readonly recording: Recording
  readonly states: number
  readonly chance: Chance
  /** Every point before and after what happens to these paths, instead of points by chance. */
  readonly around?: (path: string) => boolean
  /** Made and emptied again and again. */
  readonly folder: string
  /** Whether a sync of this path counts; a planted mistake lets it not. */
  readonly counts?: (path: string) => boolean
  /** After so many failures it ends. */
  readonly maxFailures?: number
}

export interface StateFailure {
  /** The power went before the record of this number. */
  readonly cut: number
  readonly fate: Fate
  readonly problems: readonly string[]
}

export interface Replayed {
  readonly states: number
  readonly failures: readonly StateFailure[]
}

export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { recording, states, chance, counts, maxFailures = 3 } = options
  const { records } = recording
  const disk = new DiskModel(counts)
  const failures: StateFailure[] = []
  const cuts = options.around === undefined ? cutsOf(options) : cutsAround(recording.records, options.around)
  let [at, done, steps] = [0, 0, 0]
  for (const cut of cuts.slice(0, states)) {
    for (; at < cut; at++) {
      const one = records[at]
      if (one === undefined) break
      if (one.kind !== 'mark') disk.apply(one)
      else if (one.text === begins) disk.begin()
      else steps++
    }
    const fate = chance.pick(fates)
    const problems = await tryState(options, { disk, fate, steps })
    done++
    if (problems.length > 0) failures.push({ cut, fate, problems })
    if (failures.length >= maxFailures) break
  }
  return { states: done, failures }
}

/** Ascending. Right after a sync and right after an answer is where most can go wrong; the rest is anywhere. */
function cutsOf({ recording, states, chance }: ReplayOptions): readonly number[] {
  const { records } = recording
  const telling = records.flatMap(({ kind }, index) =>
    kind === 'sync' || kind === 'mark' ? [index + 1] : [],
  )
  const cuts = Array.from({ length: states }, () =>
    telling.length > 0 && chance.is(0.6) ? chance.pick(telling) : chance.within(0, records.length),
  )
  return cuts.toSorted((a, b) => a - b)
}

function cutsAround(records: readonly LogRecord[], wanted: (path: string) => boolean): readonly number[] {
  const paths = new Map<number, string>()
  const cuts = new Set<number>()
  records.forEach((record, index) => {
    if (record.kind === 'mark') return
    if (record.kind === 'open') paths.set(record.handle, record.path)
    const path = 'path' in record ? record.path : (paths.get(record.handle) ?? '')
    if (wanted(path)) cuts.add(index).add(index + 1)
  })
  return [...cuts]
}

async function tryState(
  { recording, folder, chance }: ReplayOptions,
  { disk, fate, steps }: { readonly disk: DiskModel; readonly fate: Fate; readonly steps: number },
): Promise<readonly string[]> {
  const post = new Post(new Deliveries(), recording.tag)
  for (const step of recording.steps.slice(0, steps)) step(post)
  const data = join(folder, 'data')
  disk.writeState(data, fate, chance)
  try {
    const keys = steps === 0 ? [] : checkKeys(data)
    const problems = compareAll(post, await readFolder(data))
    return [...keys, ...problems, ...checkFolder(data, false)]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Made at the first start, before anything is acknowledged; clients hold on to the CA. */
const keys = ['tls/own-ca.pem', 'tls/own-server.pem', 'tls/secret', 'ca.pem']

function checkKeys(data: string): readonly string[] {
  return keys.flatMap((name) => {
    const file = join(data, name)
    if (!existsSync(file)) return [`${name} is missing`]
    return readFileSync(file, 'latin1').endsWith('\n') ? [] : [`${name} is not whole`]
  })
}
