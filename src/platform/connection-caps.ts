import { budgetKey, type Network, networkContains } from '../mail/ip.ts'

export interface CapSettings {
  readonly total: number
  /** Per IPv4 address or IPv6 /64, over all listeners that share these caps. */
  readonly perClient: number
  /** Not counted per client: proxies, the web mail, the own machine. */
  readonly exempt: readonly Network[]
}

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

  /** @returns the function that gives the place back; undefined where the server is full. */
  enter(): (() => void) | undefined {
    if (this.#total >= this.#settings.total) return undefined
    this.#total++
    return once(() => this.#total--)
  }

  /** The second count, once the client's address is known for sure (behind a PROXY header that is later). */
  enterClient(address: string): (() => void) | undefined {
    if (this.#settings.exempt.some((network) => networkContains(network, address))) return () => undefined
    const key = budgetKey(address)
    const count = this.#perClient.get(key) ?? 0
    if (count >= this.#settings.perClient) return undefined
    this.#perClient.set(key, count + 1)
    return once(() => {
      const left = (this.#perClient.get(key) ?? 1) - 1
      if (left === 0) this.#perClient.delete(key)
      else this.#perClient.set(key, left)
    })
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}
