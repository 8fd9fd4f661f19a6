import { parseIp } from '../mail/ip.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Answer, MxRecord, Resolver } from '../ports/resolver.ts'
import type { RecordOf } from '../protocol/dns/answer.ts'
import { MAX_ALIASES } from '../protocol/dns/limits.ts'
import { askableName, type QueryType, reverseName } from '../protocol/dns/query.ts'
import { DnsCache } from './dns-cache.ts'
import { type Asked, DnsClient } from './dns-client.ts'
import { FairGate, zoneOf } from './fair-gate.ts'
import { RESOLVER_LIMITS as LIMITS } from './limits.ts'
import type { DnsServer } from './resolv-conf.ts'

export interface ResolverOptions {
  readonly servers: readonly [DnsServer, ...DnsServer[]]
  readonly clock: Clock
  readonly random: Random
  /** Sends names in letters of mixed case, so that a forger must guess more; a few servers fail on it. */
  readonly randomCase?: boolean | undefined
  /** For tests: the waiting time of a first try. */
  readonly tryMs?: number | undefined
}

type Result<T extends QueryType> = Answer<RecordOf[T]>
type AnyResult = Answer<RecordOf[QueryType]>

/** A resolver that asks recursive servers, and remembers what they said for as long as they allowed. */
export class CachingResolver implements Resolver {
  readonly #clock: Clock
  readonly #client: DnsClient
  readonly #gate = new FairGate({
    inside: LIMITS.inFlight,
    waiting: LIMITS.waiting,
    shareInside: LIMITS.zoneInFlight,
    shareWaiting: LIMITS.zoneWaiting,
  })
  readonly #cache = new DnsCache<AnyResult>({ entries: LIMITS.cacheEntries, bytes: LIMITS.cacheBytes })
  readonly #underWay = new Map<string, Promise<AnyResult>>()

  constructor(options: ResolverOptions) {
    this.#clock = options.clock
    this.#client = new DnsClient(options)
  }

  /**
   * Other servers from now on (after a reload). What the old ones said is forgotten, and what they are still being
   * asked is told to who asked but not kept.
   */
  useServers(servers: readonly [DnsServer, ...DnsServer[]], tryMs?: number): void {
    this.#client.servers = servers
    if (tryMs !== undefined) this.#client.tryMs = tryMs
    this.#cache.clear()
    this.#underWay.clear()
  }

  mx(domain: string): Promise<Answer<MxRecord>> {
    return this.#lookup(domain, 'MX')
  }

  a(name: string): Promise<Answer<string>> {
    return this.#lookup(name, 'A')
  }

  aaaa(name: string): Promise<Answer<string>> {
    return this.#lookup(name, 'AAAA')
  }

  txt(name: string): Promise<Answer<string>> {
    return this.#lookup(name, 'TXT')
  }

  /** What is remembered of a name's texts, without asking anybody. */
  knownTxt(name: string): Answer<string> | undefined {
    const kept = this.#cache.get(`TXT ${name}`, this.#clock.monotonic())
    return kept && (aged(kept.value, kept.leftMs) as Answer<string>)
  }

  /** The name's own alias, not followed. */
  cname(name: string): Promise<Answer<string>> {
    return this.#lookup(name, 'CNAME')
  }

  ptr(address: string): Promise<Answer<string>> {
    const octets = parseIp(address)
    return octets === undefined
      ? Promise.resolve({ kind: 'no-name' })
      : this.#lookup(reverseName(octets), 'PTR')
  }

  #lookup<T extends QueryType>(text: string, type: T): Promise<Result<T>> {
    const name = askableName(text)
    // rfc6761 §6.4: `invalid` exists nowhere. What can be no name does not either.
    if (name === undefined || name === 'invalid' || name.endsWith('.invalid'))
      return Promise.resolve({ kind: 'no-name' })
    const key = `${type} ${name}`
    const kept = this.#cache.get(key, this.#clock.monotonic())
    if (kept !== undefined) return Promise.resolve(aged(kept.value, kept.leftMs) as Result<T>)
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay as Promise<Result<T>>
    // Waiting for a turn counts: with all servers dead nobody may stand in line for minutes.
    const deadlineMs = this.#clock.monotonic() + LIMITS.lookupMs
    const isCurrent = (): boolean => this.#underWay.get(key) === asked
    const asked: Promise<Result<T>> = this.#gate
      .pass(zoneOf(name), () => this.#resolve(name, type, deadlineMs))
      .then((timed) => {
        if (timed === undefined) return failure<T>('too many lookups wait already', true).answer
        if (isCurrent()) this.#keep(key, timed)
        return timed.answer
      })
      .finally(() => {
        if (isCurrent()) this.#underWay.delete(key)
      })
    this.#underWay.set(key, asked)
    return asked
  }

  /** Asks, and goes on asking where an answer ends in an alias. */
  async #resolve<T extends QueryType>(name: string, type: T, deadlineMs: number): Promise<Timed<T>> {
    const isCrowded = this.#clock.monotonic() - (deadlineMs - LIMITS.lookupMs) > LIMITS.tryMs
    let at = name
    let ttlSeconds: number = LIMITS.maxTtlSeconds
    let authenticated = true
    for (let hops = 0; hops <= MAX_ALIASES; hops++) {
      const asked = await this.#client.ask(at, type, deadlineMs)
      if (asked.kind === 'temporary') return failure(asked.cause, isCrowded)
      if (asked.kind !== 'alias') return finished(asked, ttlSeconds, authenticated)
      at = asked.target
      ttlSeconds = Math.min(ttlSeconds, asked.ttlSeconds)
      authenticated &&= asked.authenticated
    }
    return failure(`${name}: more than ${MAX_ALIASES} aliases`)
  }

  #keep<T extends QueryType>(key: string, { answer, ttlSeconds }: Timed<T>): void {
    if (ttlSeconds <= 0) return
    const untilMs = this.#clock.monotonic() + ttlSeconds * 1000
    this.#cache.set(key, answer, { untilMs, bytes: sizeOf(key, answer) })
  }
}

