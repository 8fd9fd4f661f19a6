import type { SearchDay } from '../mail/search.ts'

/** Days as `YYYY-MM-DD`: they compare as texts. */
export function dayText(day: SearchDay): string {
  return `${pad(day.year, 4)}-${pad(day.month, 2)}-${pad(day.day, 2)}`
}

/** The day of INTERNALDATE as its own zone writes it: SEARCH disregards time and zone (rfc3501 §6.4.4). */
export function dayOfArrival(arrivedMs: number, zoneMinutes: number): string {
  return new Date(arrivedMs + zoneMinutes * 60_000).toISOString().slice(0, 10)
}

export function relates(day: string, relation: 'before' | 'on' | 'since', wanted: string): boolean {
  if (relation === 'before') return day < wanted
  return relation === 'on' ? day === wanted : day >= wanted
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0')
