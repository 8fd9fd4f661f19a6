// Chance that a seed repeats.

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to 1, 1 excluded (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `from` to `to`, both included. */
  within(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.within(0, values.length - 1)] as T
  }

  /** Up to `most` of them, at least one, each once. */
  some<T>(values: readonly T[], most: number): T[] {
    const left = [...values]
    const taken: T[] = []
    for (let count = this.within(1, Math.min(most, left.length)); count > 0; count--)
      taken.push(...left.splice(this.within(0, left.length - 1), 1))
    return taken
  }

  /** Another source that does not move with this one. */
  fork(): Chance {
    return new Chance(Math.floor(this.next() * 2 ** 32))
  }
}
