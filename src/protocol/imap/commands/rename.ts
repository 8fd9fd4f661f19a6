import { type MailboxName, parseNewMailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument, mailboxOf, mailboxText } from './arguments.ts'

export interface RenameCommand {
  readonly kind: 'rename'
  readonly from: MailboxName
  readonly to: MailboxName
}

/** rfc3501 §6.3.5. */
export function parseRename(reader: WireReader): RenameCommand {
  reader.space()
  const from = mailboxArgument(reader)
  reader.space()
  return { kind: 'rename', from, to: mailboxOf(reader, mailboxText(reader), parseNewMailboxName) }
}
