/** What is known of a TLS session once it stands; channel bindings as rfc5929 §4 and rfc9266 §2 name them. */
export interface TlsFacts {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly version: string
  readonly cipher: string
  readonly serverName?: string | undefined
  /** rfc9266 §3: only on TLS 1.3. */
  readonly exporter?: Uint8Array | undefined
  /** rfc5929 §4.1: hash of the server's certificate. */
  readonly serverEndPoint?: Uint8Array | undefined
}
