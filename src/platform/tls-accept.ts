import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { TlsFacts } from '../mail/tls-facts.ts'
import { errorText } from './socket-events.ts'
import type { ServerTls } from './tls.ts'

export type TlsAccepted =
  | { readonly ok: true; readonly facts: TlsFacts }
  | { readonly ok: false; readonly cause: string }

/** A handshake under way: `socket` takes the old one's place at once; `done` never rejects. */
export interface TlsUpgrade {
  readonly socket: Socket
  readonly done: Promise<TlsAccepted>
}

/** rfc9266 §2 fixes label and length; rfc5705 §4: no context. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding'
const EXPORTER_OCTETS = 32

/**
 * Starts TLS on an accepted socket, as the server. For STARTTLS the socket's last plain octets may still be on
 * their way: they stay in front. `service` keeps TLS sessions of different protocols apart: one begun with
 * IMAP cannot be resumed with SMTP.
 */
export function acceptTls(socket: Socket, tls: ServerTls, service: string): TlsUpgrade {
  const secure = new TLSSocket(socket, {
    isServer: true,
    requestCert: false,
    secureContext: tls.context(service, undefined),
    SNICallback: (name, callback) => callback(null, tls.context(service, name)),
  })
  const done = new Promise<TlsAccepted>((resolve) => {
    let cause = 'the client closed the connection during the TLS handshake'
    // Node reports TLS faults of a server by this event alone, and leaves the socket open after some of them.
    secure.on('_tlsError', (error: Error) => secure.destroy(error))
    secure.on('error', (error) => {
      cause = errorText(error)
    })
    secure.once('close', () => resolve({ ok: false, cause }))
    // Half-open sockets do not end by themselves: half a handshake would hang until its time is over.
    const cutOff = () => secure.destroy()
    secure.once('end', cutOff)
    secure.once('secure', () => {
      secure.off('end', cutOff)
      try {
        resolve({ ok: true, facts: serverFacts(secure, tls) })
      } catch (error) {
        secure.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
  return { socket: secure, done }
}

/** What is known of a session on which we are the server, with both channel bindings where they exist. */
function serverFacts(socket: TLSSocket, tls: ServerTls): TlsFacts {
  const version = socket.getProtocol() ?? 'unknown'
  const { servername } = socket
  const name = typeof servername === 'string' && servername !== '' ? servername : undefined
  const endPoint = tls.endPointHash(name)
  return {
    version,
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    serverName: name,
    exporter: version === 'TLSv1.3' ? exporterBinding(socket) : undefined,
    // pki leaves the hash empty where rfc5929 §4.1 leaves it undefined.
    serverEndPoint: endPoint.length > 0 ? endPoint : undefined,
  }
}

/** rfc9266 §2: the tls-exporter channel binding. Before TLS 1.3 it is not unique without extended master secret. */
export function exporterBinding(socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0))
}
