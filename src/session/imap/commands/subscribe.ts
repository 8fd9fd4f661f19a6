import type { SubscribeCommand } from '../../../protocol/imap/commands/subscribe.ts'
import type { UnsubscribeCommand } from '../../../protocol/imap/commands/unsubscribe.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** SUBSCRIBE and UNSUBSCRIBE (rfc3501 §6.3.6, §6.3.7). */
export async function subscribe(
  context: ImapContext,
  command: SubscribeCommand | UnsubscribeCommand,
): Promise<ImapAnswer> {
  const changed = await context.deps.mailboxes.subscribe(
    context.access,
    command.mailbox,
    command.kind === 'subscribe',
  )
  return changed.ok ? done('OK', `${command.kind.toUpperCase()} completed`) : refusal(context, changed.error)
}
