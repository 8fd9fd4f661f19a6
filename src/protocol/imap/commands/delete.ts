import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface DeleteCommand {
  readonly kind: 'delete'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.4. */
export function parseDelete(reader: WireReader): DeleteCommand {
  reader.space()
  return { kind: 'delete', mailbox: mailboxArgument(reader) }
}
