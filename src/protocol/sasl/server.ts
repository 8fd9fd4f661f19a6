import { assert } from '../../mail/assert.ts'
import { MAX_LOGIN_OCTETS, MAX_PASSWORD_OCTETS } from './limits.ts'
import type { BindingType, Mechanism } from './mechanisms.ts'
import type { DerivedScramKeys } from './password-hash.ts'
import { parsePlain } from './plain.ts'
import { ScramServer } from './scram-server.ts'
import type { ServerStep } from './server-step.ts'
import { isName, strictUtf8 } from './text.ts'

/**
 * The server's side of one SASL exchange, for SMTP and IMAP alike. It knows no base64 and no line (`wire.ts`
 * has them), no account and no promise. The session drives it so:
 *
 *   const exchange = new ServerExchange({ mechanism, … })
 *   let step = exchange.start(initialResponse)
 *   for (;;) switch (step.kind) {
 *     case 'challenge':     write `334 ` or `+ ` and base64 of step.bytes (maybe empty); read one line;
 *                           `*`: the exchange is over, say 501 or BAD; else step = exchange.respond(bytes)
 *     case 'ask-password':  result = await credentials.verifyPassword(step.login, step.password, context)
 *                           'ok':      step = exchange.passwordChecked(true)
 *                           'refused': step = exchange.passwordChecked(false)
 *                           'blocked', 'temporary': the exchange is over, say so (454 4.7.0 …)
 *     case 'ask-scram':     found = await credentials.scramKeys(step.login, step.hash, context)
 *                           'keys': step = exchange.scramKeys(found.keys); else over as above
 *     case 'done':          if 'ask-scram' came before: result = await credentials.scramEnded(found.login,
 *                           found.account, step.ok, context), and what it says is the answer (budgets!);
 *                           else step.ok decides: 235 or OK; 'malformed' 501 5.5.2 or BAD; 'refused' and
 *                           'binding' 535 5.7.8 or NO, 'binding' is also logged as an attack
 *   }
 *
 * SCRAM's last server message goes out as one more challenge, which the client answers with nothing: SMTP has
 * no data beside 235 (rfc4954 §4), and IMAP none beside the tagged OK.
 */

export interface ServerOptions {
  readonly mechanism: Mechanism
  /** The bindings of this connection; without one a -PLUS exchange fails. */
  readonly bindings: ReadonlyMap<BindingType, Uint8Array>
  /** Whether the -PLUS form of the mechanism was among those offered to this client. */
  readonly plusOffered: boolean
  /** `NONCE_OCTETS` good random octets, used for SCRAM's nonce. */
  readonly random: Uint8Array
}

type State =
  | { readonly kind: 'new' | 'wants-plain' | 'wants-login-name' | 'over' }
  | { readonly kind: 'wants-login-password'; readonly login: string }
  | { readonly kind: 'asked-password'; readonly login: string }
  | { readonly kind: 'scram'; readonly scram: ScramServer }

const EMPTY = new Uint8Array(0)

export class ServerExchange {
  readonly #options: ServerOptions
  #state: State = { kind: 'new' }

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Begins, with the client's initial response where it sent one (`readInitialResponse`). */
  start(initialResponse?: Uint8Array): ServerStep {
    assert(this.#state.kind === 'new', 'an exchange starts once')
    const { mechanism } = this.#options
    if (mechanism.kind === 'scram') {
      const { hash, plus } = mechanism
      this.#state = { kind: 'scram', scram: new ScramServer({ ...this.#options, hash, plus }) }
    } else this.#state = { kind: mechanism.kind === 'plain' ? 'wants-plain' : 'wants-login-name' }
    if (initialResponse !== undefined) return this.respond(initialResponse)
    return mechanism.kind === 'login' ? challenge('Username:') : { kind: 'challenge', bytes: EMPTY }
  }

  /** The client's answer to the last challenge, decoded. */
  respond(bytes: Uint8Array): ServerStep {
    const state = this.#state
    switch (state.kind) {
      case 'wants-plain':
        return this.#plain(bytes)
      case 'wants-login-name':
        return this.#loginName(bytes)
      case 'wants-login-password':
        return this.#loginPassword(state.login, bytes)
      case 'scram':
        return this.#ended(state.scram.respond(bytes))
      default:
        assert(false, `a response while the exchange is ${state.kind}`)
    }
  }

  /** Answers 'ask-password'. */
  passwordChecked(ok: boolean): ServerStep {
    const state = this.#state
    assert(state.kind === 'asked-password', 'no password was asked about')
    return this.#ended(
      ok
        ? { kind: 'done', ok: true, login: state.login }
        : { kind: 'done', ok: false, why: 'refused', cause: 'the password was refused' },
    )
  }

  /** Answers 'ask-scram' with the keys of the account's credentials, all of one salt and count; one at least. */
  scramKeys(keys: readonly DerivedScramKeys[]): ServerStep {
    const state = this.#state
    assert(state.kind === 'scram', 'no SCRAM keys were asked for')
    return this.#ended(state.scram.keys(keys))
  }

  #plain(bytes: Uint8Array): ServerStep {
    const message = parsePlain(bytes)
    if (message === undefined) return this.#malformed('PLAIN message out of form')
    // Nobody acts for somebody else here. An authzid that is looked at later than the password is how one
    // logs in as oneself and acts as another (rfc4616 §2 leaves the mapping to us: equal or refused).
    if (message.authzid !== '' && message.authzid !== message.authcid)
      return this.#ended({ kind: 'done', ok: false, why: 'refused', cause: 'authzid is not the login' })
    return this.#ask(message.authcid, message.password)
  }

  #loginName(bytes: Uint8Array): ServerStep {
    const login = strictUtf8(bytes)
    if (login === undefined || !isName(login, MAX_LOGIN_OCTETS))
      return this.#malformed('LOGIN name out of form')
    this.#state = { kind: 'wants-login-password', login }
    return challenge('Password:')
  }

  #loginPassword(login: string, bytes: Uint8Array): ServerStep {
    const password = bytes.length <= MAX_PASSWORD_OCTETS ? strictUtf8(bytes) : undefined
    if (password === undefined || password === '' || password.includes('\0'))
      return this.#malformed('LOGIN password out of form')
    return this.#ask(login, password)
  }

  #ask(login: string, password: string): ServerStep {
    this.#state = { kind: 'asked-password', login }
    return { kind: 'ask-password', login, password }
  }

  #malformed(cause: string): ServerStep {
    return this.#ended({ kind: 'done', ok: false, why: 'malformed', cause })
  }

  #ended(step: ServerStep): ServerStep {
    if (step.kind === 'done') this.#state = { kind: 'over' }
    return step
  }
}

function challenge(text: string): ServerStep {
  return { kind: 'challenge', bytes: Buffer.from(text) }
}
