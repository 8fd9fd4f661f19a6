import type { WireReader } from '../reader.ts'

export interface IdleCommand {
  readonly kind: 'idle'
}

/** rfc2177 §3. */
export function parseIdle(_reader: WireReader): IdleCommand {
  return { kind: 'idle' }
}
