import { CLOCK_DOUBT_MS, CLOCK_GAP_MS, CLOCK_JUMP_MS } from '../limits.ts'

/**
 * The time that things are deleted by. A clock that jumps ahead (a wrong time server, a flat battery) would let every
 * trace be too old at once, and they would be gone when it is set right. So a jump is not believed at first: time
 * goes on from what it was, at the pace of the monotonic clock, until the clock comes back or has said the same for
 * a day. A clock that jumps back deletes less: it is believed at once.
 */
export class BelievedTime {
  readonly #now: () => number
  readonly #monotonic: () => number
  /** What time it was, and what the monotonic clock said then. */
  #base: { readonly wallMs: number; readonly monotonicMs: number }
  #doubtSinceMs: number | undefined

  /** @param lastMs when this machine last did something, as far as is known. */
  constructor(parts: { now(): number; monotonic(): number; readonly lastMs: number | undefined }) {
    this.#now = () => parts.now()
    this.#monotonic = () => parts.monotonic()
    const nowMs = this.#now()
    const lastMs = parts.lastMs ?? nowMs
    const isFar = nowMs - lastMs > CLOCK_GAP_MS
    this.#base = { wallMs: isFar ? lastMs : nowMs, monotonicMs: this.#monotonic() }
    if (isFar) this.#doubtSinceMs = this.#base.monotonicMs
  }

  /** ms since 1970. */
  now(): number {
    const nowMs = this.#now()
    const monotonicMs = this.#monotonic()
    const expectedMs = this.#base.wallMs + monotonicMs - this.#base.monotonicMs
    if (nowMs - expectedMs <= CLOCK_JUMP_MS) this.#doubtSinceMs = undefined
    else {
      this.#doubtSinceMs ??= monotonicMs
      if (monotonicMs - this.#doubtSinceMs < CLOCK_DOUBT_MS) return expectedMs
      this.#doubtSinceMs = undefined
    }
    this.#base = { wallMs: nowMs, monotonicMs }
    return nowMs
  }
}
