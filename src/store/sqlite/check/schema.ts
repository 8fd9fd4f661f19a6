import { DatabaseSync } from 'node:sqlite'
import { migrate } from '../migrate.ts'
import type { CheckDatabase } from './check-database.ts'
import type { CheckStep, Collector } from './collector.ts'

interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly sql: string
}

const SELECT = `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'`

/** Tables and indexes against what the migrations make. */
export function* checkSchema(db: CheckDatabase, collector: Collector): Generator<CheckStep, void> {
  const there = new Map<string, string>()
  for (const row of db.rows(SELECT)) there.set(String(row.name), String(row.sql))
  for (const { name, sql, type } of wantedSchema()) {
    const has = there.get(name)
    there.delete(name)
    if (has === sql) continue
    const isMissing = has === undefined
    yield* collector.found({
      kind: 'schema',
      where: { table: name },
      says: isMissing ? `the ${type} is not there` : `the ${type} is another than this program makes`,
      repairable: isMissing && type === 'index',
    })
  }
  for (const name of there.keys())
    yield* collector.found({
      kind: 'schema',
      where: { table: name },
      says: 'this program makes no such table or index',
      advice: 'find out who made it; no mail hangs on it',
    })
}

function wantedSchema(): readonly SchemaObject[] {
  const db = new DatabaseSync(':memory:')
  try {
    migrate(db)
    return db.prepare(SELECT).all() as unknown as readonly SchemaObject[]
  } finally {
    db.close()
  }
}

/** What is not there of a type. */
export function missingObjects(db: CheckDatabase, type: 'table' | 'index'): readonly SchemaObject[] {
  const there = new Set([...db.rows(SELECT)].map(({ name }) => String(name)))
  return wantedSchema().filter((one) => one.type === type && !there.has(one.name))
}
