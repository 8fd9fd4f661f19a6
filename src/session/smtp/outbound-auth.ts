import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Random } from '../../ports/random.ts'
import { ClientExchange } from '../../protocol/sasl/client.ts'
import { NONCE_OCTETS } from '../../protocol/sasl/limits.ts'
import { chooseMechanism } from '../../protocol/sasl/mechanisms.ts'
import type { ClientAnswer } from '../../protocol/smtp/client-types.ts'

/** Our AUTH at a smarthost. */
export class OutboundAuth {
  readonly #who: { readonly user: string; readonly password: string }
  readonly #random: Random
  #exchange: ClientExchange | undefined

  constructor(who: { readonly user: string; readonly password: string }, random: Random) {
    this.#who = who
    this.#random = random
  }

  start(mechanisms: readonly string[], tls: TlsFacts | undefined): ClientAnswer {
    const binding = bindingOf(tls)
    const mechanism = chooseMechanism(mechanisms, {
      clearText: tls !== undefined,
      binding: binding !== undefined,
    })
    if (mechanism === undefined) return { kind: 'skip' }
    const { user, password } = this.#who
    this.#exchange = new ClientExchange({
      mechanism,
      login: user,
      password,
      binding,
      random: this.#random.bytes(NONCE_OCTETS),
    })
    return { kind: 'sasl', mechanism: mechanism.name, initial: this.#exchange.start() }
  }

  respond(challenge: Uint8Array): ClientAnswer {
    const step = this.#exchange?.respond(challenge)
    return step?.kind === 'response' ? { kind: 'response', bytes: step.bytes } : { kind: 'cancel' }
  }

  /** False where the server said 235 without having proved that it knows the password. */
  mayTrust(): boolean {
    return this.#exchange?.mayTrust() !== false
  }
}

function bindingOf(tls: TlsFacts | undefined) {
  if (tls?.exporter !== undefined) return { type: 'tls-exporter', octets: tls.exporter } as const
  if (tls?.serverEndPoint !== undefined)
    return { type: 'tls-server-end-point', octets: tls.serverEndPoint } as const
  return undefined
}
