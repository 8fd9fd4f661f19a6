import type { QueueBody, QueueRows } from '../questions.ts'
import type { Sql } from '../sql.ts'
import { isRange, type StoredOctets, slice } from './octets.ts'

const SELECT_DUE = `SELECT queue FROM queue_recipients WHERE state = 'waiting' AND (next_ms <= ? OR next_ms > ?)
  GROUP BY queue ORDER BY min(next_ms), queue LIMIT ?`
const NEXT_DUE = `SELECT min(next_ms) FROM queue_recipients WHERE state = 'waiting'`
const SELECT_ITEM = 'SELECT id, trace, sender, size, arrived_ms FROM queue WHERE id = ?'
const SELECT_AFTER = 'SELECT id FROM queue WHERE id > ? ORDER BY id LIMIT ?'
const SELECT_OPEN = `SELECT address, state, attempts, next_ms, detail FROM queue_recipients
  WHERE queue = ? AND state IN ('waiting', 'held') ORDER BY n`
const SELECT_BODY = `SELECT b.prefix, b.head, t.bytes, b.file, b.size, b.header_size, q.skip FROM queue q
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
  const rows = sql.all(SELECT_DUE, query.nowMs, query.beyondMs, most) as unknown as readonly [number][]
  const ids = rows.map(([id]) => id).filter((id) => !busy.has(id))
  return ids.slice(0, query.limit).flatMap((id) => queueItem(sql, id) ?? [])
}

export function nextDue(sql: Sql): number | undefined {
  return (sql.get(NEXT_DUE)?.[0] as number | null | undefined) ?? undefined
}

export function queueItem(sql: Sql, id: number): QueueRows | undefined {
  const row = sql.get(SELECT_ITEM, id) as [number, string, string, number, number] | undefined
  if (row === undefined) return undefined
  const recipients = sql.all(SELECT_OPEN, id) as unknown as QueueRows['recipients']
  return { id: row[0], trace: row[1], sender: row[2], size: row[3], arrivedMs: row[4], recipients }
}

export function listQueue(sql: Sql, after: number, limit: number): QueueRows[] {
  const rows = sql.all(SELECT_AFTER, after, limit) as unknown as readonly [number][]
  return rows.flatMap(([id]) => queueItem(sql, id) ?? [])
}

export function queueBody(sql: Sql, folder: string, id: number): QueueBody | undefined {
  const row = sql.get(SELECT_BODY, id)
  if (row === undefined) return undefined
  const [prefix, head, text, file, size, headerSize, skip] = row as unknown as BodyColumns
  const octets: StoredOctets = { prefix, head, text, file, size }
  const all = slice(octets, skip, size, folder)
  const kept = prefix.length + head.length
  const header = Buffer.concat([prefix, head]).subarray(skip, Math.min(headerSize, kept))
  if (isRange(all)) return { octets: all.before, header, rest: all }
  return { octets: Buffer.concat(all), header, rest: undefined }
}

type BodyColumns = readonly [
  prefix: Uint8Array,
  head: Uint8Array,
  text: Uint8Array | null,
  file: string | null,
  size: number,
  headerSize: number,
  skip: number,
]
