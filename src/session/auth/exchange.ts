import type { AccountId } from '../../mail/ids.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { AttemptContext, Credentials, LoginResult } from '../../ports/credentials.ts'
import type { Random } from '../../ports/random.ts'
import { NONCE_OCTETS } from '../../protocol/sasl/limits.ts'
import { type BindingType, findMechanism, type Mechanism } from '../../protocol/sasl/mechanisms.ts'
import { ServerExchange } from '../../protocol/sasl/server.ts'
import type { ServerStep } from '../../protocol/sasl/server-step.ts'

/** Where one exchange stands; every kind but 'challenge' ends it. */
export type AuthStep =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'ok'; readonly account: AccountId; readonly login: string }
  | {
      readonly kind: 'refused'
      readonly cause: string
      readonly triedLogin?: string | undefined
      /** The channel binding does not fit or -PLUS was hidden from the client: somebody is between. Log `attack`. */
      readonly attack?: true
    }
  | { readonly kind: 'blocked'; readonly retryAfterSeconds: number; readonly triedLogin?: string | undefined }
  | { readonly kind: 'temporary'; readonly cause: string; readonly triedLogin?: string | undefined }
  | { readonly kind: 'malformed'; readonly cause: string; readonly triedLogin?: string | undefined }
  /** Not on offer on this connection. */
  | { readonly kind: 'unsupported'; readonly triedLogin?: undefined }

export interface ExchangeOptions {
  /** Canonical address. */
  readonly client: string
  readonly protocol: 'smtp' | 'imap'
  /** As the client wrote it. */
  readonly mechanism: string
  /** What this connection offers now (`Credentials.mechanisms`). */
  readonly offered: readonly string[]
  readonly tls: TlsFacts | undefined
  readonly random: Random
}

/** One SASL exchange of SMTP or IMAP: the core's questions, answered by the credentials. */
export class AuthExchange {
  /** In capitals. */
  readonly mechanism: string
  readonly #credentials: Credentials
  readonly #context: AttemptContext
  readonly #exchange: ServerExchange | undefined
  #tried: string | undefined
  #passed: Extract<LoginResult, { kind: 'ok' }> | undefined
  #scram: { account: AccountId | undefined; login: string } | undefined

  constructor(credentials: Credentials, options: ExchangeOptions) {
    this.mechanism = options.mechanism.toUpperCase()
    this.#credentials = credentials
    this.#context = { client: options.client, protocol: options.protocol, mechanism: this.mechanism }
    const mechanism = options.offered.includes(this.mechanism) ? findMechanism(this.mechanism) : undefined
    this.#exchange = mechanism === undefined ? undefined : serverExchange(mechanism, options)
  }

  async start(initial: Uint8Array | undefined): Promise<AuthStep> {
    return this.#exchange === undefined
      ? { kind: 'unsupported' }
      : this.#run(this.#exchange, this.#exchange.start(initial))
  }

  async respond(bytes: Uint8Array): Promise<AuthStep> {
    return this.#exchange === undefined
      ? { kind: 'unsupported' }
      : this.#run(this.#exchange, this.#exchange.respond(bytes))
  }

  async #run(exchange: ServerExchange, first: ServerStep): Promise<AuthStep> {
    let step = first
    for (;;) {
      switch (step.kind) {
        case 'challenge':
          return step
        case 'ask-password': {
          this.#tried = step.login
          const result = await this.#credentials.verifyPassword(step.login, step.password, this.#context)
          if (result.kind === 'blocked' || result.kind === 'temporary')
            return { ...result, triedLogin: this.#tried }
          if (result.kind === 'refused')
            return { kind: 'refused', cause: result.cause, triedLogin: this.#tried }
          this.#passed = result
          step = exchange.passwordChecked(true)
          break
        }
        case 'ask-scram': {
          this.#tried = step.login
          const found = await this.#credentials.scramKeys(step.login, step.hash, this.#context)
          if (found.kind !== 'keys') return { ...found, triedLogin: this.#tried }
          this.#scram = { account: found.account, login: found.login }
          step = exchange.scramKeys(found.keys)
          break
        }
        case 'done':
          return this.#done(step)
      }
    }
  }

  async #done(step: Extract<ServerStep, { kind: 'done' }>): Promise<AuthStep> {
    const triedLogin = this.#tried
    if (!step.ok && step.why === 'malformed') return { kind: 'malformed', cause: step.cause, triedLogin }
    const ended = this.#scram === undefined ? undefined : await this.#scramEnded(this.#scram, step.ok)
    if (!step.ok) {
      if (ended?.kind === 'temporary' || ended?.kind === 'blocked') return { ...ended, triedLogin }
      const attack = step.why === 'binding' ? ({ attack: true } as const) : {}
      return { kind: 'refused', cause: step.cause, triedLogin, ...attack }
    }
    const result = ended ?? this.#passed
    if (result === undefined) return { kind: 'refused', cause: 'no password was checked', triedLogin }
    return result.kind === 'ok' ? result : { ...result, triedLogin }
  }

  #scramEnded(
    scram: { readonly account: AccountId | undefined; readonly login: string },
    ok: boolean,
  ): Promise<LoginResult> {
    return this.#credentials.scramEnded(scram.login, scram.account, ok, this.#context)
  }
}

function serverExchange(mechanism: Mechanism, options: ExchangeOptions): ServerExchange {
  const bindings = new Map<BindingType, Uint8Array>()
  if (options.tls?.exporter !== undefined) bindings.set('tls-exporter', options.tls.exporter)
  if (options.tls?.serverEndPoint !== undefined)
    bindings.set('tls-server-end-point', options.tls.serverEndPoint)
  const plusOffered = mechanism.kind === 'scram' && options.offered.includes(`SCRAM-${mechanism.hash}-PLUS`)
  return new ServerExchange({ mechanism, bindings, plusOffered, random: options.random.bytes(NONCE_OCTETS) })
}
