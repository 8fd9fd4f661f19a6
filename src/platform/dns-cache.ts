/**
 * Answers by question, each until its time is over, bounded in number and in octets; the ones not used for
 * longest go first. Time is an argument.
 */
export class DnsCache<T> {
  readonly #entries = new Map<
    string,
    { readonly value: T; readonly untilMs: number; readonly bytes: number }
  >()
  readonly #limits: { readonly entries: number; readonly bytes: number }
  #bytes = 0

  constructor(limits: { readonly entries: number; readonly bytes: number }) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  get sizeBytes(): number {
    return this.#bytes
  }

  get(key: string, nowMs: number): { readonly value: T; readonly leftMs: number } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.untilMs <= nowMs) {
      this.#bytes -= entry.bytes
      return undefined
    }
    // Back at the end: a Map keeps the order of insertion.
    this.#entries.set(key, entry)
    return { value: entry.value, leftMs: entry.untilMs - nowMs }
  }

  set(key: string, value: T, entry: { readonly untilMs: number; readonly bytes: number }): void {
    this.#drop(key)
    this.#entries.set(key, { value, ...entry })
    this.#bytes += entry.bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break
      this.#drop(oldest)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}
