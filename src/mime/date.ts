import { withoutComments } from './comments.ts'

/** A date as a field says it. */
export interface MailDate {
  readonly ms: number
  /** `YYYY-MM-DD` in the zone that was written. */
  readonly day: string
  readonly zoneMinutes: number
  readonly leniencies: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** rfc5322 §4.3, and the names that programs in Japan and Europe write. Minutes east of UTC. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['ut', 0],
  ['gmt', 0],
  ['utc', 0],
  ['z', 0],
  ['est', -300],
  ['edt', -240],
  ['cst', -360],
  ['cdt', -300],
  ['mst', -420],
  ['mdt', -360],
  ['pst', -480],
  ['pdt', -420],
  ['jst', 540],
  ['bst', 60],
  ['cet', 60],
  ['cest', 120],
  ['met', 60],
  ['eet', 120],
])
const STANDARD_ZONES = new Set(['ut', 'gmt', 'est', 'edt', 'cst', 'cdt', 'mst', 'mdt', 'pst', 'pdt'])
/** Longer fields are no dates; comments within are counted. */
const MAX_DATE_CHARS = 300

const CANONICAL =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)(?: \([^()\\]*\))?$/
const CLOCK = /^(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?)?(am|pm)?$/
const OFFSET = /^(?:gmt|utc|ut)?([+-])(\d{1,2}):?(\d{2})?$/
const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})$/

interface Fields {
  year?: number
  month?: number
  day?: number
  hour?: number
  minute?: number
  second?: number
  zone?: number
}

/** Reads a Date value (rfc5322 §3.3, §4.3) and what else is written there; undefined where it is no date. */
export function parseDate(value: string): MailDate | undefined {
  if (value.length > MAX_DATE_CHARS) return undefined
  const usual = CANONICAL.exec(value)
  if (usual !== null) {
    const zone = (usual[7] === '-' ? -1 : 1) * (Number(usual[8]) * 60 + Number(usual[9]))
    const fields = {
      year: Number(usual[3]),
      month: MONTH_NAMES.indexOf(usual[2] as string),
      day: Number(usual[1]),
      hour: Number(usual[4]),
      minute: Number(usual[5]),
      second: Number(usual[6]),
      zone,
    }
    return assemble(fields, new Set())
  }
  return parseOddDate(value)
}

/** `Tue, 1 Jul 2003 10:52:37 +0200` (rfc5322 §3.3). */
export function formatDate(ms: number, zoneMinutes: number): string {
  const local = new Date(ms + zoneMinutes * 60_000)
  const month = MONTH_NAMES[local.getUTCMonth()]
  const day = DAY_NAMES[local.getUTCDay()]
  return `${day}, ${local.getUTCDate()} ${month} ${pad(local.getUTCFullYear(), 4)} ${clock(local)} ${offset(zoneMinutes)}`
}

function parseOddDate(value: string): MailDate | undefined {
  const tags = new Set<string>()
  const fields: Fields = {}
  const bare = withoutComments(value)
  const tokens = bare
    .toLowerCase()
    .replace(/[ \t\r\n]*:[ \t\r\n]*/g, ':')
    // `2003-07-01T10:52:37Z`, `10:52:37+0200`, `10:52 pm`
    .replace(/(\d)t(?=\d)/g, '$1 ')
    .replace(/(:\d\d(?:[.,]\d{1,9})?)(?=[-+z])/g, '$1 ')
    .replace(/(:\d\d) +(?=[ap]m\b)/g, '$1')
    .split(/[\s,]+/)
    .filter((token) => token !== '')
  for (const token of tokens) readToken(token, fields, tags)
  return assemble(fields, tags)
}

function readToken(token: string, fields: Fields, tags: Set<string>): void {
  if (readClock(token, fields, tags) || readDay(token, fields, tags) || readZone(token, fields, tags)) return
  const month = MONTHS.indexOf(token.slice(0, 3))
  if (month >= 0 && /^[a-z]+\.?$/.test(token) && fields.month === undefined) {
    fields.month = month
    if (token.length > 3) tags.add('date-month-name')
  } else if (/^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?$/.test(token)) {
    if (token.length > 3) tags.add('date-day-name')
  } else {
    tags.add('date-extra-text')
  }
}

