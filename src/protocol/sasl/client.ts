import { assert, unreachable } from '../../mail/assert.ts'
import { MAX_BINDING_OCTETS, MAX_SCRAM_ITERATIONS, MIN_SCRAM_ITERATIONS, NONCE_OCTETS } from './limits.ts'
import type { BindingType, Mechanism } from './mechanisms.ts'
import { preparePassword, saltedPassword } from './password-hash.ts'
import { formatPlain } from './plain.ts'
import { saslprep } from './saslprep.ts'
import {
  type ClientFirst,
  formatClientFinalWithoutProof,
  formatClientFirstBare,
  formatGs2Header,
  parseServerFinal,
  parseServerFirst,
} from './scram-message.ts'
import { clientProof, equalSecrets } from './scram-proof.ts'

/**
 * The client's side of one SASL exchange: for the smarthost, and to drive our own server in tests.
 *
 *   const exchange = new ClientExchange({ mechanism, login, password, … })
 *   initial = exchange.start()              put it behind the mechanism's name; undefined: there is none
 *   on each challenge: step = exchange.respond(bytes)
 *     'response': send base64 of step.bytes (maybe empty)
 *     'failed':   send `*`; the server is not to be trusted or not understood; step.cause says why
 *   on the server's 235 or OK: exchange.mayTrust() must be true, or the server never proved that it knows us
 */

export interface ClientOptions {
  readonly mechanism: Mechanism
  readonly login: string
  readonly password: string
  /** The binding to use with a -PLUS mechanism, or undefined where the connection has none. */
  readonly binding: { readonly type: BindingType; readonly octets: Uint8Array } | undefined
  /** `NONCE_OCTETS` good random octets. */
  readonly random: Uint8Array
}

export type ClientStep =
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly cause: string }

type State =
  | { readonly kind: 'new' | 'wants-plain' | 'wants-login-name' | 'wants-login-password' | 'proved' | 'over' }
  | { readonly kind: 'wants-scram-prompt' | 'wants-server-first'; readonly first: OwnFirst }
  | { readonly kind: 'wants-server-final'; readonly signature: Uint8Array }

interface OwnFirst {
  readonly gs2Header: string
  readonly bare: string
  readonly nonce: string
}

export class ClientExchange {
  readonly #options: ClientOptions
  #state: State = { kind: 'new' }

  constructor(options: ClientOptions) {
    assert(options.random.length >= NONCE_OCTETS, 'a nonce needs more octets')
    const { binding, mechanism } = options
    const needsBinding = mechanism.kind === 'scram' && mechanism.plus
    assert(!needsBinding || binding !== undefined, 'a -PLUS mechanism is chosen only with a binding')
    assert(binding === undefined || binding.octets.length <= MAX_BINDING_OCTETS, 'a binding is a hash')
    this.#options = options
  }

