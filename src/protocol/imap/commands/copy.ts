import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { UidSet } from '../../../mail/uid-set.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument, setArgument } from './arguments.ts'

export interface CopyCommand {
  readonly kind: 'copy'
  /** Whether `set` holds UIDs. */
  readonly uid: boolean
  readonly set: UidSet
  readonly mailbox: MailboxName
}

/** rfc3501 §6.4.7. */
export function parseCopy(reader: WireReader, uid: boolean): CopyCommand {
  reader.space()
  const set = setArgument(reader)
  reader.space()
  return { kind: 'copy', uid, set, mailbox: mailboxArgument(reader) }
}
