import type { DeleteCommand } from '../../../protocol/imap/commands/delete.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.3.4. */
export async function deleteMailbox(context: ImapContext, command: DeleteCommand): Promise<ImapAnswer> {
  const deleted = await context.deps.mailboxes.delete(context.access, command.mailbox)
  return deleted.ok ? done('OK', 'DELETE completed') : refusal(context, deleted.error)
}
