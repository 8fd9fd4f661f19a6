// Rounds of load and sudden death on one folder: what was acknowledged must be there afterwards, once and whole.

import { mkdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkNow } from '../../src/store/sqlite/check/check.ts'
import { adminHand, setUp } from './admin-hand.ts'
import type { Chance } from './chance.ts'
import { heldHand } from './held-hand.ts'
import { imapHand } from './imap-hand.ts'
import { accountNames, Post } from './post.ts'
import { dataFolder, Serving } from './serving.ts'
import { type Shim, shimEnv } from './shim.ts'
import { Sink } from './sink.ts'
import { type HandParts, lmtpHand, smtpHand, untilGone } from './smtp-hands.ts'
import { type ReadBefore, verify } from './verify.ts'

/** How the server loses its footing, and what the folder is like afterwards. */
export interface Death {
  /** Takes the server down; resolves when its process is gone and the folder may be used again. */
  strike(serving: Serving, post: Post): Promise<void>
}

export interface FolderOptions {
  readonly folder: string
  readonly chance: Chance
  /** Unique among all folders of a run: part of each letter's name. */
  readonly tag: string
  readonly death: Death
  readonly env?: Readonly<Record<string, string>>
  /** With it some deaths come at one chosen call to the disk, a write torn in half among them. */
  readonly shim?: Pick<Shim, 'library'>
  /** Whether the server may refuse things: a disk that fails makes it. */
  readonly mayRefuse: boolean
}

/** What a round came to. */
export interface Round {
  readonly problems: readonly string[]
  readonly acknowledged: number
  /** When it went: before it could be asked for what the rounds before left, under load, or at a chosen call. */
  readonly when: 'start' | 'load' | 'call'
}

/** One data folder through any number of deaths. */
export class FolderRounds {
  readonly post: Post
  readonly #options: FolderOptions
  readonly #sink: Sink
  readonly #readBefore: ReadBefore = new Map()
  #runs = 0

  private constructor(options: FolderOptions, sink: Sink) {
    this.#options = options
    this.#sink = sink
    this.post = new Post(sink.deliveries, options.tag)
  }

  static async open(options: FolderOptions): Promise<FolderRounds> {
    mkdirSync(options.folder, { recursive: true })
    return new FolderRounds(options, await Sink.listen(options.chance.fork()))
  }

  async close(): Promise<void> {
    await this.#sink.close()
  }

