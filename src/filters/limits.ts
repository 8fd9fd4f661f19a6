/** The numbers of the filters, each with its reason. */

/** Failures that cost nothing: a mistyped password, an old phone, and ten connections that a client opens at once. */
export const FREE_FAILURES = 10
/** The wait after those: doubled by each further failure. */
export const FIRST_DELAY_MS = 1_000
/** Clients give up a command after 30 s and more; longer waits would only look like a fault. */
export const MAX_DELAY_MS = 16_000
/** Failures at which an address or an account is blocked: some 20 guesses, then what decays: 480 a day. */
export const BLOCK_AT_FAILURES = 20
/** An address that has worked for the account: a person who mistypes, or a neighbour behind one NAT who guesses. */
export const KNOWN_GOOD_BLOCK_AT_FAILURES = 40
/** One failure is forgotten in this time. */
export const FORGET_ONE_MS = 3 * 60_000
/** Long enough to make guessing worthless, short enough to wait out. */
export const BLOCK_MS = 15 * 60_000
/** Addresses and logins remembered; 10 MB at most. Beyond, those longest untouched are forgotten. */
export const MAX_BUDGET_ENTRIES = 50_000
