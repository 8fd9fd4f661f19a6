import type { QueueId } from '../mail/ids.ts'
import { MAX_PARKED, MAX_PER_DOMAIN } from './limits.ts'

/**
 * How many attempts are under way to each destination, and which messages wait for room at one. A slow
 * domain fills its own line and no other.
 */
export class Lines {
  readonly #underWay = new Map<string, number>()
  readonly #lines = new Map<string, Set<QueueId>>()
  readonly #parked = new Map<QueueId, readonly string[]>()

  get parked(): ReadonlyMap<QueueId, unknown> {
    return this.#parked
  }

  get isFull(): boolean {
    return this.#parked.size >= MAX_PARKED
  }

  hasRoom(key: string): boolean {
    return (this.#underWay.get(key) ?? 0) < MAX_PER_DOMAIN
  }

  enter(key: string): void {
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1)
  }

  leave(key: string): void {
    const left = (this.#underWay.get(key) ?? 1) - 1
    if (left > 0) this.#underWay.set(key, left)
    else this.#underWay.delete(key)
  }

  /** The message waits until one of the destinations has room. */
  park(id: QueueId, keys: readonly string[]): void {
    this.unpark(id)
    this.#parked.set(id, keys)
    for (const key of keys) {
      const line = this.#lines.get(key)
      if (line === undefined) this.#lines.set(key, new Set([id]))
      else line.add(id)
    }
  }

  unpark(id: QueueId): void {
    for (const key of this.#parked.get(id) ?? []) {
      const line = this.#lines.get(key)
      line?.delete(id)
      if (line?.size === 0) this.#lines.delete(key)
    }
    this.#parked.delete(id)
  }

  /** The first in line for a destination with room, no longer parked; undefined where nobody can go on. */
  next(): QueueId | undefined {
    for (const [key, line] of this.#lines) {
      const [id] = line
      if (id === undefined || !this.hasRoom(key)) continue
      this.unpark(id)
      return id
    }
    return undefined
  }
}
