export interface Random {
  /** Cryptographically good octets. */
  bytes(count: number): Uint8Array
}
