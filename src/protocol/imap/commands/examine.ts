import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface ExamineCommand {
  readonly kind: 'examine'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.2. */
export function parseExamine(reader: WireReader): ExamineCommand {
  reader.space()
  return { kind: 'examine', mailbox: mailboxArgument(reader) }
}
