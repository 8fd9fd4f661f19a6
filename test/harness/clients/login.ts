/** Where and as whom an IMAP client logs in. The certificate must verify against caFile and carry `host`. */
export interface Login {
  readonly host: string
  readonly port: number
  /** implicit: TLS from the first octet (993); starttls: after the command (143). */
  readonly tls: 'implicit' | 'starttls'
  readonly caFile: string
  readonly user: string
  readonly password: string
}
