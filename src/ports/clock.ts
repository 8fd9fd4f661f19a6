/** Time, so that tests can own it. */
export interface Clock {
  /** Wall clock, ms since 1970; may jump. For dates that people and peers read. */
  now(): number
  /** Minutes east of UTC here, at that moment. */
  zoneMinutes(atMs: number): number
  /** Never goes back. For deadlines. */
  monotonic(): number
  /** Calls back once; the returned function cancels. Timers do not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void
}
