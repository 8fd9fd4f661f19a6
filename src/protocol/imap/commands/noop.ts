import type { CommandReader } from '../reader.ts'

export interface NoopCommand {
  readonly kind: 'noop'
}

/** rfc3501 §6.1.2. */
export function parseNoop(_reader: CommandReader): NoopCommand {
  return { kind: 'noop' }
}
