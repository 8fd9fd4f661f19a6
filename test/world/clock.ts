import type { Clock } from '../../src/ports/clock.ts'
import type { Scheduler } from './scheduler.ts'
import { EPOCH_MS } from './system.ts'

/** The world's time behind the port. @param errorMs how far this server's clock is from it. */
export function worldClock(scheduler: Scheduler, errorMs: () => number): Clock {
  return {
    now: () => EPOCH_MS + Math.floor(scheduler.nowMs) + errorMs(),
    zoneMinutes: () => 540,
    monotonic: () => scheduler.nowMs,
    after: (delayMs, callback) => {
      const handle = scheduler.after(delayMs, callback)
      return () => handle.cancel()
    },
  }
}
