import type { Clock } from '../ports/clock.ts'

/** The machine's clocks. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    zoneMinutes: (atMs) => -new Date(atMs).getTimezoneOffset(),
    monotonic: () => performance.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
