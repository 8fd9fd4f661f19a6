/** How a long command tells its operator how far it has come, and learns that nobody waits for it any more. */
export interface Progress {
  /** Shows one line at once. Resolves when there is room for more; false where nobody reads any more. */
  line(text: string): Promise<boolean>
  /** Aborted when the operator has given up (Ctrl-C, a closed connection). */
  readonly signal: AbortSignal
}
