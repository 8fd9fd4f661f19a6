import type { Address } from './address.ts'

export type BodyType = '7BIT' | '8BITMIME'

/** rfc3461 §4.1: when to tell the sender; an empty list never happens: absent means FAILURE (and maybe DELAY). */
export type Notify = 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[]

export interface EnvelopeRecipient {
  readonly address: Address
  readonly notify?: Notify | undefined
  /** rfc3461 §4.2: `rfc822;a@b`, xtext decoded, checked for control characters. */
  readonly orcpt?: string | undefined
}

/** What MAIL FROM said. `reversePath` null is `<>`. */
export interface EnvelopeSender {
  readonly reversePath: Address | null
  readonly bodyType: BodyType
  readonly smtputf8: boolean
  /** rfc1870: what the client declared, octets. */
  readonly declaredSizeBytes?: number | undefined
  readonly ret?: 'FULL' | 'HDRS' | undefined
  /** rfc3461 §4.4, xtext decoded. */
  readonly envid?: string | undefined
}
