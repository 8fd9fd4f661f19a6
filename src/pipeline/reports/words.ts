export const DAY_MS = 24 * 3_600_000

/** The UTC day of a moment: `2026-11-24`. */
export const utcDay = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

/** The beginning of a UTC day, ms since 1970. */
export const dayStartMs = (day: string): number => Date.parse(`${day}T00:00:00Z`)

/** Whether a canonical domain is another, or below it. */
export function isOrBelow(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`)
}
