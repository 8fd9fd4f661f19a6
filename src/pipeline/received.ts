import { type Address, formatAddress, needsUtf8 } from '../mail/address.ts'
import { isIpv6 } from '../mail/ip.ts'
import { formatDate } from '../mime/date.ts'
import { isOwnMail, type Origin } from './origin.ts'

export interface Stamp {
  readonly origin: Origin
  readonly hostname: string
  readonly traceId: string
  readonly smtputf8: boolean
  readonly receivedAtMs: number
  readonly zoneMinutes: number
  /** Told only where the message has a single recipient: the others must not learn of it (rfc5321 §7.2). */
  readonly onlyRecipient?: Address | undefined
}

/**
 * The Received field that we add in front, CRLF-ended (rfc5321 §4.4). On a submission the client's address
 * and name are left out: whoever gets the mail need not know where its author lives. That leaves out the
 * from clause, which the grammar wants; every reader takes it.
 */
export function receivedField(stamp: Stamp): string {
  const { origin, hostname, traceId } = stamp
  const clauses: string[] = []
  if (!isOwnMail(origin.role)) clauses.push(`from ${fromClause(origin)}`)
  clauses.push(`by ${hostname} with ${protocolName(stamp)}${tlsComment(origin)} id ${traceId}`)
  const only = stamp.onlyRecipient
  if (only !== undefined && (!needsUtf8(only) || stamp.smtputf8)) clauses.push(`for <${formatAddress(only)}>`)
  return `Received: ${clauses.join('\r\n\t')};\r\n\t${formatDate(stamp.receivedAtMs, stamp.zoneMinutes)}\r\n`
}

/** Return-Path, CRLF-ended: made once, at final delivery (rfc5321 §4.4). */
export function returnPathField(reversePath: Address | null): string {
  return `Return-Path: <${reversePath === null ? '' : formatAddress(reversePath)}>\r\n`
}

/** The protocol types of rfc3848 and rfc6531 §4.3. */
function protocolName({ origin, smtputf8 }: Stamp): string {
  const secured = `${origin.tls === undefined ? '' : 'S'}${origin.login === undefined ? '' : 'A'}`
  if (origin.role === 'local') return 'local'
  if (origin.role === 'lmtp') return `${smtputf8 ? 'UTF8' : ''}LMTP${secured}`
  if (smtputf8) return `UTF8SMTP${secured}`
  return origin.extended ? `ESMTP${secured}` : 'SMTP'
}

function fromClause(origin: Origin): string {
  // The HELO name is the peer's word; anything that is not a plain name would let it write our clauses.
  const helo = /^[A-Za-z0-9._:[\]-]{1,255}$/.test(origin.helo) ? origin.helo : 'unknown'
  if (origin.client === 'unix') return `${helo} (local)`
  return `${helo} ([${isIpv6(origin.client) ? 'IPv6:' : ''}${origin.client}])`
}

function tlsComment(origin: Origin): string {
  return origin.tls === undefined ? '' : `\r\n\t(${origin.tls.version} ${origin.tls.cipher})`
}
