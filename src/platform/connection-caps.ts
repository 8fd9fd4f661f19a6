import { budgetKey, type Network, networkContains } from '../mail/ip.ts'

export interface CapSettings {
  readonly total: number
  /** Per IPv4 address or IPv6 /64, over all listeners that share these caps. */
  readonly perClient: number
  /** Not counted per client: proxies, the web mail, the own machine. */
  readonly exempt: readonly Network[]
}

const EXEMPT = ''

/** How many connections stand, altogether and per client. One object is shared by all listeners. */
export class ConnectionCaps {
  readonly #perClient = new Map<string, number>()
  #settings: CapSettings
  #total = 0

  constructor(settings: CapSettings) {
    this.#settings = settings
  }

  /** New settings count for connections to come. */
  change(settings: CapSettings): void {
    this.#settings = settings
  }

  get total(): number {
    return this.#total
  }

  /** @returns false where the server is full; else `leave` must follow. */
  enter(): boolean {
    if (this.#total >= this.#settings.total) return false
    this.#total++
    return true
  }

  leave(): void {
    this.#total--
  }

  /**
   * The second count, once the client's address is known for sure (behind a PROXY header that is later).
   * @returns what `leaveClient` must be given; undefined where this client has too many already.
   */
  enterClient(address: string): string | undefined {
    if (this.#isExempt(address)) return EXEMPT
    const key = budgetKey(address)
    const count = this.#perClient.get(key) ?? 0
    if (count >= this.#settings.perClient) return undefined
    this.#perClient.set(key, count + 1)
    return key
  }

  leaveClient(key: string): void {
    if (key === EXEMPT) return
    const left = (this.#perClient.get(key) ?? 1) - 1
    if (left === 0) this.#perClient.delete(key)
    else this.#perClient.set(key, left)
  }

  /** All that come over a unix socket look like one client, and are the machine's own programs. */
  #isExempt(address: string): boolean {
    return address === 'unix' || this.#settings.exempt.some((network) => networkContains(network, address))
  }
}
