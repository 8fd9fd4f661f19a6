import { DAMAGE_NEWS_PER_MINUTE, TOLD_DAMAGE } from '../limits.ts'

/** A message that can't be given out. */
export interface Damage {
  readonly owner: number
  readonly mailbox: string
  readonly uid: number
  readonly cause: string
}

/**
 * Tells of each damaged message once, and of no more than a few a minute: a broken page of a tree makes a hundred
 * thousand messages unreadable at once, and who looks at the first finds the others by `hikyaku check`.
 */
export class DamageNews {
  readonly #tell: (damage: Damage) => void
  readonly #now: () => number
  readonly #told = new Set<string>()
  #minuteAt = 0
  #inMinute = 0

  constructor(tell: (damage: Damage) => void, now: () => number) {
    this.#tell = tell
    this.#now = now
  }

  report(damage: Damage): void {
    const key = `${damage.owner} ${damage.uid} ${damage.mailbox}`
    if (this.#told.has(key) || !this.#mayTell()) return
    if (this.#told.size >= TOLD_DAMAGE) this.#told.clear()
    this.#told.add(key)
    this.#tell(damage)
  }

  #mayTell(): boolean {
    const minute = Math.floor(this.#now() / 60_000)
    if (minute !== this.#minuteAt) [this.#minuteAt, this.#inMinute] = [minute, 0]
    return ++this.#inMinute <= DAMAGE_NEWS_PER_MINUTE
  }
}
