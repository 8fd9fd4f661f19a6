/**
 * One time limit of a machine that knows no clock. A wait that begins has no start yet: `deadline()` then is
 * due at once, so that the driver's next `tick` sets it. That costs a call and is right for every driver,
 * whether it ticks before each push or only when a deadline is due.
 */
export class Timer {
  #lastMs = 0
  #limitMs: number | undefined
  #startMs: number | undefined
  #expired = false
  #progress = false

  /** Begins a wait of `limitMs`. */
  start(limitMs: number): void {
    this.stop()
    this.#limitMs = limitMs
  }

  /**
   * Something came, so an idle wait begins again: from the tick that would have ended it, which makes the
   * wait up to twice as long but costs nothing for each chunk.
   */
  touch(): void {
    this.#progress = true
  }

  stop(): void {
    this.#limitMs = undefined
    this.#startMs = undefined
    this.#expired = false
    this.#progress = false
  }

  get expired(): boolean {
    return this.#expired
  }

  deadline(): number | undefined {
    if (this.#limitMs === undefined || this.#expired) return undefined
    return this.#startMs === undefined ? this.#lastMs : this.#startMs + this.#limitMs
  }

  /** True where the wait has just run out. */
  tick(nowMs: number): boolean {
    this.#lastMs = nowMs
    if (this.#limitMs === undefined || this.#expired) return false
    if (this.#startMs === undefined) {
      this.#startMs = nowMs
      return false
    }
    if (nowMs < this.#startMs + this.#limitMs) return false
    if (this.#progress) {
      this.#progress = false
      this.#startMs = nowMs
      return false
    }
    this.#expired = true
    return true
  }
}
