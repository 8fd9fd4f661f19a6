import { describeError, sqliteFault } from '../sql.ts'
import type { CheckDatabase } from './check-database.ts'
import type { CheckStep, Collector } from './collector.ts'
import { PAGE_LINES, PAGES_AT_ONCE } from './limits.ts'

/** Tables that grow with the octets of mail: their rows are read one by one anyway. */
const LARGE: ReadonlySet<string> = new Set(['texts', 'bodies'])
/** Only an index is wrong: its table has what it needs to be made anew. */
const INDEX_LINE = /^(row \d+ missing from index|wrong # of entries in index|non-unique entry in index)/

/**
 * SQLite's own check of its file.
 * @returns false where the file is so large that only its tables were looked at, while mail flows.
 */
export function* checkPages(
  db: CheckDatabase,
  collector: Collector,
  { serving, pagesAtOnce = PAGES_AT_ONCE }: { readonly serving: boolean; readonly pagesAtOnce?: number },
): Generator<CheckStep, boolean> {
  const pages = Number(db.row('PRAGMA page_count')?.page_count)
  if (!serving || pages <= pagesAtOnce) {
    yield { kind: 'progress', phase: 'pages', done: 0, of: 1 }
    yield* checkPart(db, collector, `PRAGMA integrity_check(${PAGE_LINES})`, undefined)
    return true
  }
  const tables = tableNames(db).filter((name) => !LARGE.has(name))
  for (const [done, table] of tables.entries()) {
    yield { kind: 'progress', phase: 'pages', done, of: tables.length }
    yield* checkPart(db, collector, `PRAGMA integrity_check('${table}')`, table)
  }
  return false
}

/** SQLite names a tree by the page of its root. */
function plainer(db: CheckDatabase, line: string): string {
  return line.replace(/^Tree (\d+) page (\d+)/, (words: string, root: string, page: string) => {
    try {
      const found = db.row('SELECT type, name FROM sqlite_schema WHERE rootpage = $root', {
        root: Number(root),
      })
      return found === undefined ? words : `page ${page}, of ${found.type} ${found.name}`
    } catch (error) {
      if (sqliteFault(error) === undefined) throw error
      return words
    }
  })
}

function tableNames(db: CheckDatabase): string[] {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
  return [...db.rows(sql)].map(({ name }) => String(name)).filter((name) => /^[a-z_]+$/.test(name))
}

function* checkPart(
  db: CheckDatabase,
  collector: Collector,
  pragma: string,
  table: string | undefined,
): Generator<CheckStep, void> {
  const lines: string[] = []
  let failure: string | undefined
  try {
    for (const row of db.rows(pragma)) lines.push(String(row.integrity_check))
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    failure = describeError(error)
  }
  for (const line of lines.flatMap((text) => text.split('\n'))) {
    if (line === 'ok' || line === '' || line.startsWith('*** in database')) continue
    const isIndex = INDEX_LINE.test(line)
    yield* collector.found({
      kind: isIndex ? 'index' : 'page',
      where: { table, file: 'hikyaku.db' },
      says: isIndex
        ? `an index is not what its table says: ${line}`
        : `the file is damaged: ${plainer(db, line)}`,
      repairable: isIndex,
    })
  }
  if (failure !== undefined)
    yield* collector.found({
      kind: 'page',
      where: { table, file: 'hikyaku.db' },
      says: `the file is damaged so that SQLite cannot look it through: ${failure}`,
    })
}
