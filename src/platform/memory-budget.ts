import { assert } from '../mail/assert.ts'
import { MEMORY_LIMITS as LIMITS } from './limits.ts'

/** Those who share one part of the budget: strangers can never use what is kept for those who have logged in. */
export type MemoryClass = 'strangers' | 'members' | 'operators'

/** On whose account octets are held: a client's address or a login; '' for many behind one address, who have no share of their own. */
export interface MemoryOwner {
  readonly class: MemoryClass
  readonly key: string
}

/** What one connection has in memory for its client. */
export interface Holding {
  /** Octets held now. Over the bounds somebody is told to let go before this returns, perhaps this one. */
  set(sizeBytes: number): void
  /** From now on they are somebody else's: after a login. */
  moveTo(owner: MemoryOwner): void
  /** Half of the owner's share, or most of the class's, is in use: work had better be done in small pieces. */
  readonly isTight: boolean
  /** Whether new work may begin. Strangers that hold much and have not moved for a while make room for it first. */
  admits(): boolean
  /** Nothing is held any more. Harmless when repeated. */
  close(): void
}

export type ClassBytes = Readonly<Record<MemoryClass, number>>

interface Consumer {
  readonly owner: MemoryOwner
  bytes: number
  readonly holdings: Set<Held>
}

/**
 * Octets in flight, of all connections together (law 6): input not looked at, commands and literals, message content
 * before its commit, output that nobody has read, rows on their way out. Each class has its bound, and each owner a
 * share of it. Over a bound the biggest owner of the class loses first, and of his connections the one that holds
 * much and has moved least: a client that stopped reading, or that sends an octet a minute.
 */
export class MemoryBudget {
  readonly #limits: ClassBytes
  readonly #used: Record<MemoryClass, number> = { strangers: 0, members: 0, operators: 0 }
  readonly #consumers = new Map<string, Consumer>()
  readonly #nowMs: () => number
  readonly #onShed: (owner: MemoryOwner, sizeBytes: number) => void

  constructor(parts: {
    readonly limits: ClassBytes
    nowMs(): number
    onShed(owner: MemoryOwner, sizeBytes: number): void
  }) {
    this.#limits = parts.limits
    this.#nowMs = () => parts.nowMs()
    this.#onShed = (owner, sizeBytes) => parts.onShed(owner, sizeBytes)
  }

  get limits(): ClassBytes {
    return this.#limits
  }

  get used(): ClassBytes {
    return this.#used
  }

  /** Connections of one owner. */
  holdings({ class: of, key }: MemoryOwner): number {
    return this.#consumers.get(`${of} ${key}`)?.holdings.size ?? 0
  }

