import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { folderPaths } from '../folder.ts'
import { sqliteFault } from '../sql.ts'

/** Who has a data folder in use, found out without a write to it; undefined where nobody has. */
export function ownerOf(folder: string): string | undefined {
  const { lock, pid } = folderPaths(folder)
  if (!existsSync(lock)) return undefined
  try {
    const db = new DatabaseSync(lock, { readOnly: true, timeout: 0 })
    try {
      db.prepare('SELECT 1 FROM sqlite_schema').all()
      return undefined
    } finally {
      db.close()
    }
  } catch (error) {
    // A lock that is damaged itself holds nobody back.
    if (sqliteFault(error) !== 'busy') return undefined
  }
  const number = existsSync(pid) ? Number.parseInt(readFileSync(pid, 'utf8'), 10) : Number.NaN
  return Number.isSafeInteger(number) ? `process ${number}` : 'another process'
}
