import type { Address } from '../../mail/address.ts'
import type { EnvelopeRecipient, EnvelopeSender } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Machine } from '../machine.ts'
import type { ClientLimits } from './limits.ts'
import type { Protocol } from './types.ts'

/* What the SMTP/LMTP client core asks and tells its session (the queue's runner), and the answers. */

export interface ClientOptions {
  readonly protocol: Protocol
  /** For EHLO: our name as the peer can look it up. */
  readonly heloName: string
  /** none: STARTTLS is not used even where offered. may: used where offered. must: no message without it. */
  readonly starttls: 'none' | 'may' | 'must'
  /** TLS already stands (port 465). */
  readonly tls?: TlsFacts | undefined
  /** Ask for SASL before the first message; must: no message without it. */
  readonly auth: 'none' | 'may' | 'must'
  /** BDAT where CHUNKING is offered; else always DATA. */
  readonly chunking: boolean
  /** false: one command at a time even where PIPELINING is offered. */
  readonly pipelining: boolean
  readonly limits?: Partial<ClientLimits> | undefined
}

/** One message to be sent: what MAIL and RCPT say, and what the content needs of the peer. */
export interface OutboundTransaction {
  /** `bodyType` 8BITMIME: the content has 8-bit octets; `smtputf8`: addresses or header need rfc6531. */
  readonly sender: EnvelopeSender
  /** At least one. */
  readonly recipients: readonly EnvelopeRecipient[]
  /** Octets of the content, CR LF counted; checked against the peer's SIZE before MAIL. */
  readonly sizeBytes: number
}

/** What the peer said that it can do, after the last EHLO. */
export interface PeerExtensions {
  /** The name in its EHLO reply, for traces. */
  readonly name: string
  readonly esmtp: boolean
  /** undefined: SIZE not offered; 0: offered without a limit. */
  readonly sizeBytes?: number | undefined
  readonly eightBitMime: boolean
  readonly smtputf8: boolean
  readonly pipelining: boolean
  readonly chunking: boolean
  readonly dsn: boolean
  readonly starttls: boolean
  readonly enhancedStatusCodes: boolean
  readonly auth: readonly string[]
  /** rfc9422. */
  readonly rcptMax?: number | undefined
  readonly mailMax?: number | undefined
}

export type ClientAsk =
  /** Greeted, STARTTLS and AUTH done, or a message finished: what now? May stay open while nothing is to send. */
  | { readonly kind: 'next'; readonly peer: PeerExtensions; readonly messagesSent: number }
  /** Choose one of the peer's mechanisms: answer 'sasl' or 'skip' (only with auth `may`). */
  | { readonly kind: 'auth'; readonly mechanisms: readonly string[]; readonly tls: TlsFacts | undefined }
  /** The peer's 334, base64 undone: answer 'response' or 'cancel'. */
  | { readonly kind: 'auth-challenge'; readonly challenge: Uint8Array }
  /** The next piece of content, CR LF line ends, dots as they are: answer 'bytes', 'end' or 'abort'. */
  | { readonly kind: 'body' }

export type ClientAnswer =
  | { readonly kind: 'send'; readonly transaction: OutboundTransaction }
  | { readonly kind: 'quit' }
  | { readonly kind: 'sasl'; readonly mechanism: string; readonly initial?: Uint8Array | undefined }
  | { readonly kind: 'skip' }
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  /** The content can't be read: the connection is dropped, so that no half message is taken for a whole one. */
  | { readonly kind: 'abort' }

export type ClientStage =
  | 'connect'
  | 'helo'
  | 'starttls'
  | 'auth'
  /** What the peer offers does not do for this message; nothing was sent. */
  | 'check'
  | 'mail'
  | 'rcpt'
  | 'data'
  /** After the final dot or BDAT LAST: a loss here leaves open whether the peer has taken the message. */
  | 'end-of-data'
  | 'idle'
  | 'quit'

/** How it ended for one recipient, or for the connection. */
export interface StageReply {
  readonly stage: ClientStage
  /** 'local': the peer did not say it, we did (connection lost, timeout, extension missing). */
  readonly from: 'peer' | 'local'
  readonly reply: Reply
}

export interface RecipientResult extends StageReply {
  readonly address: Address
}

export interface TransactionResult {
  /** One for each recipient of the transaction, in its order. `reply.code` below 300 means the peer has it. */
  readonly recipients: readonly RecipientResult[]
  /** What the trace wants to hold: the replies to MAIL, DATA (354 or refusal) and to the end of data. */
  readonly mail?: Reply | undefined
  readonly data?: Reply | undefined
}

export type ClientTell =
  | { readonly kind: 'greeting'; readonly reply: Reply }
  | { readonly kind: 'peer'; readonly peer: PeerExtensions }
  | { readonly kind: 'tls'; readonly facts: TlsFacts }
  | { readonly kind: 'authenticated'; readonly mechanism: string; readonly reply: Reply }
  /** After every 'send', exactly one; also when the connection was lost on the way. */
  | { readonly kind: 'result'; readonly result: TransactionResult }
  /** Always the last tell; 'close' follows. `failure` absent: ended by our QUIT. */
  | { readonly kind: 'closing'; readonly failure?: StageReply | undefined }

/** What `smtpClient(options)` of client.ts gives. */
export type SmtpClient = Machine<ClientAsk, ClientTell, ClientAnswer>
