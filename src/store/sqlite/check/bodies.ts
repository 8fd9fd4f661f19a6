import { bodyPath } from '../body-files.ts'
import { describeError, sqliteFault } from '../sql.ts'
import { isHeadRight, type ReadBody, readBody, SELECT_BODY, wrongColumns } from './body.ts'
import type { CheckDatabase, Row } from './check-database.ts'
import { type CheckStep, type Collector, type Found, joinPlaces, locate } from './collector.ts'
import { BODY_SLICE, GUESSED_IDS, PROBED_IDS } from './limits.ts'
import type { Rule } from './rule.ts'

/**
 * Reads every body and holds its row against the octets. Each row is read in a snapshot of its own, each file is never
 * changed once a row names it; what went away meanwhile is left out.
 * @returns how many were read.
 */
export function* checkBodies(
  db: CheckDatabase,
  collector: Collector,
  bodies: string,
): Generator<CheckStep, number> {
  makeScanned(db)
  const of = countBodies(db)
  let done = 0
  for (const slice of bodySlices(db)) {
    const found: Found[] = []
    for (const id of slice) {
      const judged = judgeBody(db, id, bodies)
      if (judged === undefined) continue
      done++
      found.push(...judged.found)
      if (judged.read !== undefined)
        db.run('INSERT INTO temp.scanned VALUES ($id, $hash)', { id, hash: judged.read.idHash })
    }
    yield* tell(db, collector, found)
    yield { kind: 'progress', phase: 'bodies', done, of: Math.max(done, of) }
  }
  return done
}

/** What each body that was read is found by: too many for memory. */
export function makeScanned(db: CheckDatabase): void {
  db.db.exec('CREATE TEMP TABLE IF NOT EXISTS scanned (body INTEGER PRIMARY KEY, hash INTEGER)')
  db.db.exec('DELETE FROM temp.scanned')
}

function countBodies(db: CheckDatabase): number {
  try {
    return Number(db.row('SELECT count(*) AS n FROM bodies')?.n)
  } catch {
    // Told with the rows already; the bodies that can be read still are.
    return 0
  }
}

/** What is wrong with bodies, where it stands in mailboxes. */
function* tell(db: CheckDatabase, collector: Collector, found: readonly Found[]): Generator<CheckStep, void> {
  const ids = found.filter(({ kind }) => collector.hasRoom(kind)).map(({ where }) => Number(where.row))
  const places = locate(db, 'body', ids)
  for (const one of found)
    yield* collector.found({ ...one, where: joinPlaces(one.where, places.get(one.where.row ?? '')) })
}

/** Ids in order; behind a page that cannot be read those that messages name are tried by themselves. */
export function* bodySlices(db: CheckDatabase): Generator<readonly number[], void> {
  const last = lastBody(db)
  for (let at = 0; at < last; ) {
    let ids: number[]
    try {
      ids = [
        ...db.rows('SELECT id FROM bodies WHERE id > $at AND id <= $last ORDER BY id LIMIT $limit', {
          at,
          last,
          limit: BODY_SLICE,
        }),
      ].map(({ id }) => Number(id))
      at = ids.at(-1) ?? last
    } catch (error) {
      if (sqliteFault(error) === undefined) throw error
      ids = namedBodies(db, at, last)
      at = ids.at(-1) ?? last
    }
    if (ids.length > 0) yield ids
  }
}

const NAMED = `SELECT body AS id FROM (SELECT body FROM messages UNION SELECT body FROM queue
  UNION SELECT body FROM quarantine)
  WHERE body > $at AND body <= $last ORDER BY body LIMIT $limit`

/**
 * The next ids after one that something names. Where that cannot be read either, numbers are tried, and only so far: ids
 * have gaps, and after a restore one of 2^32.
 */
function namedBodies(db: CheckDatabase, at: number, last: number): number[] {
  try {
    return [...db.rows(NAMED, { at, last, limit: PROBED_IDS })].map(({ id }) => Number(id))
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    if (at >= GUESSED_IDS) return []
    return Array.from({ length: Math.min(PROBED_IDS, last - at) }, (_, i) => at + 1 + i)
  }
}

