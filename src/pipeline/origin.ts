import type { AccountId } from '../mail/ids.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'

/** `local`: a program on this machine, by the `sendmail` command. */
export type Role = 'mx' | 'submission' | 'lmtp' | 'local'

/** Mail of our own people, which is checked for its author and completed; everything else is taken as it is. */
export const isOwnMail = (role: Role): boolean => role === 'submission' || role === 'local'

/** Where a message comes from: all that the session knows of the connection when MAIL is said. */
export interface Origin {
  readonly role: Role
  /** `mx [::]:25`, for traces. */
  readonly listener: string
  /** Canonical address; `unix` for a unix socket. */
  readonly client: string
  readonly proxied: boolean
  readonly helo: string
  readonly extended: boolean
  readonly tls?: TlsFacts | undefined
  readonly login?: Login | undefined
  /** The named network that lets this client submit without AUTH. */
  readonly trustedNetwork?: string | undefined
}

export interface Login {
  readonly account: AccountId
  readonly login: string
  readonly mechanism: string
}
