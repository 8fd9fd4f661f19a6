import { isAscii, isUtf8, latin1, utf8 } from '../../bytes/ascii.ts'
import type { Line } from '../../bytes/lines.ts'
import type { EnvelopeSender, Notify } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import type { OfferedParameters } from './params.ts'
import { isFault, readMailParameters, readRcptParameters } from './params.ts'
import type { PathRead } from './path.ts'
import { readPath } from './path.ts'
import type { AttackKind, ForwardPath, Leniency, Protocol } from './types.ts'

/*
 * One command line → one value, or the reply that its error deserves. Pure: what may come when is the state
 * table's matter (states.ts).
 */

export type HeloVerb = 'HELO' | 'EHLO' | 'LHLO'

export type Command =
  | { readonly verb: HeloVerb; readonly name: string; readonly lenient: readonly Leniency[] }
  | {
      readonly verb: 'MAIL'
      readonly sender: EnvelopeSender
      readonly text: string
      readonly route: readonly string[]
      readonly authParam: string | null | undefined
      readonly lenient: readonly Leniency[]
    }
  | {
      readonly verb: 'RCPT'
      readonly path: ForwardPath
      readonly notify: Notify | undefined
      readonly orcpt: string | undefined
      readonly lenient: readonly Leniency[]
    }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' | 'NOOP' | 'HELP' }
  | { readonly verb: 'BDAT'; readonly sizeBytes: number; readonly last: boolean }
  | { readonly verb: 'VRFY' | 'EXPN'; readonly text: string }
  /** `initial` is still base64, `=` for an empty one. */
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initial: string | undefined }

export type Verb = Command['verb']

export interface CommandFault {
  readonly kind: 'error'
  /** Known verb, or what stood in its place, cut and cleaned. */
  readonly verb: string
  readonly reply: Reply
  readonly attack?: AttackKind | undefined
  /** Where the next command begins is not known: the connection must close. */
  readonly fatal?: boolean | undefined
}

export interface ParseContext extends OfferedParameters {
  readonly protocol: Protocol
  readonly bareNewlines: 'refuse' | 'accept-lf'
  /** The open transaction's MAIL had SMTPUTF8. */
  readonly utf8Transaction: boolean
  readonly maxParameters: number
}

type Read = Command | Omit<CommandFault, 'verb'>
type Reader = (argument: string, context: ParseContext) => Read

// A Map, so that a verb such as `constructor` finds nothing.
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['HELO', helo('HELO')],
  ['EHLO', helo('EHLO')],
  ['LHLO', helo('LHLO')],
  ['MAIL', readMail],
  ['RCPT', readRcpt],
  ['DATA', bare('DATA')],
  ['BDAT', readBdat],
  ['RSET', bare('RSET')],
  ['QUIT', bare('QUIT')],
  ['STARTTLS', bare('STARTTLS')],
  ['NOOP', () => ({ verb: 'NOOP' })],
  ['HELP', () => ({ verb: 'HELP' })],
  ['VRFY', named('VRFY')],
  ['EXPN', named('EXPN')],
  ['AUTH', readAuth],
])

/** rfc5321 §4.2.4: known but not for us is 502, never heard of is 500. */
const NOT_IMPLEMENTED = new Set(['TURN', 'ATRN', 'ETRN', 'SEND', 'SOML', 'SAML', 'BURL'])
const HTTP = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH|PRI) /

/** Reads one line without its end. */
export function parseCommand(line: Line, context: ParseContext): Command | CommandFault {
  const raw = latin1(line.bytes)
  const verb = /^[A-Za-z]{1,10}(?= |$)/.exec(raw)?.[0].toUpperCase() ?? ''
  const name = verb === '' ? raw.slice(0, 20).replace(/[^ -~]/g, '?') : verb
  if (HTTP.test(raw))
    return { ...fault(421, '4.7.0', 'This is SMTP'), verb: name, attack: 'http', fatal: true }
  if (line.bareCr || (line.ending === 'lf' && context.bareNewlines === 'refuse')) {
    const broken = fault(500, '5.5.2', 'A command ends with CR LF (rfc5321 section 2.3.8)')
    return { ...broken, verb: name, attack: 'bare-newline', fatal: verb === 'BDAT' }
  }
  const text = readText(line.bytes)
  if (text === undefined) {
    const broken = fault(500, '5.5.2', 'A command holds no control characters and only UTF-8 beyond ASCII')
    return { ...broken, verb: name, attack: 'control-characters', fatal: verb === 'BDAT' }
  }
  const reader = READERS.get(verb)
  if (reader === undefined) {
    const known = NOT_IMPLEMENTED.has(verb)
    return {
      ...(known ? fault(502, '5.5.1', 'Not implemented') : fault(500, '5.5.1', 'Unknown command')),
      verb: name,
    }
  }
  const read = reader(text.slice(verb.length).replace(/^ /, '').trimEnd(), context)
  return isFault(read) ? { ...read, verb: name } : (read as Command)
}

