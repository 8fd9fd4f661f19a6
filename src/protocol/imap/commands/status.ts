import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

/** rfc3501 §6.3.10; SIZE is rfc8438 §2, APPENDLIMIT rfc7889 §3. */
export type StatusItem = 'MESSAGES' | 'RECENT' | 'UIDNEXT' | 'UIDVALIDITY' | 'UNSEEN' | 'SIZE' | 'APPENDLIMIT'

export const STATUS_ITEMS: readonly string[] = [
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'SIZE',
  'APPENDLIMIT',
]

export interface StatusCommand {
  readonly kind: 'status'
  readonly mailbox: MailboxName
  /** Each at most once. */
  readonly items: readonly StatusItem[]
}

export function parseStatus(reader: WireReader): StatusCommand {
  reader.space()
  const mailbox = mailboxArgument(reader)
  reader.space()
  return { kind: 'status', mailbox, items: readStatusItems(reader) }
}

export function readStatusItems(reader: WireReader): StatusItem[] {
  const items = new Set<StatusItem>()
  reader.list({ least: 1, most: STATUS_ITEMS.length * 2, what: 'items' }, () => {
    const word = reader.word('a status item')
    if (!STATUS_ITEMS.includes(word)) reader.fail('unknown status item')
    items.add(word as StatusItem)
  })
  return [...items]
}
