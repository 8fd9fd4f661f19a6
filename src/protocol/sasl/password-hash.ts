import { argon2Sync, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { assert } from '../../mail/assert.ts'
import {
  ARGON2ID_HASH_OCTETS,
  ARGON2ID_MEMORY_KIB,
  ARGON2ID_PARALLELISM,
  ARGON2ID_PASSES,
  MAX_ARGON2ID_MEMORY_KIB,
  MAX_ARGON2ID_PARALLELISM,
  MAX_ARGON2ID_PASSES,
  MAX_CREDENTIALS_PER_ACCOUNT,
  MAX_PASSWORD_OCTETS,
  MAX_PHC_OCTETS,
  SALT_OCTETS,
} from './limits.ts'
import { saslprep } from './saslprep.ts'

/**
 * What a server keeps of a password. All of it is synchronous and slow on purpose: it runs in a worker
 * thread (libuv's asynchronous argon2 would take the threads that read files).
 */

export interface Argon2idParameters {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

const ARGON2ID_DEFAULTS: Argon2idParameters = {
  memoryKib: ARGON2ID_MEMORY_KIB,
  passes: ARGON2ID_PASSES,
  parallelism: ARGON2ID_PARALLELISM,
}

export type ScramHash = 'SHA-1' | 'SHA-256'
const NODE_HASH: Readonly<Record<ScramHash, 'sha1' | 'sha256'>> = {
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
}
export const HASH_OCTETS: Readonly<Record<ScramHash, number>> = { 'SHA-1': 20, 'SHA-256': 32 }

export interface DerivedScramKeys {
  readonly hash: ScramHash
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/**
 * The password as octets: SASLprep'd UTF-8, so that PLAIN and SCRAM mean the same password.
 * @returns undefined where it is empty, too long or has prohibited characters.
 */
export function preparePassword(password: string, use: 'stored' | 'query'): Buffer | undefined {
  // Before normalising: NFKC makes up to 18 characters of one.
  if (password.length > MAX_PASSWORD_OCTETS) return undefined
  const octets = Buffer.from(saslprep(password, use) ?? '')
  return octets.length === 0 || octets.length > MAX_PASSWORD_OCTETS ? undefined : octets
}

/** A new PHC string. The password must have passed `weakness`; what cannot be prepared throws. */
export function hashArgon2id(
  password: string,
  how: { readonly salt: Uint8Array; readonly params?: Argon2idParameters },
): string {
  const message = preparePassword(password, 'stored')
  assert(message !== undefined, 'a password to be stored can be prepared')
  assert(how.salt.length >= SALT_OCTETS && how.salt.length <= 64, 'a salt has 16 to 64 octets')
  const params = how.params ?? ARGON2ID_DEFAULTS
  const hash = argon2id(message, how.salt, params, ARGON2ID_HASH_OCTETS)
  const { memoryKib, passes, parallelism } = params
  const salt = Buffer.from(how.salt)
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`
}

/** Whether `password` is the one behind `phc`. A string that is no PHC string or asks for too much is false. */
export function verifyArgon2id(phc: string, password: string): boolean {
  return matchArgon2id([phc], password) !== undefined
}

/**
 * The index of the PHC string behind which `password` is. Strings of one salt and one set of parameters are
 * one computation, and all are compared, so that the time does not tell how many an account has.
 */
export function matchArgon2id(phcs: readonly string[], password: string): number | undefined {
  const message = preparePassword(password, 'query')
  if (message === undefined) return undefined
  const computed = new Map<string, Buffer>()
  let match: number | undefined
  for (const [i, phc] of phcs.slice(0, MAX_CREDENTIALS_PER_ACCOUNT).entries()) {
    const wanted = parsePhc(phc)
    if (wanted === undefined) continue
    const challenge = `${phc.slice(0, phc.lastIndexOf('$'))} ${wanted.hash.length}`
    const hash = computed.get(challenge) ?? argon2id(message, wanted.salt, wanted.params, wanted.hash.length)
    computed.set(challenge, hash)
    if (timingSafeEqual(hash, wanted.hash)) match ??= i
  }
  return match
}

/** Reads a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`); undefined where it is none or beyond the bounds. */
export function parsePhc(
  phc: string,
): { readonly params: Argon2idParameters; readonly salt: Uint8Array; readonly hash: Uint8Array } | undefined {
  const match = phc.length <= MAX_PHC_OCTETS ? PHC.exec(phc) : null
  if (match === null) return undefined
  const [, m, t, p, salt, hash] = match as unknown as readonly [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const params = { memoryKib: Number(m), passes: Number(t), parallelism: Number(p) }
  const inBounds =
    params.passes >= 1 &&
    params.passes <= MAX_ARGON2ID_PASSES &&
    params.parallelism >= 1 &&
    params.parallelism <= MAX_ARGON2ID_PARALLELISM &&
    params.memoryKib >= 8 * params.parallelism &&
    params.memoryKib <= MAX_ARGON2ID_MEMORY_KIB
  return inBounds
    ? { params, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
    : undefined
}

/** rfc5802 §3: what the server keeps; neither key lets its thief log in elsewhere without guessing. */
export function deriveScramKeys(
  password: string,
  how: { readonly hash: ScramHash; readonly salt: Uint8Array; readonly iterations: number },
): DerivedScramKeys {
  const prepared = preparePassword(password, 'stored')
  assert(prepared !== undefined, 'a password to be stored can be prepared')
  const salted = saltedPassword(prepared, how)
  return {
    hash: how.hash,
    salt: how.salt,
    iterations: how.iterations,
    storedKey: digest(how.hash, hmac(how.hash, salted, 'Client Key')),
    serverKey: hmac(how.hash, salted, 'Server Key'),
  }
}

/** Hi() of rfc5802 §2.2. */
export function saltedPassword(
  prepared: Uint8Array,
  how: { readonly hash: ScramHash; readonly salt: Uint8Array; readonly iterations: number },
): Buffer {
  return pbkdf2Sync(prepared, how.salt, how.iterations, HASH_OCTETS[how.hash], NODE_HASH[how.hash])
}

export function hmac(hash: ScramHash, key: Uint8Array, data: Uint8Array | string): Buffer {
  return createHmac(NODE_HASH[hash], key).update(data).digest()
}

export function digest(hash: ScramHash, data: Uint8Array): Buffer {
  return createHash(NODE_HASH[hash]).update(data).digest()
}

function argon2id(
  message: Uint8Array,
  nonce: Uint8Array,
  params: Argon2idParameters,
  tagLength: number,
): Buffer {
  const { memoryKib: memory, passes, parallelism } = params
  return argon2Sync('argon2id', { message, nonce, memory, passes, parallelism, tagLength })
}

function unpadded(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '')
}
