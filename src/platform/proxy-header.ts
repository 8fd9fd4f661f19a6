import type { Socket } from 'node:net'
import { type Network, networkContains } from '../mail/ip.ts'

export type ProxyHeader =
  /** `addresses` undefined: the proxy speaks for itself (a health check). */
  | {
      readonly ok: true
      readonly addresses:
        | {
            readonly remoteAddress: string
            readonly remotePort: number
            readonly localAddress: string
            readonly localPort: number
          }
        | undefined
    }
  | { readonly ok: false; readonly cause: string }

export function isProxy(address: string, proxyFrom: readonly Network[]): boolean {
  return proxyFrom.some((network) => networkContains(network, address))
}

/** Reads the header and leaves the socket at the first octet after it. */
export function readProxyHeader(_socket: Socket, _timeoutMs: number): Promise<ProxyHeader> {
  return Promise.resolve({ ok: false, cause: 'PROXY headers are not read yet' })
}
