/** Tags of logins whose outcome is known, for a while: bounded, the one that was added first goes first. */
export class Remembered {
  readonly #entries = new Map<string, { readonly login: string; readonly untilMs: number }>()
  readonly #maxEntries: number
  readonly #keepMs: number

  constructor(how: { readonly maxEntries: number; readonly keepMs: number }) {
    this.#maxEntries = how.maxEntries
    this.#keepMs = how.keepMs
  }

  has(tag: string, nowMs: number): boolean {
    const entry = this.#entries.get(tag)
    if (entry === undefined || entry.untilMs > nowMs) return entry !== undefined
    this.#entries.delete(tag)
    return false
  }

  add(tag: string, login: string, nowMs: number): void {
    this.#entries.delete(tag)
    this.#entries.set(tag, { login, untilMs: nowMs + this.#keepMs })
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) break
      this.#entries.delete(oldest)
    }
  }

  /** Forgets the login's entries, or all. */
  forget(login: string | undefined): void {
    if (login === undefined) this.#entries.clear()
    for (const [tag, entry] of this.#entries) if (entry.login === login) this.#entries.delete(tag)
  }
}
