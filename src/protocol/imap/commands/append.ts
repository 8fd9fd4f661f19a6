import { type FlagSet, NO_FLAGS } from '../../../mail/flags.ts'
import type { MailboxName } from '../../../mail/mailbox-name.ts'
import { type InternalDate, parseInternalDate } from '../date.ts'
import type { WireReader } from '../reader.ts'
import { flagListArgument, mailboxArgument } from './arguments.ts'

/** APPEND up to its message literal. */
export interface AppendCommand {
  readonly kind: 'append'
  readonly mailbox: MailboxName
  readonly flags: FlagSet
  readonly internalDate?: InternalDate | undefined
  readonly sizeBytes: number
}

/** rfc3501 §6.3.11. The message must be a literal that is announced and not yet read. */
export function parseAppend(reader: WireReader): AppendCommand {
  reader.space()
  const mailbox = mailboxArgument(reader)
  reader.space()
  const hasFlags = reader.peek() === '('
  const flags = hasFlags ? flagListArgument(reader) : NO_FLAGS
  if (hasFlags) reader.space()
  let internalDate: InternalDate | undefined
  if (reader.peek() === '"') {
    internalDate = parseInternalDate(reader.string('a date'))
    if (internalDate === undefined) reader.fail('not a date-time')
    reader.space()
  }
  const sizeBytes = reader.announced()
  if (sizeBytes === undefined) reader.fail('expected the message as a literal')
  return { kind: 'append', mailbox, flags, internalDate, sizeBytes: sizeBytes ?? 0 }
}
