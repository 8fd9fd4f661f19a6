/* When to try again. Pure: time comes in as arguments. */

import { MAX_SLEEP_MS, MIN_ATTEMPTS } from './limits.ts'

export interface RetrySettings {
  /** Waits after the first, second, … failed attempt; the last repeats (rfc5321 §4.5.4.1). */
  readonly retryAfterMs: readonly number[]
  readonly giveUpAfterMs: number
  readonly tellDelayAfterMs: number
}

export type NextAttempt = { readonly kind: 'retry'; readonly atMs: number } | { readonly kind: 'give-up' }

/**
 * @param attempts how many have failed, this one included.
 * @param chance 0 to 1: spreads messages that failed together by up to a tenth of the wait.
 */
export function nextAttempt(
  settings: RetrySettings,
  at: {
    readonly attempts: number
    readonly arrivedAtMs: number
    readonly nowMs: number
    /** The time that age is counted to, where the clock is not believed; else `nowMs`. */
    readonly believedMs?: number | undefined
    readonly chance: number
  },
): NextAttempt {
  const believedMs = Math.min(at.nowMs, at.believedMs ?? at.nowMs)
  const isOver = believedMs - at.arrivedAtMs >= settings.giveUpAfterMs
  if (isOver && at.attempts >= MIN_ATTEMPTS) return { kind: 'give-up' }
  const waits = settings.retryAfterMs
  const wait = waits[Math.min(at.attempts, waits.length) - 1] ?? settings.giveUpAfterMs
  const atMs = at.nowMs + Math.round(wait * (1 + at.chance / 10))
  const lastMs = at.arrivedAtMs + settings.giveUpAfterMs
  // One last attempt at the end of the time, rather than none.
  return { kind: 'retry', atMs: isOver || lastMs <= at.nowMs ? atMs : Math.min(atMs, lastMs) }
}

/** Whether the sender is to be told now that the message is late; told once. */
export function isDelayTold(
  settings: RetrySettings,
  at: { readonly arrivedAtMs: number; readonly nowMs: number; readonly toldAtMs: number | undefined },
): boolean {
  return at.toldAtMs === undefined && at.nowMs - at.arrivedAtMs >= settings.tellDelayAfterMs
}

/**
 * How far ahead a due time can be: what lies further was set by a clock that has been put back since, and is
 * due now, or a message would wait as long as the clock was wrong.
 */
export function horizonMs(settings: RetrySettings): number {
  const longest =
    settings.retryAfterMs.length === 0 ? settings.giveUpAfterMs : Math.max(...settings.retryAfterMs)
  // The spread of `nextAttempt` is a tenth; the rest is for clocks that are set by seconds.
  return Math.max(MAX_SLEEP_MS, 1.2 * longest)
}

/** Whether a due time has come, or can't be right. */
export function isDue(nextAttemptAtMs: number, nowMs: number, horizon: number): boolean {
  return nextAttemptAtMs <= nowMs || nextAttemptAtMs > nowMs + horizon
}
