import { isLoopback, networkContains } from '../../mail/ip.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Role } from '../../pipeline/origin.ts'
import type { Credentials } from '../../ports/credentials.ts'
import type { ServerOptions } from '../../protocol/smtp/types.ts'
import { bindingsOf } from '../bindings.ts'
import type { ClientFacts } from '../link.ts'
import type { SmtpSettings } from './settings.ts'

/** What a port can be; `local` has none. */
export type ServedRole = Exclude<Role, 'local'>

/** What a listener's role means for one client. */
export interface RoleTerms {
  readonly trustedNetwork: string | undefined
  readonly greetingDelayMs: number
  readonly options: ServerOptions
}

/** @param tlsReady false where the listener has no certificate to show: STARTTLS is then not offered. */
export function termsOf(
  role: ServedRole,
  client: ClientFacts,
  at: { readonly settings: SmtpSettings; readonly credentials: Credentials; readonly tlsReady: boolean },
): RoleTerms {
  const { settings, credentials, tlsReady } = at
  const loopback = isLoopback(client.remoteAddress)
  const trusted =
    role === 'submission'
      ? settings.trustedNetworks.find((network) => networkContains(network, client.remoteAddress))
      : undefined
  const mechanisms = (tls: TlsFacts | undefined): readonly string[] =>
    // Port 25 is open to every scanner in the world: no password is ever asked for or taken there.
    role === 'submission'
      ? credentials.mechanisms({ tls: tls !== undefined, loopback, bindings: bindingsOf(tls) })
      : []
  return {
    trustedNetwork: trusted?.text,
    greetingDelayMs: role === 'mx' && !loopback ? settings.greetingDelayMs : 0,
    options: {
      protocol: role === 'lmtp' ? 'lmtp' : 'smtp',
      role,
      hostname: settings.hostname,
      tls: client.tls,
      offers: {
        starttls: tlsReady && client.tls === undefined,
        auth: { clear: mechanisms(undefined), tls: mechanisms(client.tls) },
        sizeBytes: settings.maxMessageBytes,
        smtputf8: true,
        chunking: true,
        dsn: true,
        rcptMax: settings.maxRecipients,
      },
      requireTls:
        role === 'submission' && trusted === undefined && !(loopback && settings.plainTextOnLoopback),
      requireAuth: role === 'submission' && trusted === undefined,
      bareNewlines: settings.bareNewlines,
    },
  }
}
