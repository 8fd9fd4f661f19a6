import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface SelectCommand {
  readonly kind: 'select'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.1. */
export function parseSelect(reader: WireReader): SelectCommand {
  reader.space()
  return { kind: 'select', mailbox: mailboxArgument(reader) }
}
