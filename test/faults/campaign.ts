// Many rounds over many folders from one seed: what the commands and the suites run.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from './chance.ts'
import { LoopDisk } from './loop-disk.ts'
import type { Post } from './post.ts'
import { FolderRounds, type Round } from './rounds.ts'
import { dataFolder, type Serving } from './serving.ts'
import { buildShim, type Shim } from './shim.ts'

export interface CampaignOptions {
  readonly rounds: number
  readonly seed: number
  /** Everything is made below it; a folder that failed stays there. */
  readonly base: string
  /** One line for each round. */
  readonly say: (line: string) => void
  /** So many failures tell enough. */
  readonly maxFailures?: number
  /** For the server: see shimEnv, given the data folder. */
  readonly env?: (dataFolder: string) => Readonly<Record<string, string>>
}

export interface CampaignResult {
  readonly rounds: number
  readonly acknowledged: number
  /** Deliveries elsewhere that a crash between the answer and its record made come twice. */
  readonly doubles: number
  /** How many servers went at their start, under load, and at a chosen call to the disk. */
  readonly deaths: Readonly<Record<Round['when'], number>>
  readonly failures: readonly Failure[]
  readonly seconds: number
}

export interface Failure {
  readonly seed: number
  readonly round: number
  /** Kept, to be looked at. */
  readonly folder: string
  readonly problems: readonly string[]
}

/** Where the server of some rounds keeps its things. */
interface Place {
  readonly folder: string
  /** What is there to be looked at after a failure. */
  readonly kept: string
  /** Takes the server down. */
  strike(serving: Serving, post: Post): Promise<void>
  /** Whether the server may refuse things, before it goes. */
  readonly mayRefuse: boolean
  release(isKept: boolean): Promise<void>
}

/** The same folder is killed so often; a new one begins with its first start. */
const roundsPerFolder = 12

/** SIGKILL at any moment, and at chosen calls to the disk. */
export async function killCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const shim = await buildShim()
  try {
    return await run({ ...options, shim }, async (name) => killedFolder(join(options.base, name)))
  } finally {
    shim.remove()
  }
}

function killedFolder(folder: string): Place {
  return {
    folder,
    kept: folder,
    strike: (serving) => serving.kill(),
    mayRefuse: false,
    release: async (isKept) => {
      if (!isKept) rmSync(folder, { recursive: true, force: true })
    },
  }
}

const diskBytes = 768 * 2 ** 20
const mountOptions = [[], ['data=ordered'], ['data=writeback']] as const

/** The power of the disk goes. */
export function powerCampaign(options: CampaignOptions): Promise<CampaignResult> {
  return run(options, async (name, chance) => {
    const file = join(options.base, `${name}.ext4`)
    const mountPoint = join(options.base, name)
    const disk = await LoopDisk.make({
      file,
      mountPoint,
      sizeBytes: diskBytes,
      options: chance.pick(mountOptions),
    })
    return {
      folder: join(mountPoint, 'server'),
      kept: file,
      mayRefuse: true,
      strike: async (serving, post) => {
        if (chance.is(0.5)) await frozenCut(disk, serving)
        else await liveCut(disk, { post, chance })
        await serving.kill()
        await disk.unmount()
        await disk.mount()
      },
      release: async (isKept) => {
        await disk.remove()
        if (isKept) return
        rmSync(file)
        rmSync(mountPoint, { recursive: true })
      },
    }
  })
}

/** The machine stops in one moment: what it has said by then must be true. */
async function frozenCut(disk: LoopDisk, serving: Serving): Promise<void> {
  await serving.freeze()
  await disk.cutPower()
}

/** The server lives on without its disk: what it is asked from now on it must not acknowledge. */
async function liveCut(
  disk: LoopDisk,
  { post, chance }: { readonly post: Post; readonly chance: Chance },
): Promise<void> {
  post.disk = 'going'
  await disk.cutPower()
  post.disk = 'gone'
  await sleep(chance.within(0, 200))
}

type RunOptions = CampaignOptions & { readonly shim?: Shim }

async function run(
  options: RunOptions,
  makePlace: (name: string, chance: Chance) => Promise<Place>,
): Promise<CampaignResult> {
  const { rounds, seed, base, say, maxFailures = 5 } = options
  mkdirSync(base, { recursive: true })
  const began = performance.now()
  const failures: Failure[] = []
  const deaths = { start: 0, load: 0, call: 0 }
  let [done, acknowledged, doubles] = [0, 0, 0]
  for (let number = 0; done < rounds && failures.length < maxFailures; number++) {
    // Each folder has a seed of its own, so that one can be run again alone.
    const chance = new Chance(seed + number * 7919)
    const place = await makePlace(`s${seed}f${number}`, chance.fork())
    const count = Math.min(roundsPerFolder, rounds - done)
    const ran = await runFolder(options, {
      ...{ place, chance, count, deaths },
      first: done,
      tag: `s${seed}f${number}`,
    })
    if (ran.failure !== undefined) failures.push(ran.failure)
    await place.release(ran.failure !== undefined)
    done += ran.done
    acknowledged += ran.acknowledged
    doubles += ran.doubles
    say(`${done} of ${rounds} rounds, ${acknowledged} acknowledged, ${failures.length} failures`)
  }
  return {
    rounds: done,
    acknowledged,
    doubles,
    deaths,
    failures,
    seconds: (performance.now() - began) / 1000,
  }
}

async function runFolder(
  { seed, say, env, shim }: RunOptions,
  at: {
    readonly place: Place
    readonly chance: Chance
    readonly count: number
    readonly first: number
    readonly tag: string
    readonly deaths: Record<Round['when'], number>
  },
) {
  const { place, chance, count, first, tag, deaths } = at
  const rounds = await FolderRounds.open({
    folder: place.folder,
    chance,
    tag,
    death: place,
    mayRefuse: place.mayRefuse,
    ...(env === undefined ? {} : { env: env(dataFolder(place.folder)) }),
    ...(shim === undefined ? {} : { shim }),
  })
  let done = 0
  let problems: readonly string[] = []
  try {
    while (done < count && problems.length === 0) {
      const round = await rounds.round()
      done++
      deaths[round.when]++
      problems = round.problems
    }
    if (problems.length === 0) problems = await rounds.finish()
  } finally {
    await rounds.close()
  }
  const { acknowledged, deliveries } = rounds.post
  if (problems.length === 0) return { done, acknowledged, doubles: deliveries.doubles, failure: undefined }
  const failure: Failure = { seed, round: first + done, folder: place.kept, problems }
  say(describeFailure(failure))
  return { done, acknowledged, doubles: deliveries.doubles, failure }
}

const maxShown = 20

export function describeFailure({ seed, round, folder, problems }: Failure): string {
  const shown = problems.slice(0, maxShown)
  const more = problems.length > maxShown ? [`… and ${problems.length - maxShown} more`] : []
  return [`FAIL  seed ${seed}, found in round ${round}, kept in ${folder}`, ...shown, ...more].join(
    '\n      ',
  )
}
