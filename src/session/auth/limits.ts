/** The numbers of logging in, each with its reason. */

/** A phone opens ten connections a minute; after this time a stolen memory image says less. */
export const VERIFIED_FOR_MS = 5 * 60_000
/** An old phone asks every few minutes with the old password: it is told so without being counted again. */
export const WRONG_FOR_MS = 30 * 60_000
/** 200 octets each. */
export const MAX_VERIFIED = 10_000
/** Bounded by the budget as well: a guess that is let in is one entry. */
export const MAX_WRONG = 10_000
/** Logins that wait for their hash: 5 s of two cores at 50 ms each. Those beyond are told to come again. */
export const MAX_HASHING = 200
/** Logins that sit out a delay; each holds a connection, of which there is a limit as well. */
export const MAX_DELAYED = 1_000
/** Octets of the key under which verified logins are remembered; it dies with the process. */
export const PROCESS_KEY_OCTETS = 32
