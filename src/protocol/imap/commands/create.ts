import { type MailboxName, parseNewMailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxOf, mailboxText } from './arguments.ts'

export interface CreateCommand {
  readonly kind: 'create'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.3: a separator at the end is taken off. */
export function parseCreate(reader: WireReader): CreateCommand {
  reader.space()
  return { kind: 'create', mailbox: mailboxOf(reader, mailboxText(reader), parseNewMailboxName) }
}
