import type { WireReader } from '../reader.ts'

export interface CloseCommand {
  readonly kind: 'close'
}

/** rfc3501 §6.4.2. */
export function parseClose(_reader: WireReader): CloseCommand {
  return { kind: 'close' }
}
