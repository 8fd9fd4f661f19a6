import type { CommandReader } from '../reader.ts'

export interface CloseCommand {
  readonly kind: 'close'
}

/** rfc3501 §6.4.2. */
export function parseClose(_reader: CommandReader): CloseCommand {
  return { kind: 'close' }
}
