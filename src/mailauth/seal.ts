import type { ArcFinding } from '../mail/authentication.ts'
import { Bug } from '../mail/assert.ts'
import type { SigningKey } from '../ports/mail-auth.ts'

export interface ToSeal {
  /** The header block of the message as received, before anything was taken out or added. */
  readonly header: Uint8Array
  /** base64 of SHA-256 over the body in relaxed form: mailauth's `seal.bodyHash`, or a `BodyHash`. */
  readonly bodyHash: string
  /** What was found of the chain that is there. */
  readonly arc: ArcFinding
  /** What we found, as `formatResults` says it. */
  readonly results: string
  /** rsa-sha256: rfc8617 §4.1.2 and §4.1.3 know no other that verifiers have. */
  readonly key: SigningKey
  readonly nowMs: number
  /** Names to sign instead of those that we choose. */
  readonly signs?: readonly string[] | undefined
}

/** The fields of a new ARC set (rfc8617 §5.1), CRLF-ended, in the order in which they stand; empty where none may be made. */
export function makeSeal(_input: ToSeal): string {
  throw new Bug('not there yet')
}
