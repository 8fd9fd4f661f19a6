import { timingSafeEqual } from 'node:crypto'
import { digest, hmac, type ScramHash } from './password-hash.ts'

/** The computations of rfc5802 §3. Secrets are compared in constant time, lengths first. */

/** @returns ClientProof and the ServerSignature that the client must see afterwards. */
export function clientProof(
  hash: ScramHash,
  salted: Uint8Array,
  authMessage: string,
): { readonly proof: Uint8Array; readonly serverSignature: Uint8Array } {
  const clientKey = hmac(hash, salted, 'Client Key')
  const signature = hmac(hash, digest(hash, clientKey), authMessage)
  const serverKey = hmac(hash, salted, 'Server Key')
  return { proof: xor(clientKey, signature), serverSignature: hmac(hash, serverKey, authMessage) }
}

/** Whether the proof was made with the password behind `storedKey`. */
export function proofMatches(
  hash: ScramHash,
  storedKey: Uint8Array,
  proof: Uint8Array,
  authMessage: string,
): boolean {
  const signature = hmac(hash, storedKey, authMessage)
  // rfc5802 §3: XOR is of two strings of one length; a longer proof must not be cut, a shorter not be filled.
  if (proof.length !== signature.length) return false
  return equalSecrets(digest(hash, xor(signature, proof)), storedKey)
}

export function serverSignature(hash: ScramHash, serverKey: Uint8Array, authMessage: string): Uint8Array {
  return hmac(hash, serverKey, authMessage)
}

/** Equal octets; takes as long whether the first or the last one differs. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ (b[i] as number)))
}
