import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Login } from '../../pipeline/origin.ts'
import type { Credentials } from '../../ports/credentials.ts'
import type { Random } from '../../ports/random.ts'
import { AuthExchange, type AuthStep } from '../auth/exchange.ts'

export type SmtpAuthStep =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'reply'
      readonly reply: Reply
      readonly login?: Login | undefined
      /** For the log: who the client said it was, by which mechanism, and what went wrong. */
      readonly triedLogin?: string | undefined
      readonly mechanism: string
      readonly cause?: string | undefined
      readonly blocked?: boolean | undefined
      /** Somebody stands between: to be logged as an attack. */
      readonly attack?: boolean | undefined
    }

/** AUTH of one connection: a SASL exchange at a time, its end in the replies of rfc4954 §4 and §6. */
export class SmtpAuth {
  readonly #credentials: Credentials
  readonly #random: Random
  readonly #client: string
  #exchange: AuthExchange | undefined

  constructor(credentials: Credentials, random: Random, client: string) {
    this.#credentials = credentials
    this.#random = random
    this.#client = client
  }

  async start(
    mechanism: string,
    initial: Uint8Array | undefined,
    at: { readonly tls: TlsFacts | undefined; readonly offered: readonly string[] },
  ): Promise<SmtpAuthStep> {
    this.#exchange = new AuthExchange(this.#credentials, {
      client: this.#client,
      protocol: 'smtp',
      mechanism,
      random: this.#random,
      ...at,
    })
    return this.#settle(await this.#exchange.start(initial))
  }

  async respond(bytes: Uint8Array): Promise<SmtpAuthStep> {
    const exchange = this.#exchange
    if (exchange === undefined)
      return { kind: 'reply', reply: reply(503, '5.5.1', 'No AUTH is going on'), mechanism: '' }
    return this.#settle(await exchange.respond(bytes))
  }

  /** Of the exchange that is going on; empty without one. */
  get mechanism(): string {
    return this.#exchange?.mechanism ?? ''
  }

  abort(): void {
    this.#exchange = undefined
  }

  #settle(step: AuthStep): SmtpAuthStep {
    if (step.kind === 'challenge') return step
    const mechanism = this.#exchange?.mechanism ?? ''
    this.#exchange = undefined
    const tried = { mechanism, triedLogin: step.kind === 'ok' ? step.login : step.triedLogin }
    switch (step.kind) {
      case 'ok':
        return {
          ...tried,
          kind: 'reply',
          reply: reply(235, '2.7.0', 'You are logged in'),
          login: { account: step.account, login: step.login, mechanism },
        }
      case 'refused':
        return {
          ...tried,
          kind: 'reply',
          reply: reply(535, '5.7.8', 'User name or password is wrong'),
          cause: step.cause,
          attack: step.attack,
        }
      case 'blocked':
        return {
          ...tried,
          kind: 'reply',
          reply: reply(
            454,
            '4.7.0',
            `Too many failed attempts; try again in ${step.retryAfterSeconds} seconds`,
          ),
          blocked: true,
          cause: 'budget used up',
        }
      case 'temporary':
        // Never "wrong password": the phone would ask its owner for it (rfc4954 §4).
        return {
          ...tried,
          kind: 'reply',
          reply: reply(454, '4.7.0', 'Passwords cannot be checked at the moment; try again later'),
          cause: step.cause,
        }
      case 'unsupported':
        return {
          ...tried,
          kind: 'reply',
          reply: reply(504, '5.5.4', 'This mechanism is not on offer'),
          cause: 'unsupported mechanism',
        }
      case 'malformed':
        return {
          ...tried,
          kind: 'reply',
          reply: reply(501, '5.5.2', 'This is no answer that the mechanism knows'),
          cause: step.cause,
        }
    }
  }
}
