import { reply } from '../../mail/reply.ts'
import type { Deliverer, Delivery, DeliveryJob, Hop, HopPolicy } from '../../ports/deliverer.ts'
import type { Dialer, DialFailure } from '../../ports/dialer.ts'
import { type ExchangeDeps, OutboundExchange } from './outbound-exchange.ts'
import { CONNECT_TIMEOUT_MS } from './outbound-limits.ts'

export interface OutboundDeps extends ExchangeDeps {
  readonly dialer: Dialer
}

type Dialed = Awaited<ReturnType<Dialer['dial']>>

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
    const dialled = await this.#dial(hop, policy, job.signal)
    if (dialled === undefined) return { delivery: { kind: 'no-contact', reply: STOPPED }, tlsBroken: false }
    if (!dialled.ok) return { delivery: { kind: 'no-contact', reply: dialReply(dialled) }, tlsBroken: false }
    const { connection, tls } = dialled
    try {
      const exchange = new OutboundExchange(this.#deps, { job, policy, connection, tls })
      return { delivery: await exchange.run(), tlsBroken: exchange.tlsBroken }
    } finally {
      connection.close()
    }
  }

  /** undefined: the server stops. A connection that comes to stand after that is closed. */
  async #dial(hop: Hop, policy: HopPolicy, signal: AbortSignal | undefined): Promise<Dialed | undefined> {
    if (signal?.aborted === true) return undefined
    const dialing = this.#deps.dialer.dial({
      address: hop.address,
      port: hop.port,
      timeoutMs: CONNECT_TIMEOUT_MS,
      tls: policy.tls === 'implicit' ? { serverName: hop.name, verify: true } : undefined,
    })
    if (signal === undefined) return dialing
    const stopped = Promise.withResolvers<undefined>()
    const stop = (): void => stopped.resolve(undefined)
    signal.addEventListener('abort', stop)
    const dialled = await Promise.race([dialing, stopped.promise])
    signal.removeEventListener('abort', stop)
    if (dialled === undefined) void dialing.then((late) => late.ok && late.connection.close())
    return dialled
  }
}

/** Nobody reads it but the trace of a race: a delivery that was cut short is not recorded. */
const STOPPED = reply(451, '4.3.2', 'This server was stopped')

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
