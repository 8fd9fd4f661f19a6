import type { WireReader } from '../reader.ts'

export interface LogoutCommand {
  readonly kind: 'logout'
}

/** rfc3501 §6.1.3. */
export function parseLogout(_reader: WireReader): LogoutCommand {
  return { kind: 'logout' }
}
