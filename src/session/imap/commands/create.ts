import type { CreateCommand } from '../../../protocol/imap/commands/create.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.3.3. */
export async function create(context: ImapContext, command: CreateCommand): Promise<ImapAnswer> {
  const made = await context.deps.mailboxes.create(context.access, command.mailbox)
  return made.ok ? done('OK', 'CREATE completed') : refusal(context, made.error)
}
