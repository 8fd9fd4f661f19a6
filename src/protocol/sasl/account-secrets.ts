import { createHmac } from 'node:crypto'
import {
  ARGON2ID_HASH_OCTETS,
  ARGON2ID_MEMORY_KIB,
  ARGON2ID_PARALLELISM,
  ARGON2ID_PASSES,
  SALT_OCTETS,
  SCRAM_ITERATIONS_GENERATED,
  SCRAM_ITERATIONS_GIVEN,
} from './limits.ts'
import { type DerivedScramKeys, HASH_OCTETS, type ScramHash } from './password-hash.ts'

/** What the session derives under a key of its own; it may not compute hashes itself. */

/**
 * The name under which a verified login is remembered. Each part goes in with its length, so that no two
 * different triples have one name (CVE-2025-30189: a cache that answered for somebody else).
 */
export function verifiedTag(
  processKey: Uint8Array,
  verified: { readonly login: string; readonly password: string; readonly version: string },
): string {
  return mac(processKey, ['verified', verified.login, verified.password, verified.version]).toString('base64')
}

/** One salt for all credentials of an account and for accounts that do not exist; stable, and no secret. */
export function scramSalt(installationSecret: Uint8Array, login: string, hash: ScramHash): Uint8Array {
  return mac(installationSecret, ['scram-salt', login, hash]).subarray(0, SALT_OCTETS)
}

/**
 * Keys that no password fits, the same for a login at each asking, so that a stranger cannot tell an account
 * from none. The count is one that real accounts have.
 */
export function falseScramKeys(
  installationSecret: Uint8Array,
  login: string,
  hash: ScramHash,
): DerivedScramKeys {
  const length = HASH_OCTETS[hash]
  const kind = mac(installationSecret, ['scram-count', login])[0] as number
  return {
    hash,
    salt: scramSalt(installationSecret, login, hash),
    iterations: kind < 64 ? SCRAM_ITERATIONS_GIVEN : SCRAM_ITERATIONS_GENERATED,
    storedKey: mac(installationSecret, ['scram-stored', login, hash]).subarray(0, length),
    serverKey: mac(installationSecret, ['scram-server', login, hash]).subarray(0, length),
  }
}

function mac(key: Uint8Array, parts: readonly string[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) {
    const octets = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(octets.length)
    hmac.update(length).update(octets)
  }
  return hmac.digest()
}

/** A hash as ours are that no password is known to have: the work of a login that names no account. */
export const FALSE_ARGON2ID = `$argon2id$v=19$m=${ARGON2ID_MEMORY_KIB},t=${ARGON2ID_PASSES},p=${ARGON2ID_PARALLELISM}$${base64Zeros(SALT_OCTETS)}$${base64Zeros(ARGON2ID_HASH_OCTETS)}`

function base64Zeros(octets: number): string {
  return Buffer.alloc(octets).toString('base64').replace(/=+$/, '')
}
