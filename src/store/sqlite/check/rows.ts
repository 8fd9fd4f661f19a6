import { describeError, sqliteFault } from '../sql.ts'
import type { CheckDatabase, Row } from './check-database.ts'
import { type CheckStep, type Collector, placesOf } from './collector.ts'
import { FINDINGS_PER_KIND } from './limits.ts'
import type { Rule } from './rule.ts'
import { RULES } from './rules/rules.ts'

/**
 * Every rule, each in a snapshot of its own: what one sentence says holds at every moment, and the log is held back
 * for no longer than one of them takes.
 * @returns how many rows the tables have.
 */
export function* checkRows(
  db: CheckDatabase,
  collector: Collector,
  { deep }: { readonly deep: boolean },
): Generator<CheckStep, number> {
  const rules = RULES.filter((rule) => !(deep && rule.quickOnly === true))
  const unread = new Unread()
  const sizes = tableSizes(db, unread, new Set(rules.map(({ table }) => table)))
  const of = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const left = new Map<string, number>()
  for (const { table } of rules) left.set(table, (left.get(table) ?? 0) + 1)
  let done = 0
  for (const rule of rules) {
    const failure = yield* checkRule(db, collector, rule)
    if (failure !== undefined) unread.add(rule.table, failure, rule.kind)
    const more = (left.get(rule.table) ?? 1) - 1
    left.set(rule.table, more)
    // A table counts as looked at with the last of its rules.
    if (more === 0) done += sizes.get(rule.table) ?? 0
    yield { kind: 'progress', phase: 'rows', done, of }
  }
  yield* unread.tell(collector)
  return of
}

/** What could not be read: told once for each table, since one damaged page stops every rule that comes by it. */
export class Unread {
  readonly #tables = new Map<string, { readonly why: string; readonly kinds: Set<string> }>()

  add(table: string, why: string, kind?: string): void {
    const known = this.#tables.get(table) ?? { why, kinds: new Set() }
    this.#tables.set(table, known)
    if (kind !== undefined) known.kinds.add(kind)
  }

  *tell(collector: Collector): Generator<CheckStep, void> {
    for (const [table, { kinds, why }] of this.#tables) {
      const looked =
        kinds.size === 0
          ? ''
          : `; so it is not known whether something is wrong with: ${[...kinds].join(', ')}`
      yield* collector.found({
        kind: 'unreadable',
        where: { table },
        says: `not all that belongs to it can be read (${why})${looked}`,
      })
    }
  }
}

/** Of those that can be counted. */
function tableSizes(
  db: CheckDatabase,
  unread: Unread,
  tables: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const table of tables)
    try {
      sizes.set(table, Number(db.row(`SELECT count(*) AS n FROM ${table}`)?.n))
    } catch (error) {
      if (sqliteFault(error) === undefined) throw error
      unread.add(table, describeError(error))
    }
  return sizes
}

/** @returns why not all of what the rule looks at could be read. */
export function* checkRule(
  db: CheckDatabase,
  collector: Collector,
  rule: Rule,
): Generator<CheckStep, string | undefined> {
  const told: Row[] = []
  let more = 0
  let failure: string | undefined
  try {
    for (const row of wrongRows(db, rule))
      if (told.length < ROWS_TOLD) told.push(row)
      else more++
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    failure = describeError(error)
  }
  const places = placesOf(db, rule, told)
  for (const [index, row] of told.entries()) {
    yield* collector.found({
      kind: rule.kind,
      where: places[index] ?? {},
      says: rule.says(row),
      repairable: isRepairable(rule, row),
      advice: rule.advice,
    })
  }
  for (; more > 0; more--) collector.count(rule.kind)
  return failure
}

/** Rows of one rule that are held while it runs: as many as are told of a kind. */
const ROWS_TOLD = FINDINGS_PER_KIND

export function* wrongRows(db: CheckDatabase, rule: Rule): Generator<Row, void> {
  for (const row of db.rows(rule.sql)) if (rule.isWrong?.(row) ?? true) yield row
}

export function isRepairable(rule: Rule, row: Row): boolean {
  return rule.repair !== undefined && (rule.isProven?.(row) ?? true)
}
