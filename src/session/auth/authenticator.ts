import type { AccountId } from '../../mail/ids.ts'
import { budgetKey } from '../../mail/ip.ts'
import type { AccountStore } from '../../ports/accounts.ts'
import type { Attempt, AttemptBudget } from '../../ports/budget.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AttemptContext, Credentials, Hasher, LoginResult } from '../../ports/credentials.ts'
import type { Random } from '../../ports/random.ts'
import { FALSE_ARGON2ID, falseScramKeys, verifiedTag } from '../../protocol/sasl/account-secrets.ts'
import { MECHANISMS } from '../../protocol/sasl/mechanisms.ts'
import { findIdentity, type Identity, ourFault } from './identity.ts'
import {
  MAX_DELAYED,
  MAX_HASHING,
  MAX_VERIFIED,
  MAX_WRONG,
  PROCESS_KEY_OCTETS,
  VERIFIED_FOR_MS,
  WRONG_FOR_MS,
} from './limits.ts'
import { Remembered } from './remembered.ts'
import { chooseScramKeys } from './scram-choice.ts'

export interface AuthSettings {
  /** Take passwords without TLS from loopback. */
  readonly plainTextOnLoopback: boolean
  readonly scramSha1: boolean
}

export interface AuthenticatorOptions {
  readonly accounts: Pick<
    AccountStore,
    'findAccount' | 'credentials' | 'noteGoodAddress' | 'isGoodAddress' | 'onChange'
  >
  readonly hasher: Hasher
  readonly budget: AttemptBudget
  readonly clock: Clock
  readonly random: Random
  /** Makes false salts stable over restarts; not shown to anybody. */
  readonly installationSecret: Uint8Array
  /** Asked each time, so that a reload is in force at once. */
  readonly settings: () => AuthSettings
}

type Denied = Exclude<LoginResult, { kind: 'ok' }>
type ScramAnswer = Awaited<ReturnType<Credentials['scramKeys']>>

/**
 * The one place that says who somebody is. A stranger learns nothing but yes and no: an account that does not
 * exist, has no password or is disabled costs the same work and gives the same answers as a wrong password.
 */
