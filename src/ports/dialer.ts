import type { TlsFacts } from '../mail/tls-facts.ts'

/** A connection that we opened. */
export interface Connection {
  /** Canonical addresses of both ends. */
  readonly localAddress: string
  readonly remoteAddress: string
  write(bytes: Uint8Array): void | Promise<void>
  /** Next bytes; undefined when the peer has closed. Rejects with `DialError` when the connection broke. */
  read(timeoutMs: number): Promise<Uint8Array | undefined>
  /** Upgrades in place. `verify` checks chain and name; without it any certificate will do (opportunistic, rfc3207 §4.1). */
  startTls(options: { readonly serverName: string; readonly verify: boolean }): Promise<TlsFacts>
  close(): void
}

export interface DialFailure {
  readonly kind: 'refused' | 'timeout' | 'unreachable' | 'reset' | 'tls'
  readonly cause: string
}

export interface Dialer {
  /** Connects to an address (no names). Never rejects: a failure is a value. */
  dial(target: {
    readonly address: string
    readonly port: number
    readonly timeoutMs: number
    /** Implicit TLS at once. */
    readonly tls?: { readonly serverName: string; readonly verify: boolean } | undefined
  }): Promise<
    | { readonly ok: true; readonly connection: Connection; readonly tls?: TlsFacts | undefined }
    | ({ readonly ok: false } & DialFailure)
  >
}
