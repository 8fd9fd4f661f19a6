import type { Address } from '../../mail/address.ts'
import type { EnvelopeSender, Notify } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Machine } from '../machine.ts'
import type { ServerLimits } from './limits.ts'

/*
 * What the SMTP/LMTP server core asks and tells its session, and what the session may answer. Every answer
 * is a value; a session writes no bytes. The client core's words are in client-types.ts.
 */

export type Protocol = 'smtp' | 'lmtp'

export interface ServerOffers {
  /** Whether STARTTLS is offered while the connection is in clear text. */
  readonly starttls: boolean
  /** SASL mechanisms before and under TLS; `offerAuth()` replaces the list in force (channel bindings, budgets). */
  readonly auth: { readonly clear: readonly string[]; readonly tls: readonly string[] }
  /** rfc1870: the largest message, octets. */
  readonly sizeBytes: number
  readonly smtputf8: boolean
  readonly chunking: boolean
  readonly dsn: boolean
  /** rfc9422: told to the client and enforced by the core; absent means not told (the core's own limit stands). */
  readonly rcptMax?: number | undefined
  readonly mailMax?: number | undefined
}

export interface ServerOptions {
  readonly protocol: Protocol
  readonly role: 'mx' | 'submission' | 'lmtp'
  /** Our name in the greeting, EHLO and 221/421 replies. */
  readonly hostname: string
  /** After the name and `ESMTP` in the greeting. */
  readonly greetingText?: string | undefined
  /** TLS already stands when the connection is handed over (port 465). */
  readonly tls?: TlsFacts | undefined
  readonly offers: ServerOffers
  /** rfc3207 §4: 530 to everything but NOOP, EHLO, STARTTLS, QUIT before TLS. */
  readonly requireTls: boolean
  /** rfc4954 §6: 530 to MAIL before AUTH. The session says false for addresses that may submit without. */
  readonly requireAuth: boolean
  /** `accept-lf` is a leniency: a bare LF in the message becomes CR LF. It never ends a message. */
  readonly bareNewlines: 'refuse' | 'accept-lf'
  readonly limits?: Partial<ServerLimits> | undefined
}

/** Something taken although the grammar says no; each can be refused by the session. */
export type Leniency =
  /** `a..b@` or `x.@`, as docomo and au issued them. */
  | 'dots-in-local-part'
  /** `MAIL FROM: <a@b>`: a space after the colon. */
  | 'space-after-colon'
  /** `MAIL FROM:a@b` without angle brackets. */
  | 'no-angle-brackets'
  /** A HELO name that is neither a domain nor an address literal (underscores, bare IP addresses). */
  | 'helo-name'

/** What stood between `<` and `>` of RCPT. */
export type ForwardPath =
  | {
      readonly kind: 'address'
      readonly address: Address
      /** rfc5321 §4.1.1.3: the hosts of `<@a,@b:u@d>`; empty nearly always. To be ignored or refused, never followed. */
      readonly route: readonly string[]
      /** The path as it was written, for traces. */
      readonly text: string
    }
  /** rfc5321 §4.5.1: `<Postmaster>` in any case, without a domain. */
  | { readonly kind: 'postmaster'; readonly text: string }
  /** LMTP only: sendmail's `cyrusv2` mailer writes `<user>`, a mailbox of the store's own (rfc2033 says nothing of domains). */
  | { readonly kind: 'local-name'; readonly local: string; readonly text: string }

/** A question to the session. `next()` gives no further command's work until it is answered. */
export type ServerAsk =
  /** May this peer speak? 'accept' greets; a reply refuses (421 and 521 close; 554 waits for QUIT, rfc5321 §3.1). */
  | { readonly kind: 'connect' }
  | {
      readonly kind: 'helo'
      readonly verb: 'HELO' | 'EHLO' | 'LHLO'
      /** As it was given, cleaned of nothing but printable by grammar: letters, digits, `-._:[]`, UTF-8 never. */
      readonly name: string
      readonly lenient: readonly Leniency[]
    }
  /** 'accept' sends 220 and starts TLS; 454 4.7.0 where it can't. */
  | { readonly kind: 'starttls' }
  /** rfc4954 §4. `initial` undefined: none was sent; empty: `=` was sent. */
  | { readonly kind: 'auth'; readonly mechanism: string; readonly initial: Uint8Array | undefined }
  /** The client's answer to the last challenge, base64 undone. */
  | { readonly kind: 'auth-response'; readonly response: Uint8Array }
  | {
      readonly kind: 'mail'
      readonly sender: EnvelopeSender
      /** The path as it was written, for traces. */
      readonly text: string
      readonly route: readonly string[]
      /** rfc4954 §5, xtext decoded; null is `AUTH=<>`. Believed only by who trusts the peer. */
      readonly authParam?: string | null | undefined
      readonly lenient: readonly Leniency[]
    }
  | {
      readonly kind: 'rcpt'
      readonly path: ForwardPath
      readonly notify?: Notify | undefined
      readonly orcpt?: string | undefined
      /** How many the transaction has already accepted. */
      readonly accepted: number
      readonly lenient: readonly Leniency[]
    }
  /** DATA or the first BDAT: the last chance to refuse before the content flows. */
  | { readonly kind: 'data'; readonly by: 'DATA' | 'BDAT'; readonly recipients: number }
  /**
   * The content is complete and within the core's own limits. SMTP: one reply. LMTP: one reply for each
   * accepted recipient in order ('replies'), or one 'reply' which then counts for each.
   */
  | { readonly kind: 'message'; readonly facts: MessageFacts; readonly recipients: number }
  | { readonly kind: 'vrfy'; readonly verb: 'VRFY' | 'EXPN'; readonly text: string }

