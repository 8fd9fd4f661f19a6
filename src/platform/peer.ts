import type { TlsFacts } from '../mail/tls-facts.ts'

/** Who is at the other end of an accepted connection. */
export interface Peer {
  /** Name of the listener that accepted it. */
  readonly listener: string
  /** Canonical address of the client, as the PROXY header told it where there was one; `unix` on a unix socket. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** True where a PROXY header told the addresses. */
  readonly proxied: boolean
  /** Present from the start only with implicit TLS. */
  readonly tls?: TlsFacts | undefined
}

/** Why a connection is over. `cause` is for logs. */
export interface CloseReason {
  readonly kind: /** Our core closed it. */
    | 'finished'
    /** The peer closed it, in order. */
    | 'peer-closed'
    /** It broke: reset, time-out of the network. */
    | 'broken'
    /** The peer stopped reading. */
    | 'stalled'
    | 'tls-failed'
    /** Our own fault; it has been logged. */
    | 'fault'
    /** The server cut it off (stop, ban). */
    | 'cut'
    /** Memory was short, and this client held the most of it. */
    | 'shed'
  readonly cause: string
}
