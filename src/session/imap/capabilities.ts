import { isLoopback } from '../../mail/ip.ts'
import { bindingsOf } from '../bindings.ts'
import type { ImapContext } from './context.ts'

/** In force in every state. */
const ALWAYS = ['IMAP4rev1', 'SASL-IR', 'LITERAL+', 'ID', 'ENABLE'] as const

const AFTER_LOGIN = [
  'NAMESPACE',
  'CHILDREN',
  'UIDPLUS',
  'UNSELECT',
  'MOVE',
  'IDLE',
  'SPECIAL-USE',
  'STATUS=SIZE',
  'LIST-EXTENDED',
  'LIST-STATUS',
] as const

/** Mechanisms that this connection may use now: none before TLS. */
export function offeredMechanisms(context: ImapContext): readonly string[] {
  const { tls } = context.link
  return context.deps.credentials.mechanisms({
    tls: tls !== undefined,
    loopback: isLoopback(context.client.remoteAddress),
    bindings: bindingsOf(tls),
  })
}

/** What CAPABILITY says in the present state (rfc3501 §7.2.1). */
export function capabilities(context: ImapContext): readonly string[] {
  if (context.login !== undefined)
    return [...ALWAYS, ...AFTER_LOGIN, `APPENDLIMIT=${context.deps.settings().maxMessageBytes}`]
  const mechanisms = offeredMechanisms(context)
  const startTls = context.deps.tlsReady && context.link.tls === undefined ? ['STARTTLS'] : []
  // rfc3501 §6.2.3: no LOGIN where it would show the password to the network.
  const disabled = mechanisms.includes('PLAIN') ? [] : ['LOGINDISABLED']
  return [...ALWAYS, ...startTls, ...disabled, ...mechanisms.map((name) => `AUTH=${name}`)]
}
