import type { Clock } from '../ports/clock.ts'
import { DEADLINE_GRAIN_MS } from './limits.ts'

/** Something with one deadline, on the monotonic clock; `Infinity` for none. */
export interface Timed {
  dueMs: number
  expire(nowMs: number): void
}

/**
 * One timer for all connections of the process. A connection moves its deadline with every command: here that
 * is a number stored, where a timer each would be a list operation and 100 octets. The price: each time the
 * timer fires every entry is looked at (20 µs for 2,000), at most once per grain and only when one is due.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #entries = new Set<Timed>()
  #armedForMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  nowMs(): number {
    return this.#clock.monotonic()
  }

  /** Adds an entry, or tells that its `dueMs` has changed. */
  set(entry: Timed): void {
    this.#entries.add(entry)
    if (entry.dueMs < this.#armedForMs) this.#arm(entry.dueMs)
  }

  remove(entry: Timed): void {
    this.#entries.delete(entry)
  }

  #arm(dueMs: number): void {
    this.#cancel?.()
    const delayMs = Math.max(DEADLINE_GRAIN_MS, dueMs - this.#clock.monotonic())
    this.#armedForMs = dueMs
    // Timers hold at most 2^31 ms; firing early only means looking once more.
    this.#cancel = this.#clock.after(Math.min(delayMs, 0x7fff_ffff), () => this.#fire())
  }

  #fire(): void {
    const nowMs = this.#clock.monotonic()
    this.#cancel = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
    let nextMs = Number.POSITIVE_INFINITY
    for (const entry of this.#entries) {
      if (entry.dueMs <= nowMs) entry.expire(nowMs)
      if (this.#entries.has(entry) && entry.dueMs < nextMs) nextMs = entry.dueMs
    }
    if (nextMs < this.#armedForMs) this.#arm(nextMs)
  }
}
