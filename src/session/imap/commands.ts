import type { AskedCommand, ImapAnswer } from '../../protocol/imap/types.ts'
import { capability } from './commands/capability.ts'
import { check } from './commands/check.ts'
import { close } from './commands/close.ts'
import { copy } from './commands/copy.ts'
import { create } from './commands/create.ts'
import { deleteMailbox } from './commands/delete.ts'
import { enable } from './commands/enable.ts'
import { expunge } from './commands/expunge.ts'
import { fetch } from './commands/fetch.ts'
import { id } from './commands/id.ts'
import { list } from './commands/list.ts'
import { login } from './commands/login.ts'
import { lsub } from './commands/lsub.ts'
import { move } from './commands/move.ts'
import { namespace } from './commands/namespace.ts'
import { noop } from './commands/noop.ts'
import { rename } from './commands/rename.ts'
import { search } from './commands/search.ts'
import { select } from './commands/select.ts'
import { starttls } from './commands/starttls.ts'
import { status } from './commands/status.ts'
import { store } from './commands/store.ts'
import { subscribe } from './commands/subscribe.ts'
import { unselect } from './commands/unselect.ts'
import type { ImapContext } from './context.ts'

/** AUTHENTICATE, APPEND and IDLE go on over several asks: the session keeps them itself. */
export function runCommand(
  context: ImapContext,
  command: Exclude<AskedCommand, { kind: 'authenticate' }>,
): ImapAnswer | Promise<ImapAnswer> {
  switch (command.kind) {
    case 'capability':
      return capability(context)
    case 'check':
      return check()
    case 'close':
      return close(context)
    case 'copy':
      return copy(context, command)
    case 'create':
      return create(context, command)
    case 'delete':
      return deleteMailbox(context, command)
    case 'enable':
      return enable(context)
    case 'examine':
      return select(context, command.mailbox, true)
    case 'expunge':
      return expunge(context, command)
    case 'fetch':
      return fetch(context, command)
    case 'id':
      return id(context, command)
    case 'list':
      return list(context, command)
    case 'login':
      return login(context, command)
    case 'lsub':
      return lsub(context, command)
    case 'move':
      return move(context, command)
    case 'namespace':
      return namespace(context)
    case 'noop':
      return noop()
    case 'rename':
      return rename(context, command)
    case 'search':
      return search(context, command)
    case 'select':
      return select(context, command.mailbox, false)
    case 'starttls':
      return starttls(context)
    case 'status':
      return status(context, command)
    case 'store':
      return store(context, command)
    case 'subscribe':
    case 'unsubscribe':
      return subscribe(context, command)
    case 'unselect':
      return unselect(context)
  }
}
