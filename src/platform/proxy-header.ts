import type { Socket } from 'node:net'
import { type Network, networkContains } from '../mail/ip.ts'
import { readProxyHeader } from '../protocol/proxy/header.ts'
import { errorText } from './socket-events.ts'

export interface ProxiedAddresses {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

export type Proxied =
  /** `addresses` undefined: the proxy speaks for itself (a health check). */
  | { readonly ok: true; readonly addresses: ProxiedAddresses | undefined }
  | { readonly ok: false; readonly cause: string }

export function isProxy(address: string, proxyFrom: readonly Network[]): boolean {
  return proxyFrom.some((network) => networkContains(network, address))
}

/**
 * Reads the header that a proxy puts in front of everything, TLS too, and leaves the socket paused at the
 * first octet behind it. A header that is late, too long or none ends in a cause; the socket is then the
 * caller's to close.
 */
export function takeProxyHeader(socket: Socket, timeoutMs: number): Promise<Proxied> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0)
    const finish = (result: Proxied) => {
      clearTimeout(timer)
      socket.off('data', data)
      socket.off('end', ended)
      socket.off('error', failed)
      socket.off('close', ended)
      if (!result.ok) socket.on('error', () => socket.destroy())
      resolve(result)
    }
    const refuse = (cause: string) => finish({ ok: false, cause: `PROXY header: ${cause}` })
    const data = (chunk: Buffer) => {
      // The core refuses anything longer than its limits: this stays below a few hundred octets and a chunk.
      received = Buffer.concat([received, chunk])
      const header = readProxyHeader(received)
      if (header.kind === 'need-more') return
      socket.pause()
      if (header.kind === 'invalid') return refuse(header.why)
      const rest = received.subarray(header.sizeBytes)
      if (rest.length > 0) socket.unshift(rest)
      const { source, destination } = header
      finish({
        ok: true,
        addresses:
          source === undefined || destination === undefined
            ? undefined
            : {
                remoteAddress: source.ip,
                remotePort: source.port,
                localAddress: destination.ip,
                localPort: destination.port,
              },
      })
    }
    const ended = () => refuse('the connection ended before it was whole')
    const failed = (error: Error) => refuse(errorText(error))
    const timer = setTimeout(() => refuse(`not whole after ${timeoutMs / 1000} s`), timeoutMs)
    socket.on('data', data)
    socket.once('end', ended)
    socket.once('error', failed)
    socket.once('close', ended)
  })
}