/** Bodies that come after the beginning are the next check's. */
function lastBody(db: CheckDatabase): number {
  for (const sql of ['SELECT max(id) AS last FROM bodies', 'SELECT body AS last FROM counters'])
    try {
      const last = db.row(sql)?.last
      if (typeof last === 'number') return last
    } catch (error) {
      if (sqliteFault(error) === undefined) throw error
    }
  return 0
}

export interface Judged {
  readonly found: readonly Found[]
  readonly row?: Row | undefined
  /** Where the content is what came in. */
  readonly read?: ReadBody | undefined
}

/** undefined: there is no such body (any more). */
export function judgeBody(db: CheckDatabase, id: number, bodies: string): Judged | undefined {
  const where = { table: 'bodies', row: String(id) }
  let row: Row | undefined
  try {
    row = db.row(SELECT_BODY, { id })
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    return {
      found: [{ kind: 'unreadable', where, says: `the message cannot be read: ${describeError(error)}` }],
    }
  }
  if (row === undefined) return undefined
  // Without its text the rows have told of it; a file of no right name, too.
  if (row.file === null && row.text === null) return { found: [] }
  if (typeof row.file === 'string' && !/^[0-9a-f]{32}$/.test(row.file)) return { found: [] }
  let read: ReadBody
  try {
    read = readBody(row, (file) => bodyPath(bodies, file))
  } catch (error) {
    return unreadFile(db, row, error)
  }
  const file = typeof row.file === 'string' ? `bodies/${row.file}` : undefined
  return judgeRead(row, read, { ...where, file })
}

/** A file that cannot be read, unless its message went meanwhile. */
function unreadFile(db: CheckDatabase, row: Row, error: unknown): Judged | undefined {
  if (!(error instanceof Error) || !('code' in error)) throw error
  if (db.row('SELECT 1 FROM bodies WHERE id = $id', { id: row.id ?? null }) === undefined) return undefined
  const where = { table: 'bodies', row: String(row.id), file: `bodies/${String(row.file)}` }
  const says =
    error.code === 'ENOENT'
      ? 'the file with the content of the message is not there'
      : `the file with the content of the message cannot be read: ${error.message}`
  const advice = 'restore the file from a backup, or expunge the message; the others are not concerned'
  return { found: [{ kind: 'file-missing', where, says, advice }] }
}

function judgeRead(row: Row, read: ReadBody, where: Found['where']): Judged {
  const found: Found[] = []
  if (row.crc !== read.crc) {
    const size =
      row.size === read.sizeBytes ? '' : `, and are ${read.sizeBytes} instead of ${String(row.size)}`
    const says = `its octets are not those that came in: the checksum says so${size}`
    const advice = 'compare it with a backup; it can still be read as it is'
    return { found: [{ kind: 'body-crc', where, says, advice }] }
  }
  if (row.size !== read.sizeBytes) {
    const says = `it is said to have ${String(row.size)} octets, and has ${read.sizeBytes}`
    found.push({ kind: 'body-size', where, says, repairable: true })
  }
  if (!isHeadRight(row, read)) {
    const says = 'the copy of its header is not the beginning of its content'
    found.push({ kind: 'body-head', where, says, repairable: true })
  }
  const wrong = wrongColumns(row, read)
  if (wrong.length > 0) {
    const says = `what is kept of its structure (${wrong.join(', ')}) is not what its octets say`
    found.push({ kind: 'body-mime', where, says, repairable: true })
  }
  return { found, row, read }
}

/** Goes by what `checkBodies` has read. */
export const HASH_RULE: Rule = {
  kind: 'message-hash',
  table: 'messages',
  sql: `SELECT m.id, m.id AS message, s.hash AS should FROM messages m JOIN temp.scanned s ON s.body = m.body
    WHERE m.id_hash IS NOT s.hash`,
  says: () => 'its thread is found by another Message-ID than it has',
  repair: ['UPDATE messages SET id_hash = $should WHERE id = $id'],
  repaired: () => 'answers find it by its own Message-ID',
}
