import type { WireReader } from '../reader.ts'

export interface NoopCommand {
  readonly kind: 'noop'
}

/** rfc3501 §6.1.2. */
export function parseNoop(_reader: WireReader): NoopCommand {
  return { kind: 'noop' }
}
