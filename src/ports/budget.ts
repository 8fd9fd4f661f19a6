/** One attempt to log in. */
export interface Attempt {
  /** `budgetKey` of the client's address. */
  readonly client: string
  /** Canonical; need not exist. */
  readonly login: string
  /** Whether this client has logged in to this account before: others' guesses do not count against it. */
  readonly knownGood: boolean
}

/**
 * Failures per client address and per account, across connections and protocols: slow first, then blocked for
 * a while.
 */
export interface AttemptBudget {
  /**
   * How long to wait before looking at this attempt, or that it is blocked. An attempt that is let in is
   * charged as a failure at once, so that a hundred guesses sent together are not all the first one.
   */
  admit(attempt: Attempt): { readonly delayMs: number } | { readonly blockedForMs: number }
  /** Takes the charge of `admit` back: the attempt succeeded, or failed by our own fault. */
  refund(attempt: Attempt): void
}
