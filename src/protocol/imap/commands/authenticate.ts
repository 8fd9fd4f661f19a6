import { readInitialResponse } from '../../sasl/wire.ts'
import type { WireReader } from '../reader.ts'

export interface AuthenticateCommand {
  readonly kind: 'authenticate'
  /** In upper case. */
  readonly mechanism: string
  /** rfc4959 §3: present where the client sent it, also when empty. */
  readonly initialResponse?: Uint8Array | undefined
}

/** rfc3501 §6.2.2, with the initial response of rfc4959 §3. */
export function parseAuthenticate(reader: WireReader): AuthenticateCommand {
  reader.space()
  const mechanism = reader.word('a mechanism')
  // rfc4422 §3.1.
  if (!/^[A-Z0-9_-]{1,20}$/.test(mechanism)) reader.fail('not a mechanism')
  if (!reader.tryChar(' ')) return { kind: 'authenticate', mechanism }
  const initial = readInitialResponse(reader.atom('base64'))
  if (initial.kind === 'response') return { kind: 'authenticate', mechanism, initialResponse: initial.bytes }
  reader.fail('the initial response is not base64')
  return { kind: 'authenticate', mechanism }
}
