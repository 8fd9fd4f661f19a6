import { decodeXtext, unescapeUtf8Address } from '../../bytes/xtext.ts'
import type { BodyType, Notify } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import type { AttackKind } from './types.ts'

/*
 * ESMTP parameters of MAIL and RCPT, one reader for each keyword. A value is checked here for what would
 * break a record, a header or a line later: an encoded NUL, CR or LF is an attack, not a value.
 */

/** What was offered, so that what was not is refused with 555 (rfc5321 §4.1.1.11). */
export interface OfferedParameters {
  readonly smtputf8: boolean
  readonly dsn: boolean
}

export interface ParameterFault {
  readonly kind: 'error'
  readonly reply: Reply
  readonly attack?: AttackKind | undefined
}

export interface MailParameters {
  declaredSizeBytes?: number
  bodyType?: BodyType
  smtputf8?: true
  ret?: 'FULL' | 'HDRS'
  envid?: string
  auth?: string | null
}

export interface RcptParameters {
  notify?: Notify
  orcpt?: string
}

type Reader<Into> = (
  value: string | undefined,
  into: Into,
  offered: OfferedParameters,
) => ParameterFault | undefined

const MAIL_READERS: ReadonlyMap<string, Reader<MailParameters>> = new Map<string, Reader<MailParameters>>([
  ['SIZE', readSize],
  ['BODY', readBody],
  ['SMTPUTF8', readSmtputf8],
  ['RET', readRet],
  ['ENVID', readEnvid],
  ['AUTH', readAuth],
])

const RCPT_READERS: ReadonlyMap<string, Reader<RcptParameters>> = new Map<string, Reader<RcptParameters>>([
  ['NOTIFY', readNotify],
  ['ORCPT', readOrcpt],
])

export function readMailParameters(
  text: string,
  offered: OfferedParameters,
  maxCount: number,
): MailParameters | ParameterFault {
  return readAll(text, MAIL_READERS, {}, offered, maxCount)
}

export function readRcptParameters(
  text: string,
  offered: OfferedParameters,
  maxCount: number,
): RcptParameters | ParameterFault {
  return readAll(text, RCPT_READERS, {}, offered, maxCount)
}

export function isFault(value: object): value is ParameterFault {
  return 'kind' in value && value.kind === 'error'
}

/** rfc5321 §4.1.2: `keyword` or `keyword=value`, one space between; more spaces are harmless. */
function readAll<Into extends object>(
  text: string,
  readers: ReadonlyMap<string, Reader<Into>>,
  into: Into,
  offered: OfferedParameters,
  maxCount: number,
): Into | ParameterFault {
  const seen = new Set<string>()
  for (const word of text.split(' ')) {
    if (word === '') continue
    const equals = word.indexOf('=')
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase()
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) return syntax('a parameter is not KEYWORD or KEYWORD=VALUE')
    const reader = readers.get(keyword)
    if (reader === undefined) return unrecognised(keyword)
    if (seen.has(keyword)) return syntax(`${keyword} is given twice`)
    if (seen.size >= maxCount) return syntax('too many parameters')
    seen.add(keyword)
    const fault = reader(equals < 0 ? undefined : word.slice(equals + 1), into, offered)
    if (fault !== undefined) return fault
  }
  return into
}

function readSize(value: string | undefined, into: MailParameters): ParameterFault | undefined {
  // rfc1870 §4 allows 20 digits; 15 are more than any store and still exact.
  if (value === undefined || !/^\d{1,20}$/.test(value)) return syntax('SIZE needs a number of octets')
  into.declaredSizeBytes = Math.min(Number(value), Number.MAX_SAFE_INTEGER)
  return undefined
}

function readBody(value: string | undefined, into: MailParameters): ParameterFault | undefined {
  const type = value?.toUpperCase()
  if (type === '7BIT' || type === '8BITMIME') {
    into.bodyType = type
    return undefined
  }
  // rfc3030 §3: without BINARYMIME on offer.
  if (type === 'BINARYMIME') return unrecognised('BODY=BINARYMIME')
  return syntax('BODY needs 7BIT or 8BITMIME')
}

