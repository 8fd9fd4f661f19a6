import { encodeBase64 } from '../../bytes/base64.ts'
import { encodeMutf7 } from '../../bytes/mutf7.ts'
import { formatFlagSet } from '../../mail/flags.ts'
import { formatUidSet } from '../../mail/uid-set.ts'
import type { ImapCommand } from './command.ts'
import type { AppendCommand } from './commands/append.ts'
import type { FetchItem } from './commands/fetch.ts'
import type { ListCommand } from './commands/list.ts'
import type { StoreCommand } from './commands/store.ts'
import { formatInternalDate } from './date.ts'
import { encodeSearchKey } from './encode-search.ts'
import type { WirePart } from './reader.ts'
import { sectionLabel } from './responses/fetch.ts'
import { WireWriter } from './writer.ts'

const ITEM_NAMES = {
  uid: 'UID',
  flags: 'FLAGS',
  'internal-date': 'INTERNALDATE',
  size: 'RFC822.SIZE',
  envelope: 'ENVELOPE',
} as const

/** A command as it goes on the wire, literals apart: a client may have to wait before each. The CRLF is left away. */
export function encodeCommand(tag: string, command: ImapCommand): WirePart[] {
  const out = new WireWriter()
  out.text(`${tag} `)
  writeCommand(out, command)
  return out.parts()
}

function writeCommand(out: WireWriter, command: ImapCommand): WireWriter {
  const verb = command.kind.toUpperCase()
  switch (command.kind) {
    case 'login':
      return out.text(verb).spaceUtf8(command.user).spaceUtf8(command.password)
    case 'authenticate':
      return writeAuthenticate(out, command.mechanism, command.initialResponse)
    case 'select':
    case 'examine':
    case 'create':
    case 'delete':
    case 'subscribe':
    case 'unsubscribe':
      return out.text(verb).spaceMailbox(command.mailbox)
    case 'rename':
      return out.text(verb).spaceMailbox(command.from).spaceMailbox(command.to)
    case 'list':
      return writeList(out, command)
    case 'lsub':
      return out.text('LSUB ""').spaceString(encodeMutf7(command.pattern))
    case 'status':
      return out
        .text(verb)
        .spaceMailbox(command.mailbox)
        .text(` (${command.items.join(' ')})`)
    case 'append':
      return writeAppend(out, command)
    case 'expunge':
      return out.text(command.uids === undefined ? verb : `UID EXPUNGE ${formatUidSet(command.uids)}`)
    case 'search':
      return encodeSearchKey(out.text(`${uid(command.uid)}SEARCH CHARSET UTF-8 `), command.key)
    case 'fetch':
      return out.text(
        `${uid(command.uid)}FETCH ${formatUidSet(command.set)} (${command.items.map(fetchItem).join(' ')})`,
      )
    case 'store':
      return writeStore(out, command)
    case 'copy':
    case 'move':
      return out.text(`${uid(command.uid)}${verb} ${formatUidSet(command.set)}`).spaceMailbox(command.mailbox)
    case 'id':
      return writeId(out, command.fields)
    case 'enable':
      return out.text(`ENABLE ${command.capabilities.join(' ')}`)
    default:
      return out.text(verb)
  }
}

function writeAppend(out: WireWriter, command: AppendCommand): WireWriter {
  out
    .text('APPEND')
    .spaceMailbox(command.mailbox)
    .text(` (${formatFlagSet(command.flags)}) `)
  if (command.internalDate !== undefined) out.text(`"${formatInternalDate(command.internalDate)}" `)
  return out.announce(command.sizeBytes)
}

function uid(yes: boolean): string {
  return yes ? 'UID ' : ''
}

function writeAuthenticate(out: WireWriter, mechanism: string, initial: Uint8Array | undefined): WireWriter {
  out.text(`AUTHENTICATE ${mechanism}`)
  return initial === undefined ? out : out.text(` ${initial.length === 0 ? '=' : encodeBase64(initial)}`)
}

function writeList(out: WireWriter, command: ListCommand): WireWriter {
  out.text('LIST')
  if (command.select.length > 0) out.text(` (${command.select.join(' ')})`)
  out.text(' ""')
  if (command.patterns.length === 0) out.text(' ""')
  else if (command.patterns.length === 1) out.spaceString(encodeMutf7(command.patterns[0] as string))
  else {
    out.text(' (')
    command.patterns.forEach((pattern, i) => {
      if (i > 0) out.text(' ')
      out.string(encodeMutf7(pattern))
    })
    out.text(')')
  }
  const returns: string[] = [...command.returns]
  if (command.status.length > 0) returns.push(`STATUS (${command.status.join(' ')})`)
  return returns.length > 0 ? out.text(` RETURN (${returns.join(' ')})`) : out
}

function writeStore(out: WireWriter, command: StoreCommand): WireWriter {
  const sign = { replace: '', add: '+', remove: '-' }[command.action]
  const name = `${sign}FLAGS${command.silent ? '.SILENT' : ''}`
  return out.text(
    `${uid(command.uid)}STORE ${formatUidSet(command.set)} ${name} (${formatFlagSet(command.flags)})`,
  )
}

function fetchItem(item: FetchItem): string {
  if (item.kind === 'body-structure') return item.extended ? 'BODYSTRUCTURE' : 'BODY'
  if (item.kind !== 'section') return ITEM_NAMES[item.kind]
  if (item.name !== 'BODY') return item.name
  const label = sectionLabel({ ...item, partial: undefined })
  const partial = item.partial === undefined ? '' : `<${item.partial.offset}.${item.partial.length}>`
  return `${item.peek ? label.replace('BODY', 'BODY.PEEK') : label}${partial}`
}

function writeId(out: WireWriter, fields: readonly (readonly [string, string | null])[]): WireWriter {
  if (fields.length === 0) return out.text('ID NIL')
  out.text('ID (')
  fields.forEach(([name, value], i) => {
    if (i > 0) out.text(' ')
    out.string(name)
    if (value === null) out.text(' NIL')
    else out.spaceString(value)
  })
  return out.text(')')
}
