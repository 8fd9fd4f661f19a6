import { assert } from '../../mail/assert.ts'
import { NONCE_OCTETS } from './limits.ts'
import type { BindingType } from './mechanisms.ts'
import type { DerivedScramKeys, ScramHash } from './password-hash.ts'
import {
  type ClientFirst,
  formatServerFirst,
  parseClientFinal,
  parseClientFirst,
  type ServerFirst,
} from './scram-message.ts'
import { equalSecrets, proofMatches, serverSignature } from './scram-proof.ts'
import type { ServerStep } from './server-step.ts'

/** SCRAM of `ServerExchange` (rfc5802 §5). */

export interface ScramServerOptions {
  readonly hash: ScramHash
  readonly plus: boolean
  readonly bindings: ReadonlyMap<BindingType, Uint8Array>
  readonly plusOffered: boolean
  readonly random: Uint8Array
}

type State =
  | { readonly kind: 'wants-first' | 'over' }
  | { readonly kind: 'asked-keys'; readonly first: ClientFirst }
  | {
      readonly kind: 'wants-final'
      readonly first: ClientFirst
      readonly serverFirst: string
      readonly nonce: string
      readonly keys: readonly DerivedScramKeys[]
    }
  | { readonly kind: 'wants-empty'; readonly login: string }

export class ScramServer {
  readonly #options: ScramServerOptions
  #state: State = { kind: 'wants-first' }

  constructor(options: ScramServerOptions) {
    assert(options.random.length >= NONCE_OCTETS, 'a nonce needs more octets')
    this.#options = options
  }

  respond(bytes: Uint8Array): ServerStep {
    const state = this.#state
    switch (state.kind) {
      case 'wants-first':
        return this.#clientFirst(bytes)
      case 'wants-final':
        return this.#clientFinal(bytes, state)
      case 'wants-empty':
        if (bytes.length > 0) return this.#failed('malformed', 'data after the server signature')
        this.#state = { kind: 'over' }
        return { kind: 'done', ok: true, login: state.login }
      default:
        assert(false, `a response while SCRAM is ${state.kind}`)
    }
  }

  keys(keys: readonly DerivedScramKeys[]): ServerStep {
    const state = this.#state
    const [one] = keys
    assert(state.kind === 'asked-keys', 'no SCRAM keys were asked for')
    assert(one !== undefined && keys.every((other) => isSameChallenge(one, other)), 'keys of one challenge')
    assert(one.hash === this.#options.hash, 'keys of the mechanism that is running')
    const nonce = state.first.nonce + Buffer.from(this.#options.random).toString('base64')
    const message: ServerFirst = { nonce, salt: one.salt, iterations: one.iterations }
    const serverFirst = formatServerFirst(message)
    this.#state = { kind: 'wants-final', first: state.first, serverFirst, nonce, keys }
    return { kind: 'challenge', bytes: Buffer.from(serverFirst) }
  }

  #clientFirst(bytes: Uint8Array): ServerStep {
    const first = parseClientFirst(bytes)
    if (first === undefined) return this.#failed('malformed', 'SCRAM first message out of form')
    const wrong = this.#wrongFlag(first.flag)
    if (wrong !== undefined) return this.#failed(wrong.why, wrong.cause)
    if (first.authzid !== undefined && first.authzid !== first.login)
      return this.#failed('refused', 'authzid is not the login')
    this.#state = { kind: 'asked-keys', first }
    return { kind: 'ask-scram', login: first.login, hash: this.#options.hash }
  }

  /** rfc5802 §6. */
  #wrongFlag(
    flag: ClientFirst['flag'],
  ): { readonly why: 'malformed' | 'binding'; readonly cause: string } | undefined {
    const { plus, plusOffered, bindings } = this.#options
    if (plus && flag.kind !== 'p') return { why: 'malformed', cause: '-PLUS without a binding' }
    if (!plus && flag.kind === 'p') return { why: 'malformed', cause: 'a binding without -PLUS' }
    // The client can bind but saw no -PLUS on offer, and we did offer it: somebody took it out of the list.
    if (flag.kind === 'y' && plusOffered) return { why: 'binding', cause: 'the client was not shown -PLUS' }
    if (flag.kind === 'p' && !isBinding(flag.binding, bindings))
      return { why: 'binding', cause: `no binding ${flag.binding} on this connection` }
    return undefined
  }

  #clientFinal(bytes: Uint8Array, state: Extract<State, { kind: 'wants-final' }>): ServerStep {
    const { first, serverFirst, nonce, keys } = state
    const final = parseClientFinal(bytes)
    if (final === undefined) return this.#failed('malformed', 'SCRAM final message out of form')
    if (!equalSecrets(Buffer.from(final.nonce), Buffer.from(nonce)))
      return this.#failed('refused', 'the nonce is not the one of this exchange')
    if (!equalSecrets(final.channelBinding, this.#wantedBinding(first)))
      return this.#failed('binding', 'the channel binding does not fit this connection')
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`
    const { hash } = this.#options
    // All are tried, so that the time tells nothing of how many credentials there are before the right one.
    const matching = keys.filter((key) => proofMatches(hash, key.storedKey, final.proof, authMessage))
    const [right] = matching
    if (right === undefined) return this.#failed('refused', 'the proof does not fit the password')
    const signature = Buffer.from(serverSignature(hash, right.serverKey, authMessage))
    this.#state = { kind: 'wants-empty', login: first.login }
    return { kind: 'challenge', bytes: Buffer.from(`v=${signature.toString('base64')}`) }
  }

  #wantedBinding(first: ClientFirst): Buffer {
    const data =
      first.flag.kind === 'p' ? this.#options.bindings.get(first.flag.binding as BindingType) : undefined
    return Buffer.concat([Buffer.from(first.gs2Header), data ?? new Uint8Array(0)])
  }

  #failed(why: 'malformed' | 'refused' | 'binding', cause: string): ServerStep {
    this.#state = { kind: 'over' }
    return { kind: 'done', ok: false, why, cause }
  }
}

function isBinding(name: string, bindings: ReadonlyMap<BindingType, Uint8Array>): name is BindingType {
  const octets = (bindings as ReadonlyMap<string, Uint8Array>).get(name)
  return octets !== undefined && octets.length > 0
}

function isSameChallenge(a: DerivedScramKeys, b: DerivedScramKeys): boolean {
  return a.hash === b.hash && a.iterations === b.iterations && equalSecrets(a.salt, b.salt)
}