function readSmtputf8(
  value: string | undefined,
  into: MailParameters,
  offered: OfferedParameters,
): ParameterFault | undefined {
  if (!offered.smtputf8) return unrecognised('SMTPUTF8')
  if (value !== undefined) return syntax('SMTPUTF8 takes no value')
  into.smtputf8 = true
  return undefined
}

function readRet(
  value: string | undefined,
  into: MailParameters,
  offered: OfferedParameters,
): ParameterFault | undefined {
  if (!offered.dsn) return unrecognised('RET')
  const ret = value?.toUpperCase()
  if (ret !== 'FULL' && ret !== 'HDRS') return syntax('RET needs FULL or HDRS')
  into.ret = ret
  return undefined
}

function readEnvid(
  value: string | undefined,
  into: MailParameters,
  offered: OfferedParameters,
): ParameterFault | undefined {
  if (!offered.dsn) return unrecognised('ENVID')
  // rfc3461 §4.4: at most 100 characters, printable once decoded.
  if (value === undefined || value === '' || value.length > 100)
    return syntax('ENVID needs 1 to 100 characters')
  const decoded = safeXtext('ENVID', value)
  if (typeof decoded !== 'string') return decoded
  into.envid = decoded
  return undefined
}

/** rfc4954 §5: the identity that submitted it, or `<>`; also taken from who has not authenticated. */
function readAuth(value: string | undefined, into: MailParameters): ParameterFault | undefined {
  if (value === undefined || value === '' || value.length > 500) return syntax('AUTH needs a mailbox or <>')
  if (value === '<>') {
    into.auth = null
    return undefined
  }
  const decoded = safeXtext('AUTH', value)
  if (typeof decoded !== 'string') return decoded
  into.auth = decoded
  return undefined
}

function readNotify(
  value: string | undefined,
  into: RcptParameters,
  offered: OfferedParameters,
): ParameterFault | undefined {
  if (!offered.dsn) return unrecognised('NOTIFY')
  const words = (value ?? '').toUpperCase().split(',')
  if (words.length === 1 && words[0] === 'NEVER') {
    into.notify = 'NEVER'
    return undefined
  }
  const events = new Set<'SUCCESS' | 'FAILURE' | 'DELAY'>()
  for (const word of words) {
    if (word !== 'SUCCESS' && word !== 'FAILURE' && word !== 'DELAY')
      return syntax('NOTIFY needs NEVER, or a list of SUCCESS, FAILURE, DELAY')
    events.add(word)
  }
  into.notify = [...events]
  return undefined
}

function readOrcpt(
  value: string | undefined,
  into: RcptParameters,
  offered: OfferedParameters,
): ParameterFault | undefined {
  if (!offered.dsn) return unrecognised('ORCPT')
  // rfc3461 §4.2: addr-type, semicolon, xtext; at most 500 characters.
  const match = /^([A-Za-z0-9][A-Za-z0-9-]*);(.+)$/.exec(value ?? '')
  if (match === null || (value as string).length > 500) return syntax('ORCPT needs TYPE;ADDRESS')
  const type = (match[1] as string).toLowerCase()
  const decoded = safeXtext('ORCPT', match[2] as string, type === 'utf-8' ? unescapeUtf8Address : undefined)
  if (typeof decoded !== 'string') return decoded
  into.orcpt = `${type};${decoded}`
  return undefined
}

/** @param further what else is to be undone, before the text is looked at. */
function safeXtext(
  keyword: string,
  value: string,
  further: (text: string) => string | undefined = (text) => text,
): string | ParameterFault {
  const octets = decodeXtext(value)
  const decoded = octets === undefined ? undefined : further(octets)
  if (decoded === undefined) return syntax(`${keyword} is no xtext`)
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(decoded)) return decoded
  return { ...syntax(`${keyword} holds a control character`), attack: 'control-characters' }
}

function syntax(text: string): ParameterFault {
  return { kind: 'error', reply: reply(501, '5.5.4', text) }
}

function unrecognised(keyword: string): ParameterFault {
  return { kind: 'error', reply: reply(555, '5.5.4', `${keyword.slice(0, 40)} is not offered here`) }
}