function readClock(token: string, fields: Fields, tags: Set<string>): boolean {
  const clock = fields.hour === undefined ? CLOCK.exec(token) : null
  if (clock === null) return false
  let hour = Number(clock[1])
  if (clock[4] !== undefined) {
    hour = (hour % 12) + (clock[4] === 'pm' ? 12 : 0)
    tags.add('date-12-hours')
  }
  if (token.includes('.')) tags.add('date-clock')
  fields.hour = hour
  fields.minute = Number(clock[2])
  fields.second = clock[3] === undefined ? 0 : Number(clock[3])
  return true
}

function readDay(token: string, fields: Fields, tags: Set<string>): boolean {
  const iso = ISO.exec(token)
  if (iso !== null) {
    fields.year = Number(iso[1])
    fields.month = Number(iso[2]) - 1
    fields.day = Number(iso[3])
    tags.add('date-iso-form')
    return true
  }
  const joined = /^(\d{1,2})-([a-z]{3})-(\d{2,4})$/.exec(token)
  if (joined !== null) {
    fields.day = Number(joined[1])
    fields.month = MONTHS.indexOf(joined[2] as string)
    fields.year = fullYear(joined[3] as string, tags)
    tags.add('date-hyphens')
    return true
  }
  if (!/^\d{1,5}$/.test(token)) return false
  if (fields.day === undefined && token.length <= 2) fields.day = Number(token)
  else if (fields.year === undefined) fields.year = fullYear(token, tags)
  else tags.add('date-extra-text')
  return true
}

/** rfc5322 §4.3: two digits mean 1950 to 2049, three count from 1900. */
function fullYear(digits: string, tags: Set<string>): number {
  const year = Number(digits)
  if (digits.length >= 4) return year
  tags.add('date-short-year')
  if (digits.length === 3) return 1900 + year
  return year < 50 ? 2000 + year : 1900 + year
}

function readZone(token: string, fields: Fields, tags: Set<string>): boolean {
  if (fields.zone !== undefined) return false
  const known = ZONES.get(token)
  if (known !== undefined) {
    tags.add(STANDARD_ZONES.has(token) ? 'date-obsolete-zone' : 'date-zone-name')
    fields.zone = known
    return true
  }
  // rfc5322 §4.3: military letters were used with both signs; they say nothing, as -0000.
  if (/^[a-ik-z]$/.test(token)) {
    tags.add('date-obsolete-zone')
    fields.zone = 0
    return true
  }
  const numeric = OFFSET.exec(token)
  if (numeric === null) return false
  if (!/^[+-]\d{4}$/.test(token)) tags.add('date-zone-form')
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3] ?? 0)
  fields.zone = numeric[1] === '-' ? -minutes : minutes
  return true
}

function assemble(fields: Fields, tags: Set<string>): MailDate | undefined {
  const { year, month, day } = fields
  if (year === undefined || month === undefined || day === undefined) return undefined
  const { hour = 0, minute = 0, second = 0 } = fields
  if (fields.hour === undefined) tags.add('date-without-time')
  let zone = fields.zone
  if (zone === undefined || Math.abs(zone) >= 24 * 60) {
    tags.add(zone === undefined ? 'date-without-zone' : 'date-zone-form')
    zone = 0
  }
  // rfc5322 §3.3 allows a leap second.
  if (month < 0 || month > 11 || hour > 23 || minute > 59 || second > 60 || year > 9999 || year < 100)
    return undefined
  const utc = Date.UTC(year, month, day, hour, minute, second)
  if (day < 1 || new Date(Date.UTC(year, month, day)).getUTCDate() !== day) return undefined
  return {
    ms: utc - zone * 60_000,
    day: `${pad(year, 4)}-${pad(month + 1, 2)}-${pad(day, 2)}`,
    zoneMinutes: zone,
    leniencies: [...tags],
  }
}

function clock(date: Date): string {
  return `${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}`
}

function offset(zoneMinutes: number): string {
  const minutes = Math.abs(zoneMinutes)
  return `${zoneMinutes < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
