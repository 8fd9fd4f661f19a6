/**
 * Failures per client address (`budgetKey`) and per account, across connections and protocols: slow first,
 * then blocked for a while.
 */
export interface AttemptBudget {
  /** How long to wait before looking at this attempt, or that it is blocked. */
  admit(attempt: {
    readonly client: string
    readonly login: string
    readonly knownGood: boolean
  }): { readonly delayMs: number } | { readonly blockedForMs: number }
  failed(attempt: { readonly client: string; readonly login: string }): void
  succeeded(attempt: { readonly client: string; readonly login: string }): void
}
