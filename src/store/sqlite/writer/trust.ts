import { TRUST_ENTRIES } from '../../limits.ts'
import type { Operation, TrustRow } from '../operations.ts'
import { type Context, refuse } from './context.ts'

type Of<Name extends Operation['op']> = Extract<Operation, { op: Name }>

const COUNT = 'SELECT count(*), coalesce(max(id), 0) FROM trust'
/** The last number given, so that none is given twice: traces name exceptions by it. */
const LAST = `SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'last-trust'`
const SET_LAST = `INSERT OR REPLACE INTO settings (name, value) VALUES ('last-trust', ?)`
const INSERT = `INSERT INTO trust (id, kind, domain, list, host, why, added_ms, until_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const SELECT = 'SELECT 1 FROM trust WHERE id = ?'
const DELETE = 'DELETE FROM trust WHERE id = ?'

export function addTrust(context: Context, { entry }: Of<'add-trust'>): TrustRow {
  const { addedMs, domain, host, kind, list, untilMs, why } = entry
  const [count = 0, highest = 0] = (context.sql.get(COUNT) ?? []) as readonly number[]
  if (count >= TRUST_ENTRIES)
    refuse({ kind: 'too-big', cause: `there are ${count} exceptions already: remove some first` })
  const last = (context.sql.get(LAST)?.[0] as number | undefined) ?? 0
  const id = Math.max(last, highest) + 1
  context.sql.run(SET_LAST, String(id))
  context.sql.run(INSERT, id, kind, domain, list, host, why, addedMs, untilMs)
  const row = { ...entry, id }
  context.events.push({ e: 'trust', entry: row })
  return row
}

/** @returns whether it was there. */
export function removeTrust(context: Context, { id }: Of<'remove-trust'>): boolean {
  if (context.sql.get(SELECT, id) === undefined) return false
  context.sql.run(DELETE, id)
  context.events.push({ e: 'trust-gone', id })
  return true
}
