import { readFileSync } from 'node:fs'
import { LISTEN_LIMITS } from './limits.ts'

/** How many files and sockets this process may have open; undefined where the system does not say (only Linux does). */
export function descriptorLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    // No /proc: the configured number alone holds.
    return undefined
  }
}

/** Clients that may be connected at once: as many as asked for, while enough descriptors are left for the rest. */
export function connectionsWithin(wanted: number, descriptors: number | undefined): number {
  if (descriptors === undefined) return wanted
  const { reservedDescriptors, reservedShare } = LISTEN_LIMITS
  const reserved = Math.min(reservedDescriptors, Math.floor(descriptors * reservedShare))
  return Math.min(wanted, descriptors - reserved)
}
