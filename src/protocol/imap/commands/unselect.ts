import type { WireReader } from '../reader.ts'

export interface UnselectCommand {
  readonly kind: 'unselect'
}

/** rfc3691 §2. */
export function parseUnselect(_reader: WireReader): UnselectCommand {
  return { kind: 'unselect' }
}