interface Timed<T extends QueryType> {
  readonly answer: Result<T>
  readonly ttlSeconds: number
}

function finished<T extends QueryType>(
  asked: Exclude<Asked<T>, { kind: 'alias' | 'temporary' }>,
  chainTtlSeconds: number,
  chainAuthenticated: boolean,
): Timed<T> {
  if (asked.kind !== 'records') {
    const ttlSeconds = Math.min(chainTtlSeconds, asked.ttlSeconds, LIMITS.maxNegativeTtlSeconds)
    return { answer: { kind: asked.kind }, ttlSeconds }
  }
  const ttlSeconds = Math.min(chainTtlSeconds, asked.ttlSeconds)
  const authenticated = chainAuthenticated && asked.authenticated
  return { answer: { kind: 'found', records: asked.records, ttlSeconds, authenticated }, ttlSeconds }
}

/** @param isCrowded it waited for its turn longer than a server has for its answer. */
function failure<T extends QueryType>(cause: string, isCrowded = false): Timed<T> {
  const answer = isCrowded
    ? ({ kind: 'temporary', cause, isCrowded } as const)
    : ({ kind: 'temporary', cause } as const)
  return { answer, ttlSeconds: LIMITS.failureTtlSeconds }
}

/** From the cache: the TTL is what is left of it. */
function aged(answer: AnyResult, leftMs: number): AnyResult {
  return answer.kind === 'found' ? { ...answer, ttlSeconds: Math.ceil(leftMs / 1000) } : answer
}

/** About what an entry holds: two octets a character, and what objects cost. */
function sizeOf(key: string, answer: AnyResult): number {
  const records = answer.kind === 'found' ? answer.records : []
  let chars = key.length
  for (const record of records) chars += typeof record === 'string' ? record.length : record.exchange.length
  return 200 + 2 * chars + 60 * records.length
}
