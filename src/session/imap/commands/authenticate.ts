import type { AuthenticateCommand } from '../../../protocol/imap/commands/authenticate.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { AuthExchange, type AuthStep } from '../../auth/exchange.ts'
import { capabilities, offeredMechanisms } from '../capabilities.ts'
import { done, type ImapContext } from '../context.ts'

/** The exchange of one AUTHENTICATE; `respond` goes on with it. */
export class ImapAuthentication {
  readonly #context: ImapContext
  readonly #exchange: AuthExchange

  constructor(context: ImapContext, command: AuthenticateCommand) {
    const { credentials, random } = context.deps
    this.#context = context
    this.#exchange = new AuthExchange(credentials, {
      client: context.client.remoteAddress,
      protocol: 'imap',
      mechanism: command.mechanism,
      offered: offeredMechanisms(context),
      tls: context.link.tls,
      random,
    })
  }

  get mechanism(): string {
    return this.#exchange.mechanism
  }

  async start(initial: Uint8Array | undefined): Promise<ImapAnswer> {
    return this.#settle(await this.#exchange.start(initial))
  }

  async respond(octets: Uint8Array): Promise<ImapAnswer> {
    return this.#settle(await this.#exchange.respond(octets))
  }

  #settle(step: AuthStep): ImapAnswer {
    return step.kind === 'challenge'
      ? { kind: 'challenge', octets: step.bytes }
      : loginAnswer(this.#context, step, this.#exchange.mechanism)
  }
}

/** How a login ended, for LOGIN and AUTHENTICATE alike; it is logged here. */
export function loginAnswer(
  context: ImapContext,
  step: Exclude<AuthStep, { kind: 'challenge' }>,
  mechanism: string,
): ImapAnswer {
  const { log } = context.deps
  const fields = {
    client: context.client.remoteAddress,
    protocol: 'imap',
    mechanism,
    login: step.kind === 'ok' ? step.login : step.triedLogin,
  }
  switch (step.kind) {
    case 'ok':
      log.event('auth.ok', fields)
      if (!context.loggedIn({ account: step.account, login: step.login })) {
        const { listener } = context.client
        log.event('connection.refused', {
          ...fields,
          listener,
          cause: 'too many connections of this account',
        })
        return done('NO', 'This account has too many connections', 'LIMIT')
      }
      return done('OK', 'You are logged in', { kind: 'capability', capabilities: capabilities(context) })
    case 'refused':
      log.event('auth.failed', { ...fields, cause: step.cause })
      if (step.attack === true)
        log.event('attack', {
          ...fields,
          listener: context.client.listener,
          what: 'channel-binding',
          detail: step.cause,
        })
      return done('NO', 'User name or password is wrong', 'AUTHENTICATIONFAILED')
    case 'blocked':
      log.event('auth.blocked', fields)
      return done(
        'NO',
        `Too many failed attempts; try again in ${step.retryAfterSeconds} seconds`,
        'UNAVAILABLE',
      )
    case 'temporary':
      log.event('auth.failed', { ...fields, cause: step.cause })
      return done('NO', 'Passwords cannot be checked at the moment; try again later', 'UNAVAILABLE')
    case 'malformed':
      log.event('auth.failed', { ...fields, cause: step.cause })
      return done('BAD', 'This is no answer that the mechanism knows')
    case 'unsupported':
      log.event('auth.failed', { ...fields, cause: 'not on offer' })
      // rfc5530 §3: the client may try again once TLS stands.
      return context.link.tls === undefined
        ? done('NO', 'Passwords are taken only after STARTTLS', 'PRIVACYREQUIRED')
        : done('NO', 'This mechanism is not on offer')
  }
}
