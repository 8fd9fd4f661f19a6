import type { CommandReader } from '../reader.ts'

export interface CheckCommand {
  readonly kind: 'check'
}

/** rfc3501 §6.4.1. */
export function parseCheck(_reader: CommandReader): CheckCommand {
  return { kind: 'check' }
}
