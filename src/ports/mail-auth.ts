import type { Address } from '../mail/address.ts'
import type { Evidence } from '../mail/authentication.ts'

/** Content that can be read again from its beginning, as often as it is wanted. */
export interface ReadableContent {
  readonly sizeBytes: number
  pieces(): AsyncIterable<Uint8Array>
}

/** What the connection said of a message. */
export interface EvaluationFacts {
  /** The address to check, canonical; that of a known secondary's client where one of ours passed it on. */
  readonly client: string
  readonly helo: string
  readonly reversePath: Address | null
  /** Our own name: `authserv-id` (rfc8601 §2.5) and the SPF macro `r`. */
  readonly authservId: string
}

/** A private key that signs for a domain. PKCS #8 PEM: never in a log, a trace or an error. */
export interface SigningKey {
  readonly domain: string
  readonly selector: string
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly privateKeyPem: string
}

export interface Evaluation {
  readonly evidence: Evidence
  /** The fields of a new ARC set (rfc8617 §4.1), CRLF-ended, in the order in which they stand; empty where none was asked for or may be made. */
  readonly seal: string
}

/**
 * SPF, DKIM, DMARC and ARC, computed off the main thread. Neither call rejects for anything that a message or the
 * DNS holds: what could not be found out is a result. They reject where no thread can be had.
 */
export interface MailAuth {
  /**
   * @param sealWith the message is passed on: a new ARC set is made with this key where the chain allows it.
   * @param signal nobody wants to know any more: it rejects at once, and holds nothing of the message.
   */
  evaluate(
    message: ReadableContent,
    facts: EvaluationFacts,
    sealWith?: SigningKey | undefined,
    signal?: AbortSignal | undefined,
  ): Promise<Evaluation>
  /**
   * The DKIM-Signature fields, CRLF-ended, one a key.
   * @param added fields that will stand before the content's own and are signed with them.
   */
  sign(message: ReadableContent, added: Uint8Array, keys: readonly SigningKey[]): Promise<string>
}

/** Our own keys. */
export interface SigningKeys {
  /** Those to sign with now; none where signing is off for that domain or it is not ours. Keys are made at first need. */
  forDomain(domain: string): Promise<readonly SigningKey[]>
}
