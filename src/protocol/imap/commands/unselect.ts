import type { CommandReader } from '../reader.ts'

export interface UnselectCommand {
  readonly kind: 'unselect'
}

/** rfc3691 §2. */
export function parseUnselect(_reader: CommandReader): UnselectCommand {
  return { kind: 'unselect' }
}