  /** @param shed lets go of what is held, and sets the holding to what is left. */
  hold(owner: MemoryOwner, shed: () => void): Holding {
    return new Held(this, this.enter(owner), { shed, nowMs: this.#nowMs })
  }

  /** For holdings alone, as all below. */
  enter(owner: MemoryOwner): Consumer {
    const key = `${owner.class} ${owner.key}`
    let consumer = this.#consumers.get(key)
    if (consumer === undefined) {
      consumer = { owner, bytes: 0, holdings: new Set() }
      this.#consumers.set(key, consumer)
    }
    return consumer
  }

  leave(consumer: Consumer): void {
    const { owner, holdings } = consumer
    if (holdings.size === 0) this.#consumers.delete(`${owner.class} ${owner.key}`)
  }

  isTight(consumer: Consumer): boolean {
    const { class: of } = consumer.owner
    return this.#used[of] > this.#limits[of] * LIMITS.tightShare || this.#isOwnerTight(consumer)
  }

  /** Messages that never end would else keep memory tight, below the bounds, and all other mail out. */
  admits(consumer: Consumer): boolean {
    if (consumer.owner.class !== 'strangers') return !this.isTight(consumer)
    while (this.isTight(consumer))
      if (!this.#shedStill(this.#isOwnerTight(consumer) ? [consumer] : this.#consumers.values())) return false
    return true
  }

  change(consumer: Consumer, bytes: number): void {
    consumer.bytes += bytes
    this.#used[consumer.owner.class] += bytes
    if (bytes > 0) this.#keepBounds(consumer)
  }

  #isOwnerTight({ owner, bytes }: Consumer): boolean {
    return bytes > this.#shareOf(owner) * LIMITS.tightOwner
  }

  #shareOf(owner: MemoryOwner): number {
    const limit = this.#limits[owner.class]
    return owner.key === '' || owner.class === 'operators' ? limit : limit * LIMITS.ownerShare
  }

  #keepBounds(consumer: Consumer): void {
    const { owner } = consumer
    while (consumer.bytes > this.#shareOf(owner)) if (!this.#shed(consumer)) break
    if (this.#used[owner.class] <= this.#limits[owner.class]) return
    const biggestFirst = [...this.#consumers.values()]
      .filter((one) => one.owner.class === owner.class)
      .sort((a, b) => b.bytes - a.bytes)
    for (const one of biggestFirst)
      while (this.#used[owner.class] > this.#limits[owner.class]) if (!this.#shed(one)) break
  }

  /** False where nothing is left that could be let go: the rest is on its way to the disk. */
  #shed(consumer: Consumer): boolean {
    let largest = 0
    for (const one of consumer.holdings) if (!one.isStuck) largest = Math.max(largest, one.bytes)
    let victim: Held | undefined
    for (const one of consumer.holdings)
      if (!one.isStuck && one.bytes >= largest / 2 && one.movedAtMs < (victim?.movedAtMs ?? Infinity))
        victim = one
    if (victim === undefined || largest === 0) return false
    this.#letGo(consumer, victim)
    return true
  }

  /** Any stranger that moves slower than a client may that reads. False where there is none. */
  #shedStill(consumers: Iterable<Consumer>): boolean {
    const sinceMs = this.#nowMs() - LIMITS.stillMs
    for (const consumer of consumers) {
      if (consumer.owner.class !== 'strangers') continue
      for (const one of consumer.holdings) {
        if (one.isStuck || one.bytes < LIMITS.movedBytes || one.movedAtMs > sinceMs) continue
        this.#letGo(consumer, one)
        return true
      }
    }
    return false
  }

  #letGo(consumer: Consumer, victim: Held): void {
    const before = victim.bytes
    victim.shed()
    const freed = before - victim.bytes
    if (freed > 0) this.#onShed(consumer.owner, freed)
    else victim.isStuck = true
  }
}

class Held implements Holding {
  bytes = 0
  /** When it last changed by much: who moves an octet a minute has not moved. */
  movedAtMs: number
  /** It was asked to let go and could not; until it changes. */
  isStuck = false
  readonly shed: () => void
  readonly #budget: MemoryBudget
  readonly #nowMs: () => number
  #consumer: Consumer
  #markBytes = 0
  #isClosed = false

  constructor(
    budget: MemoryBudget,
    consumer: Consumer,
    parts: { readonly shed: () => void; readonly nowMs: () => number },
  ) {
    this.#budget = budget
    this.#consumer = consumer
    this.shed = parts.shed
    this.#nowMs = parts.nowMs
    this.movedAtMs = parts.nowMs()
    consumer.holdings.add(this)
  }

  get isTight(): boolean {
    return this.#budget.isTight(this.#consumer)
  }

  admits(): boolean {
    return this.#budget.admits(this.#consumer)
  }

  set(sizeBytes: number): void {
    const change = sizeBytes - this.bytes
    if (change === 0 || this.#isClosed) return
    this.bytes = sizeBytes
    this.isStuck = false
    if (Math.abs(sizeBytes - this.#markBytes) >= LIMITS.movedBytes) {
      this.#markBytes = sizeBytes
      this.movedAtMs = this.#nowMs()
    }
    this.#budget.change(this.#consumer, change)
  }

  moveTo(owner: MemoryOwner): void {
    assert(!this.#isClosed, 'a closed holding has no owner')
    const { bytes } = this
    this.#leave()
    this.#consumer = this.#budget.enter(owner)
    this.#consumer.holdings.add(this)
    this.bytes = bytes
    this.#budget.change(this.#consumer, bytes)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#leave()
  }

  #leave(): void {
    this.#budget.change(this.#consumer, -this.bytes)
    this.bytes = 0
    this.#consumer.holdings.delete(this)
    this.#budget.leave(this.#consumer)
  }
}
