import type { CommandReader } from '../reader.ts'

export interface IdleCommand {
  readonly kind: 'idle'
}

/** rfc2177 §3. */
export function parseIdle(_reader: CommandReader): IdleCommand {
  return { kind: 'idle' }
}
