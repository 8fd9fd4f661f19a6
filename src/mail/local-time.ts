/**
 * A moment as people read it: `2026-11-24 09:38:03 +0900`.
 * @param zoneMinutes of the local time then, east of Greenwich positive.
 */
export function formatLocalTime(atMs: number, zoneMinutes: number): string {
  const shifted = new Date(atMs + zoneMinutes * 60_000).toISOString()
  const minutes = Math.abs(zoneMinutes)
  const zone = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join('')
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} ${zoneMinutes < 0 ? '-' : '+'}${zone}`
}
