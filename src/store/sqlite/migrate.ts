import type { DatabaseSync } from 'node:sqlite'
import { FIRST_SCHEMA } from './migrations/0001-first.ts'
import { QUARANTINE_SCHEMA } from './migrations/0002-quarantine.ts'
import { REPORTS_SCHEMA } from './migrations/0003-reports.ts'

/** In order; the place in the list is the version that a step leads to, written into `PRAGMA user_version`. */
const MIGRATIONS: readonly string[] = [FIRST_SCHEMA, QUARANTINE_SCHEMA, REPORTS_SCHEMA]
export const SCHEMA_VERSION = MIGRATIONS.length

export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}

/** Brings an older or empty database up to date, all steps in one transaction. */
export function migrate(db: DatabaseSync): void {
  const from = schemaVersion(db)
  if (from >= SCHEMA_VERSION) return
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const step of MIGRATIONS.slice(from)) db.exec(step)
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
