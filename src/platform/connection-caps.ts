import { budgetKey, type Network, networkContains } from '../mail/ip.ts'
import { LISTEN_LIMITS as LIMITS } from './limits.ts'

export interface CapSettings {
  readonly total: number
  /** Per IPv4 address or IPv6 /64, over all listeners that share these caps. */
  readonly perClient: number
  /** Not counted per client: proxies, the web mail, the own machine. */
  readonly exempt: readonly Network[]
}

const EXEMPT = ''

/** Who is meant to come in: other servers, or people who will log in. */
export type Door = 'mx' | 'own'

/** A client at the door of our own people that has not logged in. */
export interface Guest {
  cut(): void
}

/** How many connections stand, altogether and per client. One object is shared by all listeners. */
export class ConnectionCaps {
  readonly #perClient = new Map<string, number>()
  #settings: CapSettings
  #total = 0
  #mx = 0
  /** In the order in which they came. */
  readonly #guests = new Set<Guest>()
  #displaced = 0

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

  /** Connections that one account may have. */
  get perAccount(): number {
    return Math.min(LIMITS.connectionsPerAccount, Math.ceil(this.#settings.total * LIMITS.accountShare))
  }

  /**
   * Port 25 never fills the server. Where strangers fill the ports of our own people, who came first and has not logged
   * in makes room: a person logs in within a second or two, who only sits there does not.
   * @returns false where the server is full; else `leave` must follow.
   */
  enter(door: Door): boolean {
    const { total } = this.#settings
    if (door === 'mx' && this.#mx >= Math.ceil(total * (1 - LIMITS.ownShare))) return false
    if (this.#total - this.#displaced >= total && (door === 'mx' || !this.#displace())) return false
    this.#total++
    if (door === 'mx') this.#mx++
    return true
  }

  leave(door: Door): void {
    this.#total--
    if (door === 'mx') this.#mx--
  }

  /** Until `known`, which must follow: at the login, or at the end. */
  guest(guest: Guest): void {
    this.#guests.add(guest)
  }

  known(guest: Guest): void {
    this.#guests.delete(guest)
  }

  #displace(): boolean {
    const [oldest] = this.#guests
    if (oldest === undefined || this.#displaced >= LIMITS.displacedAtOnce) return false
    this.#guests.delete(oldest)
    this.#displaced++
    oldest.cut()
    return true
  }

  /** One that was displaced has left. */
  displacedLeft(): void {
    this.#displaced--
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
