/** INTERNALDATE (rfc3501 §9, date-time): the instant, and the zone in which the client wrote it. */
export interface InternalDate {
  readonly ms: number
  /** Minutes east of UTC. */
  readonly zoneMinutes: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DATE_TIME = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/
const DATE = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/

/** Reads `17-Jul-1996 02:44:25 -0700` without its quotes; undefined where it is no date that exists. */
export function parseInternalDate(text: string): InternalDate | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [, dayText, monthText, yearText, hourText, minuteText, secondText, sign, zoneHours, zoneRest] = match
  const day = parseDay(`${Number(dayText)}-${monthText}-${yearText}`)
  const hour = Number(hourText)
  const minute = Number(minuteText)
  const second = Number(secondText)
  const zone = Number(zoneHours) * 60 + Number(zoneRest)
  // A leap second is taken as the second before it: no clock of ours has one.
  if (day === undefined || hour > 23 || minute > 59 || second > 60) return undefined
  if (Number(zoneRest) > 59 || zone >= 24 * 60) return undefined
  const zoneMinutes = sign === '-' && zone !== 0 ? -zone : zone
  const utc = Date.UTC(2000, day.month - 1, day.day, hour, minute, Math.min(second, 59))
  return {
    ms: new Date(utc).setUTCFullYear(day.year, day.month - 1, day.day) - zoneMinutes * 60_000,
    zoneMinutes,
  }
}

/** Writes the date as it came, without quotes. Years beyond four digits are cut to what the wire can hold. */
export function formatInternalDate(date: InternalDate): string {
  const local = new Date(clampMs(date.ms + date.zoneMinutes * 60_000))
  const zone = Math.abs(date.zoneMinutes)
  const zoneText = `${date.zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(zone / 60))}${two(zone % 60)}`
  const year = String(local.getUTCFullYear()).padStart(4, '0')
  const day = String(local.getUTCDate()).padStart(2, ' ')
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`
  return `${day}-${MONTHS[local.getUTCMonth()]}-${year} ${time} ${zoneText}`
}

export interface Day {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

/** Reads `1-Feb-1994` as in SEARCH; undefined where there is no such day. */
export function parseDay(text: string): Day | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const month = MONTHS.findIndex((name) => name.toLowerCase() === match[2]?.toLowerCase()) + 1
  const year = Number(match[3])
  const day = Number(match[1])
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const longest = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return month === 0 || day < 1 || day > longest ? undefined : { year, month, day }
}

export function formatDay(day: Day): string {
  return `${day.day}-${MONTHS[day.month - 1]}-${String(day.year).padStart(4, '0')}`
}

const FIRST_MS = -62_167_219_200_000
const LAST_MS = 253_402_300_799_000

function clampMs(ms: number): number {
  return Math.min(LAST_MS, Math.max(FIRST_MS, ms))
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}