function readText(bytes: Buffer): string | undefined {
  const text = isAscii(bytes) ? latin1(bytes) : isUtf8(bytes) ? utf8(bytes) : undefined
  return text === undefined || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text) ? undefined : text
}

function helo(verb: HeloVerb): Reader {
  return (argument, context) => {
    // rfc2033 §4.1: LMTP knows LHLO only, and SMTP does not know it.
    if ((verb === 'LHLO') !== (context.protocol === 'lmtp'))
      return fault(500, '5.5.1', context.protocol === 'lmtp' ? 'This is LMTP: say LHLO' : 'Unknown command')
    if (argument === '') return fault(501, '5.5.4', `${verb} needs a domain or an address literal`)
    if (isHeloName(argument)) return { verb, name: argument, lenient: [] }
    // Hosts name themselves with underscores or a bare address. What could leave a comment or a quoted string
    // in a Received field or in Authentication-Results is refused.
    if (/^[A-Za-z0-9._:%[\]-]{1,255}$/.test(argument)) return { verb, name: argument, lenient: ['helo-name'] }
    return fault(501, '5.5.4', `${verb} needs a domain or an address literal`)
  }
}

const DOMAIN = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/
const LITERAL = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]$/i

function isHeloName(text: string): boolean {
  if (text.length > 255 || /^[\d.]+$/.test(text)) return false
  return DOMAIN.test(text) || LITERAL.test(text)
}

function readMail(argument: string, context: ParseContext): Read {
  const prefix = /^FROM:/i.exec(argument)
  if (prefix === null) return fault(501, '5.5.4', 'MAIL FROM:<address> is expected')
  const read = readPath(argument.slice(5))
  if (read === undefined || read.path.kind === 'postmaster')
    return fault(501, '5.1.7', 'The reverse-path is no mailbox')
  const params = readMailParameters(read.rest, context, context.maxParameters)
  if (isFault(params)) return params
  const smtputf8 = params.smtputf8 === true
  if (read.needsUtf8 && !smtputf8) return needsSmtputf8()
  const { path } = read
  return {
    verb: 'MAIL',
    sender: {
      reversePath: path.kind === 'address' ? path.address : null,
      bodyType: params.bodyType ?? '7BIT',
      smtputf8,
      declaredSizeBytes: params.declaredSizeBytes,
      ret: params.ret,
      envid: params.envid,
    },
    text: read.text,
    route: path.kind === 'address' ? path.route : [],
    authParam: params.auth,
    lenient: read.lenient,
  }
}

function readRcpt(argument: string, context: ParseContext): Read {
  const prefix = /^TO:/i.exec(argument)
  if (prefix === null) return fault(501, '5.5.4', 'RCPT TO:<address> is expected')
  const read = readPath(argument.slice(3), { localNames: context.protocol === 'lmtp' })
  const path = read === undefined ? undefined : forwardPath(read)
  if (read === undefined || path === undefined) return fault(501, '5.1.3', 'The forward-path is no mailbox')
  if (read.needsUtf8 && !context.utf8Transaction) return needsSmtputf8()
  const params = readRcptParameters(read.rest, context, context.maxParameters)
  if (isFault(params)) return params
  return { verb: 'RCPT', path, notify: params.notify, orcpt: params.orcpt, lenient: read.lenient }
}

function forwardPath(read: PathRead): ForwardPath | undefined {
  const { path, text } = read
  if (path.kind === 'null') return undefined
  return path.kind === 'postmaster' ? { kind: 'postmaster', text } : { ...path, text }
}

/** rfc6531 §3.5. */
function needsSmtputf8(): Read {
  return fault(553, '5.6.7', 'A non-ASCII address needs SMTPUTF8')
}

/** rfc3030 §2: without its number nobody knows where the chunk ends. */
function readBdat(argument: string): Read {
  const match = /^(\d{1,15})( LAST)?$/i.exec(argument)
  if (match === null) return { ...fault(501, '5.5.4', 'BDAT needs a number of octets'), fatal: true }
  return { verb: 'BDAT', sizeBytes: Number(match[1]), last: match[2] !== undefined }
}

function readAuth(argument: string): Read {
  // rfc4422 §3.1: the name has 1 to 20 characters.
  const match = /^([A-Za-z0-9_-]{1,20})(?: ([A-Za-z0-9+/=]+))?$/.exec(argument)
  if (match === null) return fault(501, '5.5.4', 'AUTH needs a mechanism and at most one base64 word')
  return { verb: 'AUTH', mechanism: (match[1] as string).toUpperCase(), initial: match[2] }
}

function bare(verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS'): Reader {
  return (argument) => (argument === '' ? { verb } : fault(501, '5.5.4', `${verb} takes no argument`))
}

function named(verb: 'VRFY' | 'EXPN'): Reader {
  return (argument) =>
    argument === '' ? fault(501, '5.5.4', `${verb} needs a name`) : { verb, text: argument }
}

function fault(code: number, enhanced: string, text: string): Omit<CommandFault, 'verb'> {
  return { kind: 'error', reply: reply(code, enhanced, text) }
}
