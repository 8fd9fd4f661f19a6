import type { AppendCommand } from './commands/append.ts'
import type { AuthenticateCommand } from './commands/authenticate.ts'
import type { CapabilityCommand } from './commands/capability.ts'
import type { CheckCommand } from './commands/check.ts'
import type { CloseCommand } from './commands/close.ts'
import type { CopyCommand } from './commands/copy.ts'
import type { CreateCommand } from './commands/create.ts'
import type { DeleteCommand } from './commands/delete.ts'
import type { EnableCommand } from './commands/enable.ts'
import type { ExamineCommand } from './commands/examine.ts'
import type { ExpungeCommand } from './commands/expunge.ts'
import type { FetchCommand } from './commands/fetch.ts'
import type { IdCommand } from './commands/id.ts'
import type { IdleCommand } from './commands/idle.ts'
import type { ListCommand } from './commands/list.ts'
import type { LoginCommand } from './commands/login.ts'
import type { LogoutCommand } from './commands/logout.ts'
import type { LsubCommand } from './commands/lsub.ts'
import type { MoveCommand } from './commands/move.ts'
import type { NamespaceCommand } from './commands/namespace.ts'
import type { NoopCommand } from './commands/noop.ts'
import type { RenameCommand } from './commands/rename.ts'
import type { SearchCommand } from './commands/search.ts'
import type { SelectCommand } from './commands/select.ts'
import type { StartTlsCommand } from './commands/starttls.ts'
import type { StatusCommand } from './commands/status.ts'
import type { StoreCommand } from './commands/store.ts'
import type { SubscribeCommand } from './commands/subscribe.ts'
import type { UnselectCommand } from './commands/unselect.ts'
import type { UnsubscribeCommand } from './commands/unsubscribe.ts'

/** Every command as a value. Its parser stands beside its type. */
export type ImapCommand =
  | AppendCommand
  | AuthenticateCommand
  | CapabilityCommand
  | CheckCommand
  | CloseCommand
  | CopyCommand
  | CreateCommand
  | DeleteCommand
  | EnableCommand
  | ExamineCommand
  | ExpungeCommand
  | FetchCommand
  | IdCommand
  | IdleCommand
  | ListCommand
  | LoginCommand
  | LogoutCommand
  | LsubCommand
  | MoveCommand
  | NamespaceCommand
  | NoopCommand
  | RenameCommand
  | SearchCommand
  | SelectCommand
  | StartTlsCommand
  | StatusCommand
  | StoreCommand
  | SubscribeCommand
  | UnselectCommand
  | UnsubscribeCommand
