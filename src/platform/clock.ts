import type { Clock } from '../ports/clock.ts'

/** The machine's clocks. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    zoneMinutes: (atMs) => -new Date(atMs).getTimezoneOffset(),
    monotonic: () => performance.now(),
    after(delayMs, callback) {
      // Node fires at once where the delay has more than 31 bits.
      const timer = setTimeout(callback, Math.min(delayMs, 0x7fff_ffff))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
