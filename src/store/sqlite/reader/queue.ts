import { existsSync } from 'node:fs'
import { bodyCrcOf } from '../body-crc.ts'
import { bodyPath } from '../body-files.ts'
import type { QueueBody, QueueRows } from '../questions.ts'
import { isUnreadable, type Sql } from '../sql.ts'
import { isRange, type Slice, type StoredOctets, slice } from './octets.ts'

const SELECT_DUE = `SELECT queue FROM queue_recipients WHERE state = 'waiting' AND (next_ms <= ? OR next_ms > ?)
  GROUP BY queue ORDER BY min(next_ms), queue LIMIT ?`
const NEXT_DUE = `SELECT min(next_ms) FROM queue_recipients WHERE state = 'waiting'`
const SELECT_ITEM = 'SELECT id, trace, sender, size, arrived_ms FROM queue WHERE id = ?'
const SELECT_AFTER = 'SELECT id FROM queue WHERE id > ? ORDER BY id LIMIT ?'
const SELECT_OPEN = `SELECT address, state, attempts, next_ms, detail FROM queue_recipients
  WHERE queue = ? AND state IN ('waiting', 'held') ORDER BY n`
const SELECT_BODY = `SELECT b.prefix, b.head, t.bytes, b.file, b.size, b.header_size, b.crc, q.skip FROM queue q
  JOIN bodies b ON b.id = q.body LEFT JOIN texts t ON t.body = b.id WHERE q.id = ?`

/** Items with a recipient due, those waiting longest first. */
export function dueItems(
  sql: Sql,
  query: {
    readonly nowMs: number
    readonly beyondMs: number
    readonly limit: number
    readonly busy: readonly number[]
  },
): QueueRows[] {
  const busy = new Set(query.busy)
  // An item in work keeps its due time until its outcome is recorded: ask for as many more.
  const most = query.limit + busy.size
  try {
    const rows = sql.all(SELECT_DUE, query.nowMs, query.beyondMs, most) as unknown as readonly [number][]
    const ids = rows.map(([id]) => id).filter((id) => !busy.has(id))
    return ids.slice(0, query.limit).flatMap((id) => readable(sql, id))
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return dueDespiteDamage(sql, { ...query, busy })
  }
}

/** The index by due times is damaged: items are looked through one by one, and those that can be read are tried. */
function dueDespiteDamage(
  sql: Sql,
  query: {
    readonly nowMs: number
    readonly beyondMs: number
    readonly limit: number
    readonly busy: ReadonlySet<number>
  },
): QueueRows[] {
  const { beyondMs, busy, limit, nowMs } = query
  const due: QueueRows[] = []
  try {
    for (const [id] of sql.iterate(SELECT_AFTER, 0, LOOKED_THROUGH) as Iterable<readonly [number]>) {
      if (due.length >= limit) break
      if (busy.has(id)) continue
      for (const item of readable(sql, id))
        if (item.recipients.some(([, state, , at]) => state === 'waiting' && (at <= nowMs || at > beyondMs)))
          due.push(item)
    }
  } catch (error) {
    // What stood before the damaged page is found; the rest waits for a repair.
    if (!isUnreadable(error)) throw error
  }
  return due
}

/** Items looked through in one question: some 100 ms, and only where the database is damaged. */
const LOOKED_THROUGH = 10_000

/** Nothing, where the item's rows are damaged: the others go on. */
function readable(sql: Sql, id: number): readonly QueueRows[] {
  try {
    const item = queueItem(sql, id)
    return item === undefined ? [] : [item]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return []
  }
}

/** Where the index of due times is damaged nothing is known of them: whoever asks looks again after a while. */
export function nextDue(sql: Sql): number | undefined {
  try {
    return (sql.get(NEXT_DUE)?.[0] as number | null | undefined) ?? undefined
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}

export function queueItem(sql: Sql, id: number): QueueRows | undefined {
  const row = sql.get(SELECT_ITEM, id) as [number, string, string, number, number] | undefined
  if (row === undefined) return undefined
  const recipients = sql.all(SELECT_OPEN, id) as unknown as QueueRows['recipients']
  return { id: row[0], trace: row[1], sender: row[2], size: row[3], arrivedMs: row[4], recipients }
}

export function listQueue(sql: Sql, after: number, limit: number): QueueRows[] {
  const rows = sql.all(SELECT_AFTER, after, limit) as unknown as readonly [number][]
  return rows.flatMap(([id]) => readable(sql, id))
}

export function queueBody(sql: Sql, folder: string, id: number): QueueBody | undefined {
  const row = sql.get(SELECT_BODY, id)
  return row === undefined ? undefined : bodyOf(row as unknown as BodyColumns, folder)
}

/** The octets of a body, with what proves them. */
export function bodyOf(row: BodyColumns, folder: string): QueueBody {
  const [prefix, head, text, file, size, headerSize, crc, skip] = row
  const octets: StoredOctets = { prefix, head, text, file, size }
  const needed = { index: 0, file: file ?? '', contentBytes: size - prefix.length, crc, prefix }
  const proof = file !== null ? { needed } : { damaged: inlineDamage(octets, crc) }
  const all: Slice = file !== null && !isThere(folder, file) ? [] : slice(octets, skip, size, folder)
  const kept = prefix.length + head.length
  const header = Buffer.concat([prefix, head]).subarray(skip, Math.min(headerSize, kept))
  if (isRange(all)) return { octets: all.before, header, rest: all, ...proof }
  return { octets: Buffer.concat(all), header, rest: undefined, ...proof }
}

/** Where it is not, its header can still be told. */
function isThere(folder: string, file: string): boolean {
  return existsSync(bodyPath(folder, file))
}

function inlineDamage({ head, prefix, size, text }: StoredOctets, crc: number): string | undefined {
  if (text === null || text === undefined) return 'its text is gone'
  const isRight = prefix.length + head.length + text.length === size && bodyCrcOf(prefix, head, text) === crc
  return isRight ? undefined : 'its checksum does not match'
}

export type BodyColumns = readonly [
  prefix: Uint8Array,
  head: Uint8Array,
  text: Uint8Array | null,
  file: string | null,
  size: number,
  headerSize: number,
  crc: number,
  skip: number,
]
