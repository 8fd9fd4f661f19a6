/**
 * One time limit of a machine that knows no clock: a wait begins at the time of the last tick. So the driver
 * ticks before each run of `next()`, not only when a deadline is due; else waits would begin in the past.
 */
export class Timer {
  #lastMs: number | undefined
  #limitMs: number | undefined
  /** Undefined before the first tick of all: the wait then begins with it. */
  #startMs: number | undefined
  #expired = false

  /** Begins a wait of `limitMs`. */
  start(limitMs: number): void {
    this.#limitMs = limitMs
    this.touch()
  }

  /** Something came: the wait begins again. */
  touch(): void {
    this.#startMs = this.#lastMs
    this.#expired = false
  }

  stop(): void {
    this.#limitMs = undefined
    this.#expired = false
  }

  get expired(): boolean {
    return this.#expired
  }

  deadline(): number | undefined {
    if (this.#limitMs === undefined || this.#expired) return undefined
    return this.#startMs === undefined ? 0 : this.#startMs + this.#limitMs
  }

  tick(nowMs: number): void {
    this.#lastMs = nowMs
    if (this.#limitMs === undefined) return
    this.#startMs ??= nowMs
    if (nowMs >= this.#startMs + this.#limitMs) this.#expired = true
  }
}
