import type { WireReader } from '../reader.ts'
import { mailboxText } from './arguments.ts'
import { readPattern } from './list.ts'

export interface LsubCommand {
  readonly kind: 'lsub'
  /** The reference joined with the pattern. */
  readonly pattern: string
}

/** rfc3501 §6.3.9. */
export function parseLsub(reader: WireReader): LsubCommand {
  reader.space()
  const reference = mailboxText(reader)
  reader.space()
  return { kind: 'lsub', pattern: reference + readPattern(reader) }
}
