import { Gate } from './gate.ts'

interface Share {
  readonly gate: Gate
  users: number
}

/** A gate of which nobody gets more than a share, so that one who stays inside for long does not keep all others out. */
export class FairGate {
  readonly #limits: FairGateLimits
  readonly #gate: Gate
  readonly #shares = new Map<string, Share>()

  constructor(limits: FairGateLimits) {
    this.#limits = limits
    this.#gate = new Gate(limits)
  }

  /** @returns undefined at once where too many wait already, of `owner` or in all; otherwise what `work` gives. */
  async pass<T>(owner: string, work: () => Promise<T>): Promise<T | undefined> {
    let share = this.#shares.get(owner)
    if (share === undefined) {
      const { shareInside: inside, shareWaiting: waiting } = this.#limits
      share = { gate: new Gate({ inside, waiting }), users: 0 }
      this.#shares.set(owner, share)
    }
    share.users++
    try {
      return await share.gate.pass(() => this.#gate.pass(work))
    } finally {
      // Only those at work or waiting are remembered.
      if (--share.users === 0) this.#shares.delete(owner)
    }
  }
}

export interface FairGateLimits {
  readonly inside: number
  readonly waiting: number
  readonly shareInside: number
  readonly shareWaiting: number
}

/**
 * About what one operator holds, as far as a name tells: two labels, three below a country (`example.co.uk`), four of
 * an IPv4 address's name (a /16) and ten of an IPv6 address's (a /32). Only for shares: nothing is decided by it.
 */
export function zoneOf(name: string): string {
  const labels = name.split('.')
  const [second, top = ''] = labels.slice(-2)
  if (top !== 'arpa') return labels.slice(top.length === 2 ? -3 : -2).join('.')
  return labels.slice(second === 'ip6' ? -10 : -4).join('.')
}
