/** ISO 8601 with the zone that it came with; '' for a number that is no moment (a damaged row has any). */
export function momentText(ms: number, zoneMinutes = 0): string {
  const moment = new Date(ms + zoneMinutes * 60_000)
  if (Number.isNaN(moment.getTime())) return ''
  const zone = Math.abs(zoneMinutes)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  return `${moment.toISOString().slice(0, -5)}${zoneMinutes < 0 ? '-' : '+'}${two(zone / 60)}:${two(zone % 60)}`
}
