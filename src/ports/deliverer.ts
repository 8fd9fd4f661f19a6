import type { Address } from '../mail/address.ts'
import type { EnvelopeRecipient, EnvelopeSender } from '../mail/envelope.ts'
import type { Reply } from '../mail/reply.ts'

/** One host to try. */
export interface Hop {
  /** For TLS and for people; the address itself where there is no name. */
  readonly name: string
  readonly address: string
  readonly port: number
}

/** How to speak to a hop. */
export interface HopPolicy {
  /** opportunistic: STARTTLS where offered, whatever the certificate; the others demand a valid one. */
  readonly tls: 'none' | 'opportunistic' | 'starttls' | 'implicit'
  readonly auth?: { readonly user: string; readonly password: string } | undefined
}

export interface DeliveryJob {
  readonly hop: Hop
  readonly policy: HopPolicy
  readonly sender: EnvelopeSender
  readonly recipients: readonly EnvelopeRecipient[]
  readonly sizeBytes: number
  /** A fresh stream of the message's octets: one for each transaction that it takes, one more where the host lacks an extension. */
  body(): AsyncIterable<Uint8Array>
  /** Aborted when the server stops: a host that has not been given the whole content is left at once ('no-contact'). */
  readonly signal?: AbortSignal | undefined
}

/** What a host said for one recipient, or what we have to say for it. */
export interface RecipientAnswer {
  readonly address: Address
  readonly reply: Reply
}

export type Delivery =
  /** The host took a position on each recipient. */
  | {
      readonly kind: 'answered'
      readonly answers: readonly RecipientAnswer[]
      readonly tls?: string | undefined
      readonly dsnOffered: boolean
    }
  /** No message was handed over: the next host may be tried (rfc5321 §5.1). `reply` says what stood in the way. */
  | { readonly kind: 'no-contact'; readonly reply: Reply; readonly tls?: string | undefined }
  /** Lost after the content was sent: the host may have the message. Another host must not be tried now. */
  | { readonly kind: 'unknown'; readonly reply: Reply; readonly tls?: string | undefined }

/** Hands one message to one host. Never rejects. */
export interface Deliverer {
  deliver(job: DeliveryJob): Promise<Delivery>
}
