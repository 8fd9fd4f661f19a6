import type { ImapCommand } from './command.ts'
import { parseAppend } from './commands/append.ts'
import { parseAuthenticate } from './commands/authenticate.ts'
import { parseCapability } from './commands/capability.ts'
import { parseCheck } from './commands/check.ts'
import { parseClose } from './commands/close.ts'
import { parseCopy } from './commands/copy.ts'
import { parseCreate } from './commands/create.ts'
import { parseDelete } from './commands/delete.ts'
import { parseEnable } from './commands/enable.ts'
import { parseExamine } from './commands/examine.ts'
import { parseExpunge, parseUidExpunge } from './commands/expunge.ts'
import { parseFetch } from './commands/fetch.ts'
import { parseId } from './commands/id.ts'
import { parseIdle } from './commands/idle.ts'
import { parseList } from './commands/list.ts'
import { parseLogin } from './commands/login.ts'
import { parseLogout } from './commands/logout.ts'
import { parseLsub } from './commands/lsub.ts'
import { parseMove } from './commands/move.ts'
import { parseNamespace } from './commands/namespace.ts'
import { parseNoop } from './commands/noop.ts'
import { parseRename } from './commands/rename.ts'
import { parseSearch } from './commands/search.ts'
import { parseSelect } from './commands/select.ts'
import { parseStartTls } from './commands/starttls.ts'
import { parseStatus } from './commands/status.ts'
import { parseStore } from './commands/store.ts'
import { parseSubscribe } from './commands/subscribe.ts'
import { parseUnselect } from './commands/unselect.ts'
import { parseUnsubscribe } from './commands/unsubscribe.ts'
import type { CommandFault } from './fault.ts'
import { MAX_TAG_OCTETS } from './limits.ts'
import { type WirePart, WireReader } from './reader.ts'
import { ALLOWED_IN, type ImapState } from './states.ts'

type Parse = (reader: WireReader, uid: boolean) => ImapCommand

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
  | RefusedCommand

export interface RefusedCommand {
  readonly ok: false
  readonly tag: string | undefined
  /** In upper case; empty where none could be read. */
  readonly verb: string
  readonly fault: CommandFault
}

/** Reads one whole command (rfc3501 §9, command). Pure; all that it needs is in `parts`. */
export function parseCommand(parts: readonly WirePart[]): ParsedCommand {
  const reader = new WireReader(parts)
  const { tag, verb, parse, uid } = readVerb(reader)
  if (parse === undefined || tag === undefined) return refused(tag, verb, reader)
  const command = parse(reader, uid)
  if (command.kind !== 'append') reader.end()
  return reader.fault === undefined ? { ok: true, tag, command } : refused(tag, verb, reader)
}

/**
 * Looks at tag and verb alone, before the literals of a command are let in: what is unknown or not allowed
 * now needs none of them.
 */
export function checkVerb(text: string, state: ImapState): RefusedCommand | undefined {
  const reader = new WireReader([{ kind: 'text', text }])
  const { tag, verb, parse } = readVerb(reader)
  if (parse === undefined || tag === undefined) return refused(tag, verb, reader)
  const kind = verb.toLowerCase() as ImapCommand['kind']
  return ALLOWED_IN[kind].includes(state)
    ? undefined
    : { ok: false, tag, verb, fault: { status: 'BAD', text: `${verb} is not allowed ${WHEN[state]}` } }
}

const WHEN: Readonly<Record<ImapState, string>> = {
  'not-authenticated': 'before login',
  authenticated: 'now',
  selected: 'now',
  logout: 'any more',
}

interface Verb {
  readonly tag: string | undefined
  readonly verb: string
  readonly parse: Parse | undefined
  readonly uid: boolean
}

function readVerb(reader: WireReader): Verb {
  const tag = readTag(reader)
  if (tag === undefined) reader.fail('a command starts with a tag')
  reader.space()
  const first = reader.word('a command')
  const uid = first === 'UID'
  if (uid) reader.space()
  const verb = uid ? reader.word('a command') : first
  const parse = (uid ? UID_VERBS : VERBS).get(verb)
  if (parse === undefined) reader.fail('unknown command')
  return { tag, verb, parse, uid }
}

function refused(tag: string | undefined, verb: string, reader: WireReader): RefusedCommand {
  return { ok: false, tag, verb, fault: reader.fault ?? { status: 'BAD', text: 'unknown command' } }
}

/** rfc3501 §9, tag: ASTRING-CHARs without `+`. */
function readTag(reader: WireReader): string | undefined {
  const tag = reader.astringCharsOrNothing()
  return tag === '' || tag.length > MAX_TAG_OCTETS || tag.includes('+') ? undefined : tag
}
