/** What keeps mail out: no room on the disk, or a disk whose writes fail. */
export type Trouble = 'room' | 'disk'

/** Told when it begins, and without a cause when it is over. */
export type TellHealth = (trouble: Trouble, cause: string | undefined) => void

/** A disk around its mark must not fill the log: an end is told this long after the last sign of trouble at the earliest. */
const HOLD_MS = 10_000

/** Tells the operator once when mail is kept out, and once when it is taken again. */
export class Health {
  readonly #tell: TellHealth
  readonly #monotonic: () => number
  readonly #seenAtMs = new Map<Trouble, number>()

  constructor(tell: TellHealth, monotonic: () => number = () => performance.now()) {
    this.#tell = tell
    this.#monotonic = monotonic
  }

  failed(trouble: Trouble, cause: string): void {
    const isNew = !this.#seenAtMs.has(trouble)
    this.#seenAtMs.set(trouble, this.#monotonic())
    if (isNew) this.#tell(trouble, cause)
  }

  works(trouble: Trouble): void {
    const seenAtMs = this.#seenAtMs.get(trouble)
    if (seenAtMs === undefined) return
    // A disk that was proved by an fsync is believed at once; room comes and goes.
    if (trouble === 'room' && this.#monotonic() - seenAtMs < HOLD_MS) return
    this.#seenAtMs.delete(trouble)
    this.#tell(trouble, undefined)
  }
}
