// Letters that are held: each stays in the quarantine until it is released, into one mailbox and once, or deleted.

/** `asked`: sent and not answered; `releasing`, `deleting`: the operator asked for it and was not answered. */
type HeldState = 'asked' | 'held' | 'releasing' | 'deleting' | 'gone'

/** What the operator does with a held letter. */
export type HeldDeed = 'release' | 'delete'

interface HeldLetter {
  readonly account: string
  readonly state: HeldState
}

/** The letters that the store was found to hold, each as often as it is there. */
export type HeldFound = readonly string[]

export class HeldLedger {
  readonly #letters = new Map<string, HeldLetter>()

  /** The last octet of a letter goes out that will be held. */
  sent(id: string, account: string): void {
    this.#letters.set(id, { account, state: 'asked' })
  }

  put(id: string, state: HeldState): void {
    this.#letters.set(id, { account: this.accountOf(id), state })
  }

  forget(id: string): void {
    this.#letters.delete(id)
  }

  accountOf(id: string): string {
    const letter = this.#letters.get(id)
    if (letter === undefined) throw new Error(`${id} was never to be held`)
    return letter.account
  }

  isHeld(id: string): boolean {
    return this.#letters.get(id)?.state === 'held'
  }

  /**
   * Compares with what is there after a crash, and takes it for granted from now on. Gives what is wrong.
   * @param arrived how often the letter is in its mailbox without its owner having seen it before; undefined: he has.
   */
  settle(found: HeldFound, arrived: (account: string, id: string) => number | undefined): readonly string[] {
    const problems = found
      .filter((id, index) => !this.#letters.has(id) || found.indexOf(id) !== index)
      .map((id) => `quarantine: ${id} was never sent there or is there twice`)
    const there = new Set(found)
    for (const [id, { account, state }] of this.#letters) {
      const isThere = there.has(id)
      const copies = state === 'releasing' ? arrived(account, id) : 0
      const isOut = copies === undefined || copies > 0
      if (state === 'held' && !isThere) problems.push(`quarantine: ${id} is missing`)
      if (state === 'gone' && isThere) problems.push(`quarantine: ${id} is there again`)
      if (state === 'releasing' && isThere === isOut)
        problems.push(
          `quarantine: ${id} is ${isThere ? 'released and still held' : 'neither held nor released'}`,
        )
      if (isThere) this.put(id, 'held')
      else if (state === 'asked') this.forget(id)
      else this.put(id, 'gone')
    }
    return problems
  }
}
