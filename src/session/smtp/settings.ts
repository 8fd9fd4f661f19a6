import type { Network } from '../../mail/ip.ts'

/** What SMTP sessions are told of the configuration; read anew for each connection. */
export interface SmtpSettings {
  readonly hostname: string
  /** Of `<postmaster>` without a domain. */
  readonly defaultDomain: string
  readonly maxMessageBytes: number
  readonly maxRecipients: number
  readonly bareNewlines: 'refuse' | 'accept-lf'
  /** How long the MX greeting waits for early talkers. */
  readonly greetingDelayMs: number
  readonly trustedNetworks: readonly (Network & { readonly text: string })[]
  /** Passwords without TLS from loopback. */
  readonly plainTextOnLoopback: boolean
}
