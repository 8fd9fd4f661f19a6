import type { ScramKeys, StoredCredential } from '../../ports/accounts.ts'
import type { Hasher } from '../../ports/credentials.ts'
import type { Random } from '../../ports/random.ts'
import { scramSalt } from '../../protocol/sasl/account-secrets.ts'
import {
  MAX_CREDENTIALS_PER_ACCOUNT,
  SALT_OCTETS,
  SCRAM_ITERATIONS_GENERATED,
  SCRAM_ITERATIONS_GIVEN,
} from '../../protocol/sasl/limits.ts'
import { parsePhc } from '../../protocol/sasl/password-hash.ts'
import { generatePassword, weakness } from '../../protocol/sasl/password-quality.ts'

/** Makes what is kept of a new password, for every verb and page that sets one. */

export interface PasswordRequest {
  /** Canonical address of the account. */
  readonly login: string
  /** Name of the credential: `main`, or that of an app password's device. */
  readonly name: string
  /** undefined: one is generated. */
  readonly password?: string | undefined
  /** The account's credentials so far, none for a new account. */
  readonly existing: readonly StoredCredential[]
}

export interface PasswordTools {
  readonly hasher: Hasher
  readonly random: Random
  /** See `scramSalt`. */
  readonly installationSecret: Uint8Array
  /** Keep SCRAM-SHA-1 keys too: where the setting allows that mechanism. */
  readonly scramSha1: boolean
}

export type MadePassword =
  | {
      readonly ok: true
      readonly credential: Omit<StoredCredential, 'account' | 'createdAtMs'>
      /** In clear text, to be shown once where it was generated. */
      readonly password: string
      readonly generated: boolean
    }
  /** A clause: "The password is refused: …". */
  | { readonly ok: false; readonly reason: string }

export async function makeCredential(request: PasswordRequest, tools: PasswordTools): Promise<MadePassword> {
  const { login, name, existing } = request
  const others = existing.filter((one) => one.name !== name)
  if (others.length >= MAX_CREDENTIALS_PER_ACCOUNT)
    return { ok: false, reason: `the account has ${others.length} passwords already; remove one first` }
  const generated = request.password === undefined
  const password = request.password ?? generatePassword((octets) => tools.random.bytes(octets))
  const reason = weakness(password, { login })
  if (reason !== undefined) return { ok: false, reason }
  const argon2id = await tools.hasher.argon2id(
    password,
    argon2Salt(others) ?? tools.random.bytes(SALT_OCTETS),
  )
  const scram = await scramKeys(password, { login, others, generated }, tools)
  return { ok: true, credential: { name, argon2id, scram }, password, generated }
}

/** All hashes of an account share one salt: then each login costs one computation, however many there are. */
function argon2Salt(others: readonly StoredCredential[]): Uint8Array | undefined {
  for (const { argon2id } of others) {
    const salt = parsePhc(argon2id)?.salt
    if (salt !== undefined && salt.length >= SALT_OCTETS) return salt
  }
  return undefined
}

/**
 * A thief attacks the weaker of argon2id and SCRAM. A password that somebody chose gets the high count only;
 * a generated one cannot be guessed at any count and gets both: the low one is quick on phones and below the
 * bound of every client, the high one serves where the account has a chosen password as well.
 */
async function scramKeys(
  password: string,
  of: {
    readonly login: string
    readonly others: readonly StoredCredential[]
    readonly generated: boolean
  },
  tools: PasswordTools,
): Promise<readonly ScramKeys[]> {
  const counts = of.generated
    ? [SCRAM_ITERATIONS_GENERATED, SCRAM_ITERATIONS_GIVEN]
    : [SCRAM_ITERATIONS_GIVEN]
  const keys: ScramKeys[] = []
  for (const hash of tools.scramSha1 ? (['SHA-256', 'SHA-1'] as const) : (['SHA-256'] as const)) {
    const known = of.others.flatMap((one) => one.scram ?? []).find((one) => one.hash === hash)
    const salt = known?.salt ?? scramSalt(tools.installationSecret, of.login, hash)
    for (const iterations of counts)
      keys.push(await tools.hasher.scramKeys(password, { hash, salt, iterations }))
  }
  return keys
}
