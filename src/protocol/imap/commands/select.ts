import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { CommandReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface SelectCommand {
  readonly kind: 'select'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.1. */
export function parseSelect(reader: CommandReader): SelectCommand {
  reader.space()
  return { kind: 'select', mailbox: mailboxArgument(reader) }
}
