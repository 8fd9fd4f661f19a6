import type { Row } from '../check-database.ts'
import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'

/* Columns that hold numbers, and between what they lie. What is counted or computed has rules of its own. */

const SAFE = Number.MAX_SAFE_INTEGER
const UINT32 = 0xffff_ffff
/** rfc3501 §9, zone: four digits, hours and minutes as a client wrote them. */
const ZONE = 99 * 60 + 99
/** 48 bits of a hash. */
const HASH = 2 ** 48 - 1

type Range = readonly [column: string, low: number, high: number, nullable?: 'null']

interface TableValues {
  readonly table: string
  /** The key's columns, and where the row belongs. */
  readonly select: string
  readonly from?: string
  readonly ranges: readonly Range[]
}

const TABLES: readonly TableValues[] = [
  {
    table: 'accounts',
    select: 't.id, t.login AS account',
    ranges: [
      ['id', 1, SAFE],
      ['created_ms', -SAFE, SAFE],
      ['quota', 0, SAFE, 'null'],
      ['modseq', -SAFE, SAFE],
      ['disabled', 0, 1],
    ],
  },
  {
    table: 'credentials',
    select: `t.account || '/' || t.name AS row`,
    ranges: [['created_ms', -SAFE, SAFE]],
  },
  {
    table: 'good_addresses',
    select: `t.account || '/' || t.address AS row`,
    ranges: [['at_ms', -SAFE, SAFE]],
  },
  {
    table: 'mailboxes',
    select: 't.id, t.name AS mailbox, a.login AS account',
    from: 'mailboxes t LEFT JOIN accounts a ON a.id = t.account',
    ranges: [
      ['id', 1, SAFE],
      ['selectable', 0, 1],
      ['uidvalidity', 1, UINT32],
      ['uidnext', -SAFE, UINT32],
      ['highest_modseq', -SAFE, SAFE],
      ['vanished_floor', 0, SAFE],
    ],
  },
  {
    table: 'messages',
    select: 't.id, t.id AS message',
    ranges: [
      ['id', 1, SAFE],
      ['arrived_ms', -SAFE, SAFE],
      ['zone', -ZONE, ZONE],
      ['id_hash', 0, HASH, 'null'],
    ],
  },
  { table: 'bodies', select: 't.id, t.id AS body', ranges: [['id', 1, SAFE]] },
  {
    table: 'entries',
    select: `t.mailbox || '/' || t.uid AS row, t.uid, b.name AS mailbox, a.login AS account`,
    from: 'entries t LEFT JOIN mailboxes b ON b.id = t.mailbox LEFT JOIN accounts a ON a.id = b.account',
    ranges: [
      ['uid', 1, UINT32 - 1],
      ['flags', 0, SAFE],
      ['modseq', 1, SAFE],
    ],
  },
  {
    table: 'tombstones',
    select: `t.mailbox || '/' || t.modseq || '/' || t.uid AS row, b.name AS mailbox, a.login AS account`,
    from: 'tombstones t LEFT JOIN mailboxes b ON b.id = t.mailbox LEFT JOIN accounts a ON a.id = b.account',
    ranges: [
      ['uid', 1, UINT32 - 1],
      ['modseq', 1, SAFE],
    ],
  },
  {
    table: 'queue',
    select: 't.id, t.body AS body',
    ranges: [
      ['id', 1, SAFE],
      ['arrived_ms', -SAFE, SAFE],
    ],
  },
  {
    table: 'queue_recipients',
    select: `t.queue || '/' || t.n AS row`,
    ranges: [
      ['n', 0, SAFE],
      ['attempts', 0, SAFE],
      ['next_ms', -SAFE, SAFE],
    ],
  },
  {
    table: 'quarantine',
    select: 't.body AS id, t.body AS body',
    ranges: [
      ['body', 1, SAFE],
      ['held_ms', -SAFE, SAFE],
      ['until_ms', -SAFE, SAFE],
    ],
  },
  {
    table: 'held_recipients',
    select: `t.body || '/' || t.n AS row`,
    ranges: [
      ['n', 0, SAFE],
      ['account', 1, SAFE, 'null'],
      ['told_ms', -SAFE, SAFE, 'null'],
    ],
  },
  {
    table: 'trust',
    select: 't.id',
    ranges: [
      ['id', 1, SAFE],
      ['added_ms', -SAFE, SAFE],
      ['until_ms', -SAFE, SAFE, 'null'],
    ],
  },
  {
    table: 'traces',
    select: `t.trace || '/' || t.id AS row`,
    ranges: [
      ['id', 1, SAFE],
      ['at_ms', -SAFE, SAFE],
    ],
  },
]

export const VALUE_RULES: readonly Rule[] = TABLES.map(({ from, ranges, select, table }) => ({
  kind: 'value',
  table,
  sql: `SELECT ${select}, ${ranges.map(([column]) => `t.${column} AS value_${column}`).join(', ')}
    FROM ${from ?? `${table} t`} WHERE ${ranges.map(outside).join(' OR ')}`,
  says: (row) => ranges.flatMap((range) => wrongValue(range, row)).join(', '),
  advice: SALVAGE,
}))

/** NULL is in no range, and is none where it may stand: NOT NULL is SQLite's own to check. */
function outside([column, low, high]: Range): string {
  return `t.${column} NOT BETWEEN ${low} AND ${high}`
}

function wrongValue([column, low, high]: Range, row: Row): string[] {
  const value = row[`value_${column}`]
  if (typeof value !== 'number' && typeof value !== 'bigint') return []
  return value < low || value > high ? [`${column} is ${value}, which cannot be`] : []
}
