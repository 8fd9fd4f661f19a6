import type { Answer, MxRecord, Resolver } from '../../src/ports/resolver.ts'
import type { Chance } from './chance.ts'
import type { DnsTrouble } from './plan.ts'
import type { Scheduler } from './scheduler.ts'

const TTL_SECONDS = 60
/** Where nobody listens. */
const NOBODY = '10.99.0.1'

/** The world's DNS: each domain has two hosts, the first of which is now and then one where nobody is. */
export class WorldResolver implements Resolver {
  readonly #addresses: ReadonlyMap<string, string>
  readonly #troubles: readonly DnsTrouble[]
  readonly #scheduler: Scheduler
  readonly #chance: Chance

  constructor(parts: {
    readonly addresses: ReadonlyMap<string, string>
    readonly troubles: readonly DnsTrouble[]
    readonly scheduler: Scheduler
    readonly chance: Chance
  }) {
    this.#addresses = parts.addresses
    this.#troubles = parts.troubles
    this.#scheduler = parts.scheduler
    this.#chance = parts.chance
  }

  async mx(domain: string): Promise<Answer<MxRecord>> {
    const trouble = await this.#wait(domain)
    if (trouble !== undefined) return trouble
    if (!this.#addresses.has(domain)) return { kind: 'no-name' }
    const records = [
      { preference: 10, exchange: this.#chance.happens(0.2) ? `old.${domain}` : `mx.${domain}` },
      { preference: 20, exchange: `mx.${domain}` },
    ]
    return { kind: 'found', records, ttlSeconds: TTL_SECONDS, authenticated: false }
  }

  async a(name: string): Promise<Answer<string>> {
    const domain = name.replace(/^(mx|old)\./, '')
    const trouble = await this.#wait(domain)
    if (trouble !== undefined) return trouble
    const address = name.startsWith('old.') ? NOBODY : this.#addresses.get(domain)
    if (address === undefined) return { kind: 'no-name' }
    return { kind: 'found', records: [address], ttlSeconds: TTL_SECONDS, authenticated: false }
  }

  aaaa(): Promise<Answer<string>> {
    return Promise.resolve({ kind: 'no-data' })
  }

  txt(): Promise<Answer<string>> {
    return Promise.resolve({ kind: 'no-data' })
  }

  ptr(): Promise<Answer<string>> {
    return Promise.resolve({ kind: 'no-data' })
  }

  async #wait(domain: string): Promise<Answer<never> | undefined> {
    await this.#scheduler.sleep(this.#chance.between(0.2, 50))
    const { nowMs } = this.#scheduler
    const isDown = this.#troubles.some(
      ({ domain: named, fromMs, toMs }) => named === domain && nowMs >= fromMs && nowMs < toMs,
    )
    return isDown ? { kind: 'temporary', cause: 'SERVFAIL' } : undefined
  }
}
