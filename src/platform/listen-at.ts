/** Where a listener listens. */
export type ListenAt =
  /** `address` is a literal: `0.0.0.0` is all of IPv4, `::` all of IPv6 and nothing else. Port 0: any free one. */
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  /** `mode` is the socket file's, such as 0o660. */
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number }
