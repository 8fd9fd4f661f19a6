import type { AccountId } from '../mail/ids.ts'
import type { ScramKeys } from './accounts.ts'

/** Where the attempt comes from. */
export interface AttemptContext {
  /** Canonical address of the client. */
  readonly client: string
  readonly protocol: 'smtp' | 'imap'
  readonly mechanism: string
}

export type LoginResult =
  | { readonly kind: 'ok'; readonly account: AccountId; readonly login: string }
  /** Wrong password, unknown user, disabled: the peer can't tell them apart; `cause` is for the log. */
  | { readonly kind: 'refused'; readonly cause: string }
  /** Too many failures; the right password is not looked at either. */
  | { readonly kind: 'blocked'; readonly retryAfterSeconds: number }
  /** We can't tell now (disk, worker): 454 4.7.0, never "wrong password". */
  | { readonly kind: 'temporary'; readonly cause: string }

/** The one room that knows passwords, for SMTP and IMAP alike. */
export interface Credentials {
  /** Mechanisms on offer: none before TLS (but where a setting allows it on loopback), -PLUS only with a binding. */
  mechanisms(connection: {
    readonly tls: boolean
    readonly loopback: boolean
    readonly bindings: readonly ('tls-exporter' | 'tls-server-end-point')[]
  }): readonly string[]
  /** PLAIN and LOGIN. Slow on purpose after failures. */
  verifyPassword(login: string, password: string, context: AttemptContext): Promise<LoginResult>
  /** SCRAM keys of the user, or stable false ones for an unknown user or one without SCRAM keys. */
  scramKeys(
    login: string,
    hash: 'SHA-1' | 'SHA-256',
    context: AttemptContext,
  ): Promise<
    | {
        readonly kind: 'keys'
        /**
         * Never empty. One for each of the account's credentials, all of one salt and one count, so that one
         * challenge serves every app password: the exchange tries the proof on each.
         */
        readonly keys: readonly ScramKeys[]
        readonly account: AccountId | undefined
        readonly login: string
      }
    | Exclude<LoginResult, { kind: 'ok' | 'refused' }>
  >
  /** Reports how a SCRAM exchange ended, so that budgets count it. */
  scramEnded(
    login: string,
    account: AccountId | undefined,
    ok: boolean,
    context: AttemptContext,
  ): Promise<LoginResult>
}

/** Password hashing off the main thread. The passwords given to be kept have passed `weakness`. */
export interface Hasher {
  /** New argon2id PHC string with the server's parameters. */
  argon2id(password: string, salt: Uint8Array): Promise<string>
  /**
   * The index of the PHC string that the password fits, or undefined. Strings that share one salt, as those
   * of one account do, cost one computation together.
   */
  matchArgon2id(phcs: readonly string[], password: string): Promise<number | undefined>
  scramKeys(
    password: string,
    how: { readonly hash: 'SHA-1' | 'SHA-256'; readonly salt: Uint8Array; readonly iterations: number },
  ): Promise<ScramKeys>
}
