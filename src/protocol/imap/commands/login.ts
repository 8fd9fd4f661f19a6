import type { WireReader } from '../reader.ts'
import { utf8Argument } from './arguments.ts'

export interface LoginCommand {
  readonly kind: 'login'
  readonly user: string
  readonly password: string
}

/** rfc3501 §6.2.3. 8-bit octets are not in the grammar; clients send passwords in UTF-8 and nothing else makes sense. */
export function parseLogin(reader: WireReader): LoginCommand {
  reader.space()
  const user = utf8Argument(reader, reader.astring('a user name'))
  reader.space()
  return { kind: 'login', user, password: utf8Argument(reader, reader.astring('a password')) }
}
