import type { WireReader } from '../reader.ts'

export interface CheckCommand {
  readonly kind: 'check'
}

/** rfc3501 §6.4.1. */
export function parseCheck(_reader: WireReader): CheckCommand {
  return { kind: 'check' }
}
