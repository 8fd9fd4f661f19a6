import type { TlsFacts } from '../mail/tls-facts.ts'

/** The client at the other end, as a session sees it. */
export interface ClientFacts {
  readonly listener: string
  /** Canonical address, or `unix`. */
  readonly remoteAddress: string
  readonly proxied: boolean
  /** Present from the start with implicit TLS only. */
  readonly tls?: TlsFacts | undefined
}

/** What a session may do to its connection; the platform's driver is behind it. */
export interface Link {
  readonly tls: TlsFacts | undefined
  readonly gone: boolean
  /** Runs the core after the session gave it something. */
  pump(): void
  /** Waits until the peer has room for more and others had their turn; false when it is gone. */
  drained(): Promise<boolean>
  /** Octets that the session keeps for this client. */
  hold(sizeBytes: number): void
  /** After a login: whose they are; '' for many. False where there are too many connections of it. */
  belongsTo(login: string): boolean
  /** Memory is short: work had better be done in small pieces. */
  readonly isTight: boolean
  /** Whether memory lets new work begin; false: it had better be put off. */
  admits(): boolean
  cut(cause: string): void
}