  remove(): void {
    rmSync(this.#options.folder, { recursive: true, force: true })
  }

  /** Starts, compares with what the round before left, and dies under load; or dies while it starts. */
  async round(): Promise<Round> {
    const { chance } = this.#options
    const before = this.post.acknowledged
    if (this.#options.shim !== undefined && chance.is(0.3)) return this.#roundByCall(this.#options.shim)
    const serving = this.#serve()
    if (chance.is(0.2)) {
      await sleep(chance.within(50, 900))
      await this.#options.death.strike(serving, this.post)
      return { problems: this.#told([]), acknowledged: 0, when: 'start' }
    }
    const problems = await this.#verified(serving, this.#runs % 10 === 0)
    if (problems.length === 0) await this.#loadUntilStruck(serving)
    else await serving.kill()
    return { problems: this.#told(problems), acknowledged: this.post.acknowledged - before, when: 'load' }
  }

  /** The server ends itself at one of its first few thousand calls that change a file, or right after it. */
  async #roundByCall(shim: Pick<Shim, 'library'>): Promise<Round> {
    const { chance, folder } = this.#options
    const before = this.post.acknowledged
    const at = Math.floor(10 ** (chance.next() * 3.5))
    const fault = { does: chance.pick(['kill', 'half'] as const), at }
    const serving = this.#serve(shimEnv(shim, dataFolder(folder), { fault }))
    const problems = await this.#verified(serving, false)
    // A cut connection is seen sooner than the end of the process that held it.
    if (problems.length > 0) await Promise.race([serving.ended, sleep(endSeenMs)])
    const isEarly = serving.isGone
    let diedOfCall = isEarly
    if (!isEarly && problems.length === 0) {
      const { hands, stop } = this.#work(serving, 'usual')
      await Promise.race([serving.ended, sleep(patienceByCallMs)])
      diedOfCall = serving.isGone
      await serving.kill()
      stop()
      await hands
    } else await serving.kill()
    return {
      problems: this.#told(isEarly ? [] : problems),
      acknowledged: this.post.acknowledged - before,
      when: diedOfCall ? 'call' : 'load',
    }
  }

  /** The last word: everything is read again. */
  async finish(): Promise<readonly string[]> {
    const serving = this.#serve()
    const problems = await this.#verified(serving, true)
    await serving.stop()
    return this.#told(problems)
  }

  #serve(more: Readonly<Record<string, string>> = {}): Serving {
    const { folder } = this.#options
    const env = { ...this.#options.env, ...more }
    this.#sink.run = ++this.#runs
    this.post.disk = 'there'
    return new Serving({ folder, sinkPort: this.#sink.port, dnsPort: this.#sink.dnsPort, env })
  }

  async #verified(serving: Serving, isFull: boolean): Promise<readonly string[]> {
    const problems: string[] = []
    try {
      await serving.started()
      if (isFull) this.#readBefore.clear()
      problems.push(...(await verify(serving, this.post, this.#readBefore)))
    } catch (error) {
      problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error), serving.log)
    }
    return serving.isGone ? problems : [...problems, ...checkFolder(dataFolder(this.#options.folder), isFull)]
  }

  async #loadUntilStruck(serving: Serving): Promise<void> {
    const { chance, death } = this.#options
    const { post } = this
    const profile = chance.is(0.1) ? 'fat' : 'usual'
    const { hands, stop } = this.#work(serving, profile)
    // By what was done or by the clock: on a slow machine little is done in a second.
    if (chance.is(0.3)) await sleep(chance.within(30, 1200))
    else await enough(post, chance.within(1, profile === 'fat' ? 300 : 150))
    await sleep(chance.within(0, 60))
    await death.strike(serving, post)
    stop()
    await hands
  }

  #work(serving: Serving, profile: HandParts['profile']) {
    const { chance } = this.#options
    const { post } = this
    let isOver = false
    const parts = (): HandParts => ({
      ...{ serving, post, profile },
      chance: chance.fork(),
      isOver: () => isOver,
    })
    const stop = (): void => {
      isOver = true
    }
    return { hands: allHands(serving, post, parts), stop }
  }

  #told(problems: readonly string[]): readonly string[] {
    const { refusals } = this.post
    const refused = refusals.splice(0)
    if (this.#options.mayRefuse) return problems
    return [...problems, ...refused.map((one) => `refused: ${one}`)]
  }
}

const patienceMs = 20_000
/** Within which the end of a process is told by the system. */
const endSeenMs = 2_000
/** The call may lie beyond all that is done. */
const patienceByCallMs = 3_000

/** Resolves after so many more acknowledgements, or when that takes too long. */
export async function enough(post: Post, count: number): Promise<void> {
  const goal = post.acknowledged + count
  const giveUp = performance.now() + patienceMs
  while (post.acknowledged < goal && performance.now() < giveUp) await sleep(2)
}

/** Everybody at work until the server is gone. @param parts new ones for each hand. */
export function allHands(serving: Serving, post: Post, parts: () => HandParts): Promise<void> {
  return untilGone(post, work(serving, post, parts))
}

async function work(serving: Serving, post: Post, parts: () => HandParts): Promise<void> {
  await setUp(serving, post)
  const authors = [undefined, undefined, undefined, ...accountNames.slice(0, 2)]
  await Promise.all([
    ...authors.map((author) => untilGone(post, smtpHand(parts(), author))),
    untilGone(post, lmtpHand(parts())),
    ...accountNames.map((name) => untilGone(post, imapHand(parts(), name))),
    untilGone(post, adminHand(parts())),
    untilGone(post, heldHand(parts())),
  ])
}

/** What `hikyaku check` finds, while the server serves. @param deep reads every octet. */
export function checkFolder(folder: string, deep: boolean): readonly string[] {
  const result = checkNow(folder, { deep, serving: true })
  if (!result.ok) return [`check: ${result.problem}`]
  return result.findings.map(({ kind, sentence }) => `check: ${kind}: ${sentence}`)
}
