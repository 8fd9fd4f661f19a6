/** Lets one through at a time; the others wait in the order of asking. */
export class Lane {
  #isTaken = false
  readonly #waiting: (() => void)[] = []

  /** @returns resolves when it is the caller's turn; what it resolves with must be called at the end. */
  async enter(): Promise<() => void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isTaken = true
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#isTaken = false
      else next()
    }
  }
}
