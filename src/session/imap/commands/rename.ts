import type { RenameCommand } from '../../../protocol/imap/commands/rename.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.3.5. */
export async function rename(context: ImapContext, command: RenameCommand): Promise<ImapAnswer> {
  const renamed = await context.deps.mailboxes.rename(context.access, command.from, command.to)
  return renamed.ok ? done('OK', 'RENAME completed') : refusal(context, renamed.error)
}
