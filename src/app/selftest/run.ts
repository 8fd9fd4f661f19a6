import { type Address, addressKey, makeAddress, parseAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import type { Evidence } from '../../mail/authentication.ts'
import type { TraceId } from '../../mail/ids.ts'
import { isIpv6 } from '../../mail/ip.ts'
import type { TraceEvent, TraceFact } from '../../mail/trace.ts'
import type { Answer } from '../../ports/resolver.ts'

/** What this server decided about one message of a run. */
export interface Decided {
  readonly id: TraceId
  readonly decision: Extract<TraceFact, { kind: 'decision' }>
  /** undefined: it was decided before anything was looked up. */
  readonly evidence?: Evidence | undefined
}

/** The clients that a PROXY header may name: a network for documentation, from which nobody's mail comes. */
const PROXIED_CLIENTS = '192.0.2.0/24'

/**
 * One self-test: a zone of its own, and recipients that exist until a message for them was decided on. All its names
 * hold a secret of the run; what a stranger could do with them is have a message judged and thrown away.
 */
export class SelfTestRun {
  /** Below it are all names of the run. */
  readonly base: string
  readonly #texts = new Map<string, string>()
  /** Recipients by their key. */
  readonly #expected = new Map<string, Decided | undefined>()
  readonly #clients = new Set<string>()

  constructor(base: string) {
    this.base = base
  }

  /** A domain of the run. */
  domain(label: string): string {
    return `${label}.${this.base}`
  }

  /** Publishes a TXT record. */
  publish(name: string, text: string): void {
    this.#texts.set(name, text)
  }

  /** The address that the messages come from: `permitsUs` says of it that it may send. */
  comesFrom(client: string): void {
    this.#clients.add(client)
  }

  /** A domain whose SPF record permits the test itself. */
  permitsUs(domain: string): void {
    this.#texts.set(domain, PERMITS_US)
  }

  expects(local: string): Address {
    const address = makeAddress(local, this.base)
    assert(address !== undefined, 'a name of the run is an address')
    this.#expected.set(addressKey(address), undefined)
    return address
  }

  /** Whether a message for it is waited for. */
  isExpected(address: Address): boolean {
    const key = addressKey(address)
    return this.#expected.has(key) && this.#expected.get(key) === undefined
  }

  /** Looks whether a trace decides a message that is waited for. */
  note(id: TraceId, events: readonly TraceEvent[]): void {
    const decision = events.find((event) => event.kind === 'decision')
    if (decision === undefined) return
    const evidence = events.find((event) => event.kind === 'authentication')?.evidence
    for (const event of events) {
      const address = event.kind === 'recipient' ? parseAddress(event.address) : undefined
      if (address !== undefined && this.isExpected(address))
        this.#expected.set(addressKey(address), { id, decision, evidence })
    }
  }

  decided(address: Address): Decided | undefined {
    return this.#expected.get(addressKey(address))
  }

  /** The zone: texts alone. A name above one that exists exists too (rfc8020 §2). */
  texts(name: string): Answer<string> {
    const text = this.#texts.get(name)
    if (text !== undefined)
      return {
        kind: 'found',
        records: [text === PERMITS_US ? this.#permission() : text],
        ttlSeconds: 1,
        authenticated: false,
      }
    const isAbove = [...this.#texts.keys()].some((other) => other.endsWith(`.${name}`))
    return { kind: isAbove ? 'no-data' : 'no-name' }
  }

  #permission(): string {
    const own = [...this.#clients].map((client) => `${isIpv6(client) ? 'ip6' : 'ip4'}:${client}`)
    return ['v=spf1', `ip4:${PROXIED_CLIENTS}`, ...own, '-all'].join(' ')
  }
}

/** Stands for the record until the address is known. */
const PERMITS_US = 'permits us'
