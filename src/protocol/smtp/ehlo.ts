import type { ServerOffers } from './types.ts'

/** What EHLO tells, given what the connection is now. */
export interface EhloFacts {
  readonly offers: ServerOffers
  readonly tls: boolean
  /** Mechanisms in force; empty where AUTH may not be used now. */
  readonly mechanisms: readonly string[]
}

/**
 * The keywords of the EHLO reply. A new extension is a line here; its parameters belong to params.ts, its
 * command to parse.ts and states.ts.
 */
export function ehloKeywords({ offers, tls, mechanisms }: EhloFacts): string[] {
  const limits = [
    offers.rcptMax === undefined ? '' : ` RCPTMAX=${offers.rcptMax}`,
    offers.mailMax === undefined ? '' : ` MAILMAX=${offers.mailMax}`,
  ].join('')
  const keywords: readonly (string | undefined)[] = [
    'PIPELINING', // rfc2920
    `SIZE ${offers.sizeBytes}`, // rfc1870
    '8BITMIME', // rfc6152
    'ENHANCEDSTATUSCODES', // rfc2034
    offers.smtputf8 ? 'SMTPUTF8' : undefined, // rfc6531
    offers.starttls && !tls ? 'STARTTLS' : undefined, // rfc3207
    mechanisms.length > 0 ? `AUTH ${mechanisms.join(' ')}` : undefined, // rfc4954
    offers.chunking ? 'CHUNKING' : undefined, // rfc3030
    offers.dsn ? 'DSN' : undefined, // rfc3461
    limits === '' ? undefined : `LIMITS${limits}`, // rfc9422
  ]
  return keywords.filter((keyword) => keyword !== undefined)
}
