// Chance that a seed repeats.

import { numbersOf } from '../../tools/numbers.ts'

export class Chance {
  /** 0 to 1, 1 excluded. */
  readonly next: () => number

  constructor(seed: number) {
    this.next = numbersOf(seed)
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