  /** The initial response; undefined for LOGIN, where servers differ on whether they take one. */
  start(): Uint8Array | undefined {
    assert(this.#state.kind === 'new', 'an exchange starts once')
    const { mechanism, login, password } = this.#options
    switch (mechanism.kind) {
      case 'login':
        this.#state = { kind: 'wants-login-name' }
        return undefined
      case 'plain':
        this.#state = { kind: 'wants-plain' }
        return formatPlain({ authzid: '', authcid: login, password })
      case 'scram': {
        const first = this.#ownFirst(mechanism.plus)
        this.#state = { kind: 'wants-scram-prompt', first }
        return Buffer.from(first.gs2Header + first.bare)
      }
      default:
        return unreachable(mechanism)
    }
  }

  respond(challenge: Uint8Array): ClientStep {
    const state = this.#state
    switch (state.kind) {
      case 'wants-plain':
        this.#state = { kind: 'proved' }
        return this.#plainPrompt(challenge)
      case 'wants-login-name':
        // The prompts' words differ from server to server (`Username:`, `User Name\0`): the order counts.
        this.#state = { kind: 'wants-login-password' }
        return { kind: 'response', bytes: Buffer.from(this.#options.login) }
      case 'wants-login-password':
        this.#state = { kind: 'proved' }
        return { kind: 'response', bytes: Buffer.from(this.#options.password) }
      case 'wants-scram-prompt':
      case 'wants-server-first':
        return this.#serverFirst(state.kind, state.first, challenge)
      case 'wants-server-final':
        return this.#serverFinal(state.signature, challenge)
      default:
        return this.#failed('the server asks for more than the mechanism has')
    }
  }

  /**
   * Whether a success that the server reports now may be believed: with SCRAM only once it has shown that it
   * knows the password's keys (rfc5802 §3), else anybody could play the smarthost.
   */
  mayTrust(): boolean {
    return this.#options.mechanism.kind !== 'scram'
      ? this.#state.kind !== 'over' && this.#state.kind !== 'new'
      : this.#state.kind === 'proved'
  }

  /** Where the server ignored the initial response and prompts with nothing, it is sent now. */
  #plainPrompt(challenge: Uint8Array): ClientStep {
    if (challenge.length > 0) return this.#failed('a challenge that PLAIN does not have')
    const { login, password } = this.#options
    return { kind: 'response', bytes: formatPlain({ authzid: '', authcid: login, password }) }
  }

  #ownFirst(plus: boolean): OwnFirst {
    const { binding, login, random } = this.#options
    const flag: ClientFirst['flag'] =
      binding === undefined ? { kind: 'n' } : plus ? { kind: 'p', binding: binding.type } : { kind: 'y' }
    const nonce = Buffer.from(random).toString('base64')
    const gs2Header = formatGs2Header(flag)
    return { gs2Header, nonce, bare: formatClientFirstBare(saslprep(login, 'query') ?? login, nonce) }
  }

  #serverFirst(
    stateKind: 'wants-scram-prompt' | 'wants-server-first',
    first: OwnFirst,
    challenge: Uint8Array,
  ): ClientStep {
    if (stateKind === 'wants-scram-prompt' && challenge.length === 0) {
      this.#state = { kind: 'wants-server-first', first }
      return { kind: 'response', bytes: Buffer.from(first.gs2Header + first.bare) }
    }
    const message = parseServerFirst(challenge)
    if (message === undefined) return this.#failed('a challenge that SCRAM does not have')
    if (!message.nonce.startsWith(first.nonce) || message.nonce.length === first.nonce.length)
      return this.#failed('a nonce that does not go on from ours')
    if (message.iterations < MIN_SCRAM_ITERATIONS || message.iterations > MAX_SCRAM_ITERATIONS)
      return this.#failed(`the server asks for ${message.iterations} iterations`)
    return this.#clientFinal(first, message, Buffer.from(challenge).toString())
  }

  #clientFinal(
    first: OwnFirst,
    message: { readonly nonce: string; readonly salt: Uint8Array; readonly iterations: number },
    serverFirst: string,
  ): ClientStep {
    const { mechanism, password, binding } = this.#options
    assert(mechanism.kind === 'scram', 'only SCRAM comes here')
    const prepared = preparePassword(password, 'query')
    if (prepared === undefined) return this.#failed('the password cannot be prepared for SCRAM')
    const octets = mechanism.plus && binding !== undefined ? binding.octets : new Uint8Array(0)
    const channelBinding = Buffer.concat([Buffer.from(first.gs2Header), octets])
    const withoutProof = formatClientFinalWithoutProof(channelBinding, message.nonce)
    const { hash } = mechanism
    const { salt, iterations } = message
    const { proof, serverSignature } = clientProof(
      hash,
      saltedPassword(prepared, { hash, salt, iterations }),
      `${first.bare},${serverFirst},${withoutProof}`,
    )
    this.#state = { kind: 'wants-server-final', signature: serverSignature }
    const bytes = Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
    return { kind: 'response', bytes }
  }

  #serverFinal(signature: Uint8Array, challenge: Uint8Array): ClientStep {
    const message = parseServerFinal(challenge)
    if (message === undefined) return this.#failed('a last challenge that SCRAM does not have')
    if (message.kind === 'error') return this.#failed(`the server refuses: ${message.error}`)
    if (!equalSecrets(message.signature, signature))
      return this.#failed('the server does not know the password: it is not the one we want')
    this.#state = { kind: 'proved' }
    return { kind: 'response', bytes: new Uint8Array(0) }
  }

  #failed(cause: string): ClientStep {
    this.#state = { kind: 'over' }
    return { kind: 'failed', cause }
  }
}
