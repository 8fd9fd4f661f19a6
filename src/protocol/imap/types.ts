import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Machine } from '../machine.ts'
import type { ImapCommand } from './command.ts'
import type { AppendCommand } from './commands/append.ts'
import type { FetchSection } from './commands/fetch.ts'
import type { IdleCommand } from './commands/idle.ts'
import type { ImapLimits } from './limits.ts'
import type { ImapResponse } from './response.ts'
import type { ResponseCode } from './responses/code.ts'
import type { FetchData } from './responses/fetch.ts'
import type { ImapState } from './states.ts'

/** Commands that reach the session whole. LOGOUT is answered by the core; APPEND and IDLE have asks of their own. */
export type AskedCommand = Exclude<ImapCommand, { kind: 'append' | 'idle' | 'logout' }>

/**
 * A question to the session. Each is settled by one `answer`; which answers fit stands behind it. While an
 * ask is open (but for 'connect') the session may `send` untagged responses.
 */
export type ImapAsk =
  /** A client is there: greet it or turn it away. → greet */
  | { readonly kind: 'connect'; readonly tls: TlsFacts | undefined }
  /** → done; for AUTHENTICATE also challenge. STARTTLS answered OK starts TLS. */
  | { readonly kind: 'command'; readonly tag: string; readonly command: AskedCommand }
  /** The client's answer to a challenge, decoded. → challenge, done */
  | { readonly kind: 'auth-response'; readonly tag: string; readonly octets: Uint8Array }
  /** A message is about to come, of a size within the limit. → accept, or done with NO or BAD */
  | {
      readonly kind: 'append-start'
      readonly tag: string
      readonly command: AppendCommand
      /** False: the client sends the message whatever the answer is; refused, it is read and dropped. */
      readonly waits: boolean
    }
  /** The message has come whole, as 'append-data'. → done */
  | { readonly kind: 'append-end'; readonly tag: string }
  /** → idle, or done with NO or BAD */
  | { readonly kind: 'idle-start'; readonly tag: string; readonly command: IdleCommand }
  /** IDLE is over; what was not yet told may be sent. → done. Where `clean` is false the client sent something else than DONE and gets BAD. */
  | { readonly kind: 'idle-end'; readonly tag: string; readonly clean: boolean }

export type ImapAnswer =
  | {
      readonly kind: 'greet'
      readonly status: 'OK' | 'PREAUTH' | 'BYE'
      readonly code?: ResponseCode | undefined
      readonly text: string
    }
  /** The tagged completion. */
  | {
      readonly kind: 'done'
      readonly status: 'OK' | 'NO' | 'BAD'
      readonly code?: ResponseCode | undefined
      readonly text: string
    }
  | { readonly kind: 'challenge'; readonly octets: Uint8Array }
  | { readonly kind: 'accept' }
  | { readonly kind: 'idle' }

/** Facts, for the session and the log. */
export type ImapTell =
  /** A piece of the message that 'append-start' accepted. */
  | { readonly kind: 'append-data'; readonly octets: Uint8Array }
  /** The accepted message will not come whole, or the command went on wrongly behind it: throw it away. */
  | { readonly kind: 'append-abort'; readonly cause: string }
  /** The AUTHENTICATE exchange ended by the client's doing (`*`, no base64, too long): forget it. Already answered. */
  | { readonly kind: 'auth-cancel'; readonly cause: string }
  /** A command was refused before anybody was asked. */
  | {
      readonly kind: 'refused'
      readonly tag: string | undefined
      readonly status: 'BAD' | 'NO'
      readonly cause: string
    }
  /** Bytes behind STARTTLS came before TLS stood: dropped. An attack, or a client that is badly broken. */
  | { readonly kind: 'attack'; readonly what: 'plaintext-behind-starttls'; readonly octets: number }
  /** A SELECT or EXAMINE failed here: what was selected is no longer (rfc3501 §6.3.1). */
  | { readonly kind: 'deselect' }
  /** LOGOUT was answered. */
  | { readonly kind: 'logout' }
  /** We said BYE. */
  | { readonly kind: 'bye'; readonly why: ByeReason; readonly cause: string }

/** What BYE says. */
export interface Bye {
  readonly code?: ResponseCode | undefined
  readonly text: string
}

export type ByeReason = 'autologout' | 'too-many-commands' | 'too-big' | 'shutdown' | 'refused'

/** What may be told at any time after login, asked for or not. An EXPUNGE needs IDLE or a command (rfc3501 §7.4.1). */
export type ImapUpdate = Extract<
  ImapResponse,
  { kind: 'exists' | 'recent' | 'expunge' | 'fetch' | 'flags' | 'condition' | 'list' | 'status' }
>

export interface ImapServerOptions {
  readonly limits?: Partial<ImapLimits> | undefined
  /** Which of rfc7888's extensions the session names among its capabilities. */
  readonly literals: 'LITERAL+' | 'LITERAL-'
  /** Present where TLS stands already (port 993). */
  readonly tls?: TlsFacts | undefined
  /** The driver's monotonic clock at the start, ms. */
  readonly nowMs: number
}

/**
 * A connection's server side. Output is queued at once and comes out as 'write' steps: after `send`, `post`,
 * `shutdown` and `answer` the driver must call `next()`.
 */
export interface ImapServerMachine extends Machine<ImapAsk, ImapTell, ImapAnswer> {
  readonly state: ImapState
  /** Octets queued and not yet handed to the driver: who makes long answers waits while this is high. */
  readonly pendingWriteBytes: number
  /**
   * Queues an untagged response; an ask must be open. EXPUNGE during FETCH, STORE and SEARCH by sequence
   * number is our fault and throws (rfc3501 §7.4.1), see `mayExpunge`.
   */
  send(response: ImapResponse): void
  /**
   * Queues an untagged response that no command asked for: in IDLE, or between commands (there without
   * EXPUNGE). Also legal while an ask is open, but not within a FETCH that is being streamed.
   */
  post(update: ImapUpdate): void
  /** Whether an EXPUNGE may be sent now. */
  readonly mayExpunge: boolean
  /** One FETCH response in pieces, for bodies that are not held whole: start, then items and literals, then end. */
  fetchStart(sequence: number, items: readonly FetchData[]): void
  fetchItems(items: readonly FetchData[]): void
  /** Announces the literal of a section; `fetchChunk`s of exactly `sizeBytes` octets must follow. */
  fetchLiteral(item: FetchSection, sizeBytes: number): void
  /** The core owns `octets` afterwards. */
  fetchChunk(octets: Uint8Array): void
  fetchEnd(): void
  /** BYE and close: at once where no command runs, else behind its completion. */
  shutdown(bye: Bye): void
  /** Closes at once with what is queued unsent: a started literal cannot be completed. */
  abort(): void
}
