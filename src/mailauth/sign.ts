import { Bug } from '../mail/assert.ts'
import type { SigningKey } from '../ports/mail-auth.ts'

export interface ToSign {
  readonly content: AsyncIterable<Uint8Array>
  /** Fields that will stand before the content's own; signed like them. */
  readonly added: Uint8Array
  readonly keys: readonly SigningKey[]
  readonly nowMs: number
}

/** The DKIM-Signature fields (rfc6376 §5), CRLF-ended, one a key; reads the content once, holds only its header. */
export async function sign(_input: ToSign): Promise<string> {
  throw new Bug('not there yet')
}