export class Authenticator implements Credentials {
  readonly #options: AuthenticatorOptions
  readonly #processKey: Uint8Array
  readonly #verified = new Remembered({ maxEntries: MAX_VERIFIED, keepMs: VERIFIED_FOR_MS })
  readonly #wrong = new Remembered({ maxEntries: MAX_WRONG, keepMs: WRONG_FOR_MS })
  /** A phone that opens ten connections at once is one attempt. */
  readonly #running = new Map<string, Promise<LoginResult>>()
  readonly #unsubscribe: () => void
  #hashing = 0
  #delayed = 0

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#processKey = options.random.bytes(PROCESS_KEY_OCTETS)
    this.#unsubscribe = options.accounts.onChange(({ login }) => {
      this.#verified.forget(login)
      this.#wrong.forget(login)
    })
  }

  close(): void {
    this.#unsubscribe()
    this.#verified.forget(undefined)
    this.#wrong.forget(undefined)
  }

  mechanisms(connection: Parameters<Credentials['mechanisms']>[0]): readonly string[] {
    const { plainTextOnLoopback, scramSha1 } = this.#options.settings()
    // SCRAM too: without TLS nobody knows whom the password's proof goes to.
    if (!connection.tls && !(connection.loopback && plainTextOnLoopback)) return []
    const binds = connection.tls && connection.bindings.length > 0
    return MECHANISMS.filter(
      (one) => one.kind !== 'scram' || ((binds || !one.plus) && (scramSha1 || one.hash !== 'SHA-1')),
    ).map((one) => one.name)
  }

  async verifyPassword(login: string, password: string, context: AttemptContext): Promise<LoginResult> {
    const identity = await findIdentity(this.#options.accounts, login)
    if (identity.kind === 'temporary') return identity
    const attempt = this.#attempt(identity, context)
    const { version } = identity
    const tag = verifiedTag(this.#processKey, { login: identity.login, password, version })
    // The same wrong password again tells a guesser nothing, and an old phone must not lock its house out.
    if (this.#wrong.has(tag, this.#now())) return refused(identity, false)
    const running = `${attempt.client} ${tag}`
    const joined = this.#running.get(running)
    if (joined !== undefined) return joined
    const result = this.#verify(identity, { password, tag, attempt }).finally(() =>
      this.#running.delete(running),
    )
    this.#running.set(running, result)
    return result
  }

  async scramKeys(login: string, hash: 'SHA-1' | 'SHA-256', context: AttemptContext): Promise<ScramAnswer> {
    const identity = await findIdentity(this.#options.accounts, login)
    if (identity.kind === 'temporary') return identity
    const attempt = this.#attempt(identity, context)
    const denied = await this.#admit(attempt)
    if (denied?.kind === 'blocked' || denied?.kind === 'temporary') return denied
    const { account } = identity
    const keys = account === undefined || account.disabled ? [] : chooseScramKeys(identity.credentials, hash)
    if (account !== undefined && keys.length > 0)
      return { kind: 'keys', keys, account: account.id, login: identity.login }
    const none = falseScramKeys(this.#options.installationSecret, identity.login, hash)
    return { kind: 'keys', keys: [none], account: undefined, login: identity.login }
  }

  async scramEnded(
    login: string,
    account: AccountId | undefined,
    ok: boolean,
    context: AttemptContext,
  ): Promise<LoginResult> {
    const identity = await findIdentity(this.#options.accounts, login)
    if (identity.kind === 'temporary') return identity
    // The exchange may have taken a minute, in which the account was removed, made anew or disabled.
    const same = account !== undefined && identity.account?.id === account
    if (!ok || !same) return refused(identity, false)
    return this.#passed(identity, this.#attempt(identity, context))
  }

  async #verify(
    identity: Identity,
    of: { readonly password: string; readonly tag: string; readonly attempt: Attempt },
  ): Promise<LoginResult> {
    const { password, tag, attempt } = of
    const denied = await this.#admit(attempt)
    if (denied !== undefined) return denied
    if (this.#verified.has(tag, this.#now())) return this.#passed(identity, attempt)
    const fits = await this.#fits(identity, password)
    if (typeof fits !== 'boolean') {
      this.#options.budget.refund(attempt)
      return fits
    }
    const remembered = fits ? this.#verified : this.#wrong
    remembered.add(tag, identity.login, this.#now())
    return fits ? this.#passed(identity, attempt) : refused(identity, false)
  }

  async #fits(identity: Identity, password: string): Promise<boolean | Denied> {
    if (this.#hashing >= MAX_HASHING) return { kind: 'temporary', cause: 'too many logins at once' }
    this.#hashing++
    try {
      const phcs = identity.credentials.map((one) => one.argon2id)
      const match = await this.#options.hasher.matchArgon2id(
        phcs.length > 0 ? phcs : [FALSE_ARGON2ID],
        password,
      )
      return match !== undefined && phcs.length > 0
    } catch (error) {
      return ourFault('the password could not be checked', error)
    } finally {
      this.#hashing--
    }
  }

  /** The password is right: whether that is enough. */
  #passed(identity: Identity, attempt: Attempt): LoginResult {
    const { account, login } = identity
    if (account === undefined || account.disabled) return refused(identity, true)
    this.#options.budget.refund(attempt)
    if (!attempt.knownGood)
      this.#options.accounts.noteGoodAddress(account.id, attempt.client, this.#options.clock.now())
    return { kind: 'ok', account: account.id, login }
  }

  async #admit(attempt: Attempt): Promise<Denied | undefined> {
    const verdict = this.#options.budget.admit(attempt)
    if ('blockedForMs' in verdict)
      return { kind: 'blocked', retryAfterSeconds: Math.ceil(verdict.blockedForMs / 1_000) }
    if (verdict.delayMs === 0) return undefined
    if (this.#delayed >= MAX_DELAYED) {
      this.#options.budget.refund(attempt)
      return { kind: 'temporary', cause: 'too many logins are waiting' }
    }
    this.#delayed++
    await new Promise<void>((resolve) => this.#options.clock.after(verdict.delayMs, resolve))
    this.#delayed--
    return undefined
  }

  #attempt(identity: Identity, context: AttemptContext): Attempt {
    const client = budgetKey(context.client)
    const { account, login } = identity
    const knownGood = account !== undefined && this.#options.accounts.isGoodAddress(account.id, client)
    return { client, login, knownGood }
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }
}

/** For the log only: the peer is told the same in each case. */
function refused(identity: Identity, passwordFits: boolean): LoginResult {
  const { account, login } = identity
  if (account === undefined) return { kind: 'refused', cause: `there is no account ${login}` }
  if (account.disabled) return { kind: 'refused', cause: `the account ${login} is disabled` }
  return { kind: 'refused', cause: passwordFits ? 'refused' : 'wrong password' }
}
