import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { type DnsAnswer, type RecordOf, readAnswer } from '../protocol/dns/answer.ts'
import { encodeQuery, type QueryType, randomCase } from '../protocol/dns/query.ts'
import { type Exchange, exchangeTcp, exchangeUdp } from './dns-transport.ts'
import { RESOLVER_LIMITS as LIMITS } from './limits.ts'
import type { DnsServer } from './resolv-conf.ts'

/** What is known of one name; an alias still leads on. */
type Known<T extends QueryType> = Extract<
  DnsAnswer<RecordOf[T]>,
  { kind: 'records' | 'no-name' | 'no-data' | 'alias' }
>

/** What all servers together say. */
export type Asked<T extends QueryType> = Known<T> | { readonly kind: 'temporary'; readonly cause: string }

/** What one server says: something, that it can't, or nothing at all. */
type Said<T extends QueryType> =
  | { readonly kind: 'known'; readonly known: Known<T> }
  | { readonly kind: 'failed' | 'silent'; readonly cause: string }

interface Try<T extends QueryType> {
  readonly server: DnsServer
  readonly name: string
  readonly type: T
  readonly timeoutMs: number
  /** Of the whole lookup: no retry goes beyond it. */
  readonly deadlineMs: number
}

/** Asks one question of the servers in turn, until one of them knows. Nothing is remembered but which one answers. */
export class DnsClient {
  servers: readonly [DnsServer, ...DnsServer[]]
  readonly #clock: Clock
  readonly #random: Random
  readonly #randomCase: boolean
  /** How long the first try of one server may take. */
  tryMs: number
  /** The server that answered last is asked first: one that is down costs its time-out only once. */
  #preferred = 0

  constructor(options: {
    readonly servers: readonly [DnsServer, ...DnsServer[]]
    readonly clock: Clock
    readonly random: Random
    readonly randomCase?: boolean | undefined
    readonly tryMs?: number | undefined
  }) {
    this.servers = options.servers
    this.#clock = options.clock
    this.#random = options.random
    this.#randomCase = options.randomCase ?? false
    this.tryMs = options.tryMs ?? LIMITS.tryMs
  }

  async ask<T extends QueryType>(name: string, type: T, deadlineMs: number): Promise<Asked<T>> {
    const causes = new Set<string>()
    for (let round = 0; round < LIMITS.rounds; round++) {
      let silent = false
      const { servers } = this
      const first = this.#preferred
      for (let i = 0; i < servers.length; i++) {
        const at = (first + i) % servers.length
        const server = servers[at] as DnsServer
        const leftMs = deadlineMs - this.#clock.monotonic()
        if (leftMs <= 0) return temporary(name, type, causes)
        const timeoutMs = this.tryMs * (round + 1)
        const said = await this.#askServer({ server, name, type, timeoutMs, deadlineMs })
        if (said.kind === 'known') {
          this.#preferred = at
          return said.known
        }
        silent ||= said.kind === 'silent'
        causes.add(said.cause)
      }
      // Every server has said that it can't: asking again at once changes nothing.
      if (!silent) break
    }
    return temporary(name, type, causes)
  }

  async #askServer<T extends QueryType>(one: Try<T>): Promise<Said<T>> {
    const edns = LIMITS.udpPayloadBytes
    let exchange = await this.#exchange(exchangeUdp, one, edns)
    if (exchange.kind === 'answer' && exchange.answer.kind === 'format-error')
      exchange = await this.#exchange(exchangeUdp, one, undefined)
    if (exchange.kind === 'answer' && exchange.answer.kind === 'truncated')
      exchange = await this.#exchange(exchangeTcp, { ...one, timeoutMs: LIMITS.tcpMs }, edns)
    return exchange.kind === 'none' ? { kind: 'silent', cause: exchange.cause } : judge(one, exchange.answer)
  }

  #exchange<T extends QueryType>(
    exchange: typeof exchangeUdp,
    one: Try<T>,
    udpPayloadBytes: number | undefined,
  ): Promise<Exchange<DnsAnswer<RecordOf[T]>>> {
    const { server, name, type } = one
    const timeoutMs = Math.min(one.timeoutMs, one.deadlineMs - this.#clock.monotonic())
    if (timeoutMs <= 0)
      return Promise.resolve({ kind: 'none', cause: `${server.address}: no time left for its whole answer` })
    const chance = this.#random.bytes(2 + Math.ceil(name.length / 8))
    const question = {
      id: ((chance[0] as number) << 8) | (chance[1] as number),
      name: this.#randomCase ? randomCase(name, chance.subarray(2)) : name,
      type,
    }
    return exchange({
      server,
      query: encodeQuery(question, udpPayloadBytes),
      timeoutMs,
      read: (message) => {
        const answer = readAnswer(message, question)
        return answer.kind === 'stray' ? undefined : answer
      },
    })
  }
}

function judge<T extends QueryType>({ server }: Try<T>, answer: DnsAnswer<RecordOf[T]>): Said<T> {
  switch (answer.kind) {
    case 'records':
    case 'alias': {
      // Between us and another server anybody could set the bit.
      const authenticated = answer.authenticated && server.validates
      return { kind: 'known', known: { ...answer, authenticated } }
    }
    case 'no-name':
    case 'no-data':
      return { kind: 'known', known: answer }
    case 'failure':
    case 'malformed':
      return { kind: 'failed', cause: `${server.address}: ${answer.cause}` }
    case 'truncated':
    case 'format-error':
    case 'stray':
      return { kind: 'failed', cause: `${server.address}: ${answer.kind}` }
  }
}

function temporary(
  name: string,
  type: string,
  causes: ReadonlySet<string>,
): { kind: 'temporary'; cause: string } {
  const why = causes.size === 0 ? 'no time left' : [...causes].join('; ')
  return { kind: 'temporary', cause: `${type} of ${name}: ${why}` }
}
