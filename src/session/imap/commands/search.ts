import type { SearchCommand } from '../../../protocol/imap/commands/search.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.4.4. */
export async function search(context: ImapContext, command: SearchCommand): Promise<ImapAnswer> {
  const { view } = context.selected
  const found = await context.deps.mailboxes.search(context.access, view, command.key)
  if (!found.ok) return refusal(context, found.error)
  const numbers = command.uid ? found.value.map((sequence) => view.uid(sequence)) : found.value
  context.machine.send({ kind: 'search', numbers })
  return done('OK', 'SEARCH completed')
}
