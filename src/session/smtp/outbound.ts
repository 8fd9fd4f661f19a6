import { reply } from '../../mail/reply.ts'
import type { Deliverer, Delivery, DeliveryJob, HopPolicy } from '../../ports/deliverer.ts'
import type { Dialer, DialFailure } from '../../ports/dialer.ts'
import { type ExchangeDeps, OutboundExchange } from './outbound-exchange.ts'
import { CONNECT_TIMEOUT_MS } from './outbound-limits.ts'

export interface OutboundDeps extends ExchangeDeps {
  readonly dialer: Dialer
}

interface Tried {
  readonly delivery: Delivery
  readonly tlsBroken: boolean
}

/** Delivers by SMTP, one message a connection. */
export class SmtpDeliverer implements Deliverer {
  readonly #deps: OutboundDeps

  constructor(deps: OutboundDeps) {
    this.#deps = deps
  }

  async deliver(job: DeliveryJob): Promise<Delivery> {
    const { policy } = job
    const first = await this.#try(job, policy)
    // rfc7435 §3: where TLS was only hoped for, a host whose TLS is broken still gets the mail; never a password.
    if (first.tlsBroken && policy.tls === 'opportunistic' && policy.auth === undefined)
      return (await this.#try(job, { ...policy, tls: 'none' })).delivery
    return first.delivery
  }

  async #try(job: DeliveryJob, policy: HopPolicy): Promise<Tried> {
    const { hop } = job
    const dialled = await this.#deps.dialer.dial({
      address: hop.address,
      port: hop.port,
      timeoutMs: CONNECT_TIMEOUT_MS,
      tls: policy.tls === 'implicit' ? { serverName: hop.name, verify: true } : undefined,
    })
    if (!dialled.ok) return { delivery: { kind: 'no-contact', reply: dialReply(dialled) }, tlsBroken: false }
    const { connection, tls } = dialled
    try {
      const exchange = new OutboundExchange(this.#deps, { job, policy, connection, tls })
      return { delivery: await exchange.run(), tlsBroken: exchange.tlsBroken }
    } finally {
      connection.close()
    }
  }
}

const DIAL_TEXTS: Readonly<Record<DialFailure['kind'], string>> = {
  refused: 'The host refuses connections',
  timeout: 'The host does not answer',
  unreachable: 'The host cannot be reached',
  reset: 'The host broke the connection',
  tls: 'TLS with this host failed',
}

function dialReply({ kind, cause }: DialFailure) {
  return reply(451, kind === 'tls' ? '4.7.5' : '4.4.1', DIAL_TEXTS[kind], cause)
}
