import { encodeXtext, escapeUtf8Address } from '../../bytes/xtext.ts'
import { formatAddress, needsUtf8 } from '../../mail/address.ts'
import type { EnvelopeRecipient } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import type { OutboundTransaction, PeerExtensions } from './client-types.ts'

/* How a transaction is written for a peer, and what keeps it from being sent at all. Pure. */

/** Parameters only where the peer offers them (rfc5321 §2.2.2). */
export function mailCommand(transaction: OutboundTransaction, peer: PeerExtensions): string {
  const { sender, sizeBytes } = transaction
  const path = sender.reversePath === null ? '' : formatAddress(sender.reversePath)
  const words = [`MAIL FROM:<${path}>`]
  if (peer.sizeBytes !== undefined) words.push(`SIZE=${sizeBytes}`)
  if (peer.eightBitMime && sender.bodyType === '8BITMIME') words.push('BODY=8BITMIME')
  if (wantsUtf8(transaction)) words.push('SMTPUTF8')
  if (peer.dsn && sender.ret !== undefined) words.push(`RET=${sender.ret}`)
  if (peer.dsn && sender.envid !== undefined) words.push(`ENVID=${encodeXtext(sender.envid)}`)
  return words.join(' ')
}

export function rcptCommand({ address, notify, orcpt }: EnvelopeRecipient, peer: PeerExtensions): string {
  const words = [`RCPT TO:<${formatAddress(address)}>`]
  if (peer.dsn && notify !== undefined) words.push(`NOTIFY=${notify === 'NEVER' ? notify : notify.join(',')}`)
  if (peer.dsn && orcpt !== undefined) words.push(`ORCPT=${orcptValue(orcpt)}`)
  return words.join(' ')
}

function orcptValue(orcpt: string): string {
  const semicolon = orcpt.indexOf(';')
  const type = orcpt.slice(0, semicolon)
  const address = orcpt.slice(semicolon + 1)
  return `${type};${type === 'utf-8' ? escapeUtf8Address(address) : encodeXtext(address)}`
}

/** Why this peer can't have this message, or undefined. */
export function unfit(
  transaction: OutboundTransaction,
  peer: PeerExtensions,
  messagesSent: number,
): Reply | undefined {
  const { sender, sizeBytes } = transaction
  // rfc6531 §3.2: it may not be sent on to who does not offer it.
  if (wantsUtf8(transaction) && !peer.smtputf8)
    return reply(550, '5.6.7', 'The server does not take internationalized mail (SMTPUTF8)')
  // rfc6152 §3: 8-bit content needs the extension; we convert nothing.
  if (sender.bodyType === '8BITMIME' && !peer.eightBitMime)
    return reply(554, '5.6.3', 'The server does not take 8-bit mail (8BITMIME)')
  if (peer.sizeBytes !== undefined && peer.sizeBytes > 0 && sizeBytes > peer.sizeBytes)
    return reply(552, '5.3.4', `The server takes messages of at most ${peer.sizeBytes} octets`)
  if (peer.mailMax !== undefined && messagesSent >= peer.mailMax)
    return reply(451, '4.5.3', `The server takes ${peer.mailMax} messages in a connection`)
  return undefined
}

function wantsUtf8({ sender, recipients }: OutboundTransaction): boolean {
  if (sender.smtputf8 || (sender.reversePath !== null && needsUtf8(sender.reversePath))) return true
  return recipients.some(({ address }) => needsUtf8(address))
}
