import type { MailboxStatus } from '../../../ports/mailboxes.ts'
import type { StatusCommand, StatusItem } from '../../../protocol/imap/commands/status.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.3.10. */
export async function status(context: ImapContext, command: StatusCommand): Promise<ImapAnswer> {
  const found = await context.deps.mailboxes.status(context.access, command.mailbox)
  if (!found.ok) return refusal(context, found.error)
  sendStatus(context, { mailbox: command.mailbox, status: found.value, items: command.items })
  return done('OK', 'STATUS completed')
}

export function sendStatus(
  context: ImapContext,
  what: { readonly mailbox: string; readonly status: MailboxStatus; readonly items: readonly StatusItem[] },
): void {
  const limit = context.deps.settings().maxMessageBytes
  const items = what.items.map((item) => [item, statusValue(item, what.status, limit)] as const)
  context.machine.send({ kind: 'status', mailbox: what.mailbox, items })
}

function statusValue(item: StatusItem, from: MailboxStatus, appendLimit: number): number {
  switch (item) {
    case 'MESSAGES':
      return from.messages
    case 'RECENT':
      return from.recent
    case 'UIDNEXT':
      return from.uidNext
    case 'UIDVALIDITY':
      return from.uidValidity
    case 'UNSEEN':
      return from.unseen
    case 'SIZE':
      return from.sizeBytes
    case 'APPENDLIMIT':
      return appendLimit
  }
}
