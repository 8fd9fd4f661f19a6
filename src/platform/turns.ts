import { TURN_MS } from './limits.ts'

/** How long answers take turns; a test or a simulated world may have its own. */
export interface TurnTaking {
  isOver(): boolean
  next(): Promise<void>
}

/**
 * Shares the main thread among those who make long answers. An answer that waits for nothing (all of it is in memory,
 * and the peer reads as fast as we write) would go on and on without the event loop ever coming round.
 */
export class Turns implements TurnTaking {
  #startMs: number | undefined
  #isScheduled = false
  readonly #waiting: (() => void)[] = []

  /** Whether this turn of the event loop has lasted long enough. */
  isOver(): boolean {
    const nowMs = performance.now()
    if (this.#startMs === undefined) {
      this.#startMs = nowMs
      this.#schedule()
    }
    return nowMs - this.#startMs >= TURN_MS
  }

  /** Resolves in a later turn, for one at a time in the order of asking: others' input is read in between. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#startMs = undefined
      this.#waiting.shift()?.()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}
