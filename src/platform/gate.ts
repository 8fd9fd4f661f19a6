/** Lets so many through at once and makes so many wait, in order; more are turned away. */
export class Gate {
  readonly #limits: { readonly inside: number; readonly waiting: number }
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(limits: { readonly inside: number; readonly waiting: number }) {
    this.#limits = limits
  }

  /** @returns undefined at once where too many wait already; otherwise what `work` gives. */
  async pass<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#inside >= this.#limits.inside) {
      if (this.#waiting.length >= this.#limits.waiting) return undefined
      // Who leaves hands the place on: `#inside` stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#inside++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#inside--
      else next()
    }
  }
}
