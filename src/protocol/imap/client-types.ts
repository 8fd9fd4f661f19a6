import type { Machine } from '../machine.ts'
import type { ImapCommand } from './command.ts'
import type { ImapResponse } from './response.ts'
import type { ConditionResponse } from './responses/condition.ts'

/** A question to whoever uses the client. */
export type ImapClientAsk =
  /** The server's challenge in AUTHENTICATE. → auth-response, or cancel */
  | { readonly kind: 'challenge'; readonly tag: string; readonly octets: Uint8Array }
  /** The server waits for the message of APPEND; `left` octets are still to come. → append-data */
  | { readonly kind: 'append-data'; readonly tag: string; readonly left: number }

export type ImapClientAnswer =
  | { readonly kind: 'auth-response'; readonly octets: Uint8Array }
  | { readonly kind: 'cancel' }
  /** At least one octet and at most `left`. */
  | { readonly kind: 'append-data'; readonly octets: Uint8Array }

export type ImapClientTell =
  | { readonly kind: 'greeting'; readonly condition: ConditionResponse }
  | { readonly kind: 'response'; readonly response: ImapResponse }
  /**
   * A piece of a literal above `streamAboveOctets`. The response that it belongs to follows when all is there,
   * with an empty value in the literal's place.
   */
  | { readonly kind: 'literal'; readonly octets: Uint8Array; readonly left: number }
  | { readonly kind: 'idling'; readonly tag: string }
  /** A command's completion. */
  | { readonly kind: 'done'; readonly tag: string; readonly condition: ConditionResponse }
  /** The connection is of no more use; open commands have failed. */
  | { readonly kind: 'lost'; readonly cause: string }

export interface ImapClientOptions {
  /** Whether literals may be sent without waiting (rfc7888 §3): all, up to 4096 octets, or none. */
  readonly literals: 'LITERAL+' | 'LITERAL-' | 'none'
  readonly limits?: Partial<ImapClientLimits> | undefined
  readonly nowMs: number
}

export interface ImapClientLimits {
  /** Text of one response: SEARCH answers hold a number for each message. */
  readonly responseTextOctets: number
  /** A response with its held literals. */
  readonly responseOctets: number
  readonly streamAboveOctets: number
  /** Literals in one response; an ENVELOPE may have one for each odd name. */
  readonly literalsPerResponse: number
  /** How long a server may say nothing while a command is open. */
  readonly replyTimeoutMs: number
}

export const IMAP_CLIENT_LIMITS: ImapClientLimits = {
  responseTextOctets: 8 * 1024 * 1024,
  responseOctets: 16 * 1024 * 1024,
  streamAboveOctets: 65_536,
  literalsPerResponse: 10_000,
  replyTimeoutMs: 5 * 60_000,
}

/** The client side of a connection. After `command`, `done` and `answer` the driver must call `next()`. */
export interface ImapClientMachine extends Machine<ImapClientAsk, ImapClientTell, ImapClientAnswer> {
  /** Queues a command and gives its tag. Commands are sent without waiting for each other where that is safe. */
  command(command: ImapCommand): string
  /** Ends IDLE. */
  done(): void
}
