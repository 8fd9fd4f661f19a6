import type { Value } from '../pages/record.ts'

/**
 * How rows of a table look, as the migrations make them. Where the tree that says whose page this is is broken,
 * a row is known by this alone; of tables that are not here nothing is salvaged.
 */
export interface Shape {
  readonly table: TableName
  /** Rows stand in an index (WITHOUT ROWID), the key's columns first. */
  readonly isIndex: boolean
  /** A row of it is known by its look; else only its own tree tells it from rows of another table. */
  readonly isUnique: boolean
  fits(values: readonly Value[], rowid: number | undefined): boolean
}

export type TableName =
  | 'accounts'
  | 'aliases'
  | 'mailboxes'
  | 'keywords'
  | 'doomed'
  | 'bodies'
  | 'texts'
  | 'messages'
  | 'entries'
  | 'tombstones'
  | 'queue'
  | 'queue_recipients'
  | 'quarantine'

type Check = (value: Value | undefined) => boolean

const isInteger: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value)
const isCount: Check = (value) => isInteger(value) && (value as number) >= 0
const isText: Check = (value) => typeof value === 'string'
const isBlob: Check = (value) => value instanceof Uint8Array
const isNull: Check = (value) => value === null
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
/** Minutes east of UTC; also what tells a message from the one row of counters, which has a UIDVALIDITY there. */
const isZone: Check = (value) => isInteger(value) && Math.abs(value as number) <= 24 * 60
const isJsonList: Check = (value) => typeof value === 'string' && /^\[.*\]$/s.test(value)

/** The key of a table with rowids is no value of its own: it stands as null in the row. */
const KEY = isNull

const COLUMNS: Readonly<Record<TableName, readonly Check[]>> = {
  accounts: [KEY, isText, isInteger, orNull(isCount), isInteger, isCount, isInteger],
  aliases: [isText, isJsonList],
  mailboxes: [KEY, isCount, isText, orNull(isText), isCount, ...Array<Check>(9).fill(isInteger)],
  keywords: [isCount, isCount, isText],
  doomed: [KEY],
  bodies: [
    KEY,
    ...Array<Check>(4).fill(isCount),
    orNull(isText),
    orNull(isText),
    ...Array<Check>(6).fill(isBlob),
  ],
  texts: [KEY, isBlob],
  messages: [KEY, ...Array<Check>(5).fill(isCount), isInteger, isZone, orNull(isCount)],
  entries: Array<Check>(5).fill(isCount),
  tombstones: [isCount, isCount, isCount, orNull(isCount)],
  queue: [KEY, isCount, isText, isText, isCount, isCount, isInteger],
  quarantine: [KEY, isText, isInteger, isInteger, isText, isText, isCount, isCount, isText, isText],
  queue_recipients: [isCount, isCount, isText, isText, isCount, isInteger, isText],
}

const INDEXES: ReadonlySet<TableName> = new Set([
  'aliases',
  'keywords',
  'entries',
  'tombstones',
  'queue_recipients',
])
/** A tombstone looks like a row of thread_ids; a row of doomed has nothing to be known by. */
const ALIKE: ReadonlySet<TableName> = new Set(['tombstones', 'doomed'])

export const SHAPES: readonly Shape[] = (Object.keys(COLUMNS) as TableName[]).map((table) => {
  const columns = COLUMNS[table]
  const isIndex = INDEXES.has(table)
  return {
    table,
    isIndex,
    isUnique: !ALIKE.has(table),
    fits: (values, rowid) =>
      values.length === columns.length &&
      (isIndex || (rowid !== undefined && rowid > 0)) &&
      columns.every((check, index) => check(values[index])),
  }
})
