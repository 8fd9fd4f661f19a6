import { type AppendCommand, parseAppend } from './commands/append.ts'
import { type AuthenticateCommand, parseAuthenticate } from './commands/authenticate.ts'
import { type CapabilityCommand, parseCapability } from './commands/capability.ts'
import { type CheckCommand, parseCheck } from './commands/check.ts'
import { type CloseCommand, parseClose } from './commands/close.ts'
import { type CopyCommand, parseCopy } from './commands/copy.ts'
import { type CreateCommand, parseCreate } from './commands/create.ts'
import { type DeleteCommand, parseDelete } from './commands/delete.ts'
import { type EnableCommand, parseEnable } from './commands/enable.ts'
import { type ExamineCommand, parseExamine } from './commands/examine.ts'
import { type ExpungeCommand, parseExpunge, parseUidExpunge } from './commands/expunge.ts'
import { type FetchCommand, parseFetch } from './commands/fetch.ts'
import { type IdCommand, parseId } from './commands/id.ts'
import { type IdleCommand, parseIdle } from './commands/idle.ts'
import { type ListCommand, parseList } from './commands/list.ts'
import { type LoginCommand, parseLogin } from './commands/login.ts'
import { type LogoutCommand, parseLogout } from './commands/logout.ts'
import { type LsubCommand, parseLsub } from './commands/lsub.ts'
import { type MoveCommand, parseMove } from './commands/move.ts'
import { type NamespaceCommand, parseNamespace } from './commands/namespace.ts'
import { type NoopCommand, parseNoop } from './commands/noop.ts'
import { parseRename, type RenameCommand } from './commands/rename.ts'
import { parseSearch, type SearchCommand } from './commands/search.ts'
import { parseSelect, type SelectCommand } from './commands/select.ts'
import { parseStartTls, type StartTlsCommand } from './commands/starttls.ts'
import { parseStatus, type StatusCommand } from './commands/status.ts'
import { parseStore, type StoreCommand } from './commands/store.ts'
import { parseSubscribe, type SubscribeCommand } from './commands/subscribe.ts'
import { parseUnselect, type UnselectCommand } from './commands/unselect.ts'
import { parseUnsubscribe, type UnsubscribeCommand } from './commands/unsubscribe.ts'
import type { CommandFault } from './fault.ts'
import { MAX_TAG_OCTETS } from './limits.ts'
import { type CommandPart, CommandReader } from './reader.ts'

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

type Parse = (reader: CommandReader, uid: boolean) => ImapCommand

/** By the verb on the wire. A new command is one line here, one in `states.ts`, and a file in `commands/`. */
const VERBS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['APPEND', parseAppend],
  ['AUTHENTICATE', parseAuthenticate],
  ['CAPABILITY', parseCapability],
  ['CHECK', parseCheck],
  ['CLOSE', parseClose],
  ['COPY', parseCopy],
  ['CREATE', parseCreate],
  ['DELETE', parseDelete],
  ['ENABLE', parseEnable],
  ['EXAMINE', parseExamine],
  ['EXPUNGE', parseExpunge],
  ['FETCH', parseFetch],
  ['ID', parseId],
  ['IDLE', parseIdle],
  ['LIST', parseList],
  ['LOGIN', parseLogin],
  ['LOGOUT', parseLogout],
  ['LSUB', parseLsub],
  ['MOVE', parseMove],
  ['NAMESPACE', parseNamespace],
  ['NOOP', parseNoop],
  ['RENAME', parseRename],
  ['SEARCH', parseSearch],
  ['SELECT', parseSelect],
  ['STARTTLS', parseStartTls],
  ['STATUS', parseStatus],
  ['STORE', parseStore],
  ['SUBSCRIBE', parseSubscribe],
  ['UNSELECT', parseUnselect],
  ['UNSUBSCRIBE', parseUnsubscribe],
])

/** After `UID ` (rfc3501 §6.4.8, rfc4315 §2.1, rfc6851 §3.2). */
const UID_VERBS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['COPY', parseCopy],
  ['EXPUNGE', parseUidExpunge],
  ['FETCH', parseFetch],
  ['MOVE', parseMove],
  ['SEARCH', parseSearch],
  ['STORE', parseStore],
])

/** A command line as a value. `tag` is absent where none could be read: the reply then has `*`. */
export type ParsedCommand =
  | { readonly ok: true; readonly tag: string; readonly command: ImapCommand }
  | { readonly ok: false; readonly tag: string | undefined; readonly fault: CommandFault }

/** Reads one whole command (rfc3501 §9, command). Pure; all that it needs is in `parts`. */
export function parseCommand(parts: readonly CommandPart[]): ParsedCommand {
  const reader = new CommandReader(parts)
  const tag = readTag(reader)
  if (tag === undefined)
    return { ok: false, tag, fault: { status: 'BAD', text: 'a command starts with a tag' } }
  reader.space()
  const verb = reader.word('a command')
  const uid = verb === 'UID'
  if (uid) reader.space()
  const parse = uid ? UID_VERBS.get(reader.word('a command')) : VERBS.get(verb)
  if (parse === undefined || reader.fault !== undefined)
    return { ok: false, tag, fault: { status: 'BAD', text: 'unknown command' } }
  const command = parse(reader, uid)
  if (command.kind !== 'append') reader.end()
  return reader.fault === undefined ? { ok: true, tag, command } : { ok: false, tag, fault: reader.fault }
}

/** rfc3501 §9, tag: ASTRING-CHARs without `+`. */
function readTag(reader: CommandReader): string | undefined {
  const tag = reader.atomOrNothing()
  return tag === '' || tag.length > MAX_TAG_OCTETS || tag.includes('+') ? undefined : tag
}
