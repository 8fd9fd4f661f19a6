import type { Clock } from '../ports/clock.ts'
import type { EvaluationFacts, ReadableContent } from '../ports/mail-auth.ts'
import type { Answer, MxRecord } from '../ports/resolver.ts'
import type { AuthDns } from './dns.ts'

/** A name's records; `down` fails whatever is asked that is not listed. Other names do not exist. */
export interface ZoneName {
  readonly TXT?: readonly string[]
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  readonly MX?: readonly MxRecord[]
  readonly CNAME?: readonly string[]
  readonly down?: boolean
}

export type Zone = Readonly<Record<string, ZoneName>>

/** A DNS out of a table. A name above one that exists exists too (rfc8020 §2). */
export class ZoneDns implements AuthDns {
  readonly asked: string[] = []
  readonly #names = new Map<string, ZoneName>()
  readonly #pointers: Readonly<Record<string, readonly string[]>>

  constructor(zone: Zone, pointers: Readonly<Record<string, readonly string[]>> = {}) {
    for (const [name, records] of Object.entries(zone)) this.#names.set(name.toLowerCase(), records)
    this.#pointers = pointers
  }

  a(name: string): Promise<Answer<string>> {
    return this.#answer(name, 'A', (found) => found.A)
  }

  aaaa(name: string): Promise<Answer<string>> {
    return this.#answer(name, 'AAAA', (found) => found.AAAA)
  }

  txt(name: string): Promise<Answer<string>> {
    return this.#answer(name, 'TXT', (found) => found.TXT)
  }

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#answer(name, 'MX', (found) => found.MX)
  }

  cname(name: string): Promise<Answer<string>> {
    return this.#answer(name, 'CNAME', (found) => found.CNAME)
  }

  async ptr(address: string): Promise<Answer<string>> {
    this.asked.push(`PTR ${address}`)
    const records = this.#pointers[address]
    return records === undefined ? { kind: 'no-name' } : foundOf(records)
  }

  async #answer<T>(
    name: string,
    type: string,
    pick: (found: ZoneName) => readonly T[] | undefined,
  ): Promise<Answer<T>> {
    this.asked.push(`${type} ${name}`)
    const found = this.#names.get(name)
    if (found === undefined) {
      const isAbove = [...this.#names.keys()].some((other) => other.endsWith(`.${name}`))
      return { kind: isAbove ? 'no-data' : 'no-name' }
    }
    const records = pick(found)
    if (records !== undefined && records.length > 0) return foundOf(records)
    if (found.down === true) return { kind: 'temporary', cause: 'SERVFAIL' }
    const [target] = found.CNAME ?? []
    return target === undefined || type === 'CNAME' ? { kind: 'no-data' } : this.#answer(target, type, pick)
  }
}

function foundOf<T>(records: readonly T[]): Answer<T> {
  return { kind: 'found', records, ttlSeconds: 300, authenticated: false }
}

/** Content in pieces of some size. */
export function contentOf(octets: Uint8Array, cuts: readonly number[] = []): ReadableContent {
  return {
    sizeBytes: octets.length,
    async *pieces() {
      let from = 0
      for (const cut of [...cuts, octets.length]) {
        if (cut > from) yield octets.subarray(from, cut)
        from = cut
      }
    },
  }
}

/** Time that stands still until it is told to go on. */
export class StillClock implements Clock {
  nowMs: number
  #atMs = 0
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  constructor(nowMs = Date.UTC(2026, 10, 1)) {
    this.nowMs = nowMs
  }

  now(): number {
    return this.nowMs
  }

  zoneMinutes(): number {
    return 0
  }

  monotonic(): number {
    return this.#atMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#atMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  goOn(byMs: number): void {
    this.#atMs += byMs
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#atMs || !this.#timers.delete(timer)) continue
      timer.callback()
    }
  }

  get timers(): number {
    return this.#timers.size
  }
}

export const FACTS: EvaluationFacts = {
  client: '192.0.2.1',
  helo: 'mx.sender.example',
  reversePath: { local: 'bounce', domain: 'sender.example' },
  authservId: 'mail.home.example',
}
