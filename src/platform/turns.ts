import { TURN_MS } from './limits.ts'

/** How long answers take turns; a test or a simulated world may have its own. */
export interface TurnTaking {
  isOver(): boolean
  next(by: TurnBy): Promise<void>
}

/** Who waits: strangers, however many they are, take no more than every second turn from those who have logged in. */
export type TurnBy = 'strangers' | 'members'

/**
 * Shares the main thread among those who make long answers. An answer that waits for nothing (all of it is in memory,
 * and the peer reads as fast as we write) would go on and on without the event loop ever coming round.
 */
export class Turns implements TurnTaking {
  #startMs: number | undefined
  #isScheduled = false
  readonly #waiting: Readonly<Record<TurnBy, (() => void)[]>> = { strangers: [], members: [] }
  #last: TurnBy = 'strangers'

  /** Whether this turn of the event loop has lasted long enough. */
  isOver(): boolean {
    const nowMs = performance.now()
    if (this.#startMs === undefined) {
      this.#startMs = nowMs
      this.#schedule()
    }
    return nowMs - this.#startMs >= TURN_MS
  }

  /**
   * Resolves in a later turn, for one at a time, in the order of asking among their like: others' input is read in
   * between.
   */
  next(by: TurnBy): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting[by].push(resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#startMs = undefined
      this.#take()?.()
      const { strangers, members } = this.#waiting
      if (strangers.length + members.length > 0) this.#schedule()
    })
  }

  #take(): (() => void) | undefined {
    const other = this.#last === 'members' ? 'strangers' : 'members'
    this.#last = this.#waiting[other].length > 0 ? other : this.#last
    return this.#waiting[this.#last].shift()
  }
}
