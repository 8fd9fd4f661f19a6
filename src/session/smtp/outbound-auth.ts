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
  /** Why the exchange did not come to its end, where that was our choice. */
  #problem: string | undefined

  constructor(who: { readonly user: string; readonly password: string }, random: Random) {
    this.#who = who
    this.#random = random
  }

  get problem(): string | undefined {
    return this.#problem
  }

  /** @param connection.verified whether the certificate was checked: only then the password itself is shown. */
  start(
    mechanisms: readonly string[],
    connection: { readonly tls: TlsFacts | undefined; readonly verified: boolean },
  ): ClientAnswer {
    const binding = bindingOf(connection.tls)
    const mechanism = chooseMechanism(mechanisms, {
      clearText: connection.verified,
      binding: binding !== undefined,
    })
    if (mechanism === undefined) {
      const why = connection.verified
        ? ''
        : ', and none that shows the password is used where the certificate is not checked'
      this.#problem = `the server offers ${mechanisms.join(' ')}${why}`
      return { kind: 'skip' }
    }
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
    if (step?.kind === 'response') return { kind: 'response', bytes: step.bytes }
    this.#problem = step?.cause
    return { kind: 'cancel' }
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
