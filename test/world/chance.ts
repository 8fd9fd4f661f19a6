/** Numbers that follow from a seed alone. Each part of a world draws from a stream of its own, so that one that draws more does not change the others. */
export class Chance {
  #a: number
  #b: number
  #c: number
  #d = 1

  /** @param label keeps the streams of one seed apart. */
  constructor(seed: number, label: string) {
    let hash = 2_166_136_261 ^ seed
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 16_777_619)
    this.#a = hash
    this.#b = Math.imul(hash, 0x9e37_79b9) ^ seed
    this.#c = seed
    for (let i = 0; i < 12; i++) this.#next()
  }

  /** sfc32: passes the usual tests and costs a few additions. */
  #next(): number {
    const t = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + t) | 0
    return t >>> 0
  }

  /** 0 up to but not 1. */
  fraction(): number {
    return this.#next() / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least)
  }

  happens(share: number): boolean {
    return this.fraction() < share
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  /** One key, as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][]
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key
    }
    return (entries.at(-1) as [K, number])[0]
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) bytes[i] = this.#next() & 0xff
    return bytes
  }
}
