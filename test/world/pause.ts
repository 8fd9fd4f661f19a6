import type { Chance } from './chance.ts'
import type { Scheduler } from './scheduler.ts'

/** Everybody who waits for a rush acts within a few milliseconds: that is where orders get mixed. */
const RUSH_EVERY_MS = 15_000
const RUSH_MS = 40

/** How long somebody waits before what comes next: hardly, until the next rush, or as long as it takes. */
export function pause(scheduler: Scheduler, chance: Chance, mostMs: number): Promise<void> {
  const kind = chance.weighted({ hardly: 4, rush: 3, long: 3 })
  if (kind === 'hardly') return scheduler.sleep(chance.between(0, RUSH_MS))
  if (kind === 'long') return scheduler.sleep(chance.between(10, mostMs))
  const toRushMs = RUSH_EVERY_MS - (scheduler.nowMs % RUSH_EVERY_MS)
  return scheduler.sleep(toRushMs + chance.between(0, RUSH_MS))
}