export type ServerAnswer =
  /** The core's own positive reply: 220, 250, 354, 252 to VRFY (502 to EXPN). Not for 'auth' and 'message'. */
  | { readonly kind: 'accept' }
  /** This reply; below 400 accepts. 421 and 521 also close the connection. */
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** LMTP 'message' only: exactly one for each accepted recipient. */
  | { readonly kind: 'replies'; readonly replies: readonly Reply[] }
  /** 'auth' and 'auth-response' only: 334 with these octets. */
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }

/** Counted while the content was scanned, so that nobody has to count again. */
export interface MessageFacts {
  /** Octets told as 'body', dots undone. */
  readonly sizeBytes: number
  readonly lines: number
  /** Octets up to and with the empty line; the whole size where there is none. */
  readonly headerBytes: number
  readonly longestLineBytes: number
  /** Bare line feeds made CR LF (only with `accept-lf`). */
  readonly bareLineFeeds: number
  /** NUL octets pass as they came (rfc5322 §4); who can't store or show them refuses here. */
  readonly hasNul: boolean
  /** An octet above 127 was seen, whatever BODY said. */
  readonly has8bit: boolean
  /** The content's last line ended with CR LF (always so with DATA). */
  readonly endsWithNewline: boolean
}

export type AttackKind =
  /** Input behind STARTTLS before TLS stood: dropped. */
  | 'behind-starttls'
  /** Spoke before the greeting. */
  | 'early-talker'
  /** A line of content ended with a bare CR or LF. */
  | 'bare-newline'
  /** A lone dot between wrong line ends: somebody hopes that one of two servers ends the message there. */
  | 'smuggling'
  /** `GET / HTTP/1.1` and its kind. */
  | 'http'
  | 'command-too-long'
  | 'too-many-errors'
  /** Control characters or an encoded NUL, CR or LF inside a parameter. */
  | 'control-characters'
  /** Command count, chunk count or another flood limit. */
  | 'flood'

/** A fact for the session: pieces of content, and what its trace should hold. */
export type ServerTell =
  /** A piece of the content, dots undone, CR LF line ends. The array may be kept; it is never written again. */
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  /**
   * The content that 'body' began will not end: drop it. 'refused': the core has said `reply` itself (size,
   * line ends, limits); 'reset': RSET or EHLO between chunks; 'lost': the peer is gone or too slow.
   */
  | { readonly kind: 'body-aborted'; readonly why: 'refused' | 'reset' | 'lost'; readonly reply?: Reply }
  /** The transaction is over without a message; nothing of it may leak into the next one. */
  | { readonly kind: 'reset'; readonly by: 'RSET' | 'HELO' | 'STARTTLS' | 'refused' | 'closed' }
  | { readonly kind: 'tls'; readonly facts: TlsFacts }
  /** The client gave up (`*`) or broke the exchange; drop the mechanism's state. `reply` was sent. */
  | { readonly kind: 'auth-aborted'; readonly reply: Reply }
  /** The core refused a command by itself: syntax, order, limits. */
  | { readonly kind: 'refused'; readonly verb: string; readonly reply: Reply }
  | { readonly kind: 'attack'; readonly attack: AttackKind; readonly detail: string }
  | { readonly kind: 'closing'; readonly why: ClosingReason; readonly reply?: Reply }

export type ClosingReason =
  | 'quit'
  | 'peer-closed'
  | 'timeout'
  | 'refused'
  | 'attack'
  | 'shutdown'
  | 'no-answer'

/** What `smtpServer(options)` of server.ts gives: a machine with two more entrances. */
export interface SmtpServer extends Machine<ServerAsk, ServerTell, ServerAnswer> {
  /** Replaces the mechanisms told in the next EHLO reply and taken by AUTH; an empty list switches AUTH off. */
  offerAuth(mechanisms: readonly string[]): void
  /** Finishes the message that is being received, then sends this reply (421) and closes. */
  shutdown(reply: Reply): void
}
