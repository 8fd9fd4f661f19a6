import { existsSync } from 'node:fs'
import { type FolderPaths, folderPaths } from '../folder.ts'
import { SCHEMA_VERSION } from '../migrate.ts'
import { describeError, sqliteFault } from '../sql.ts'
import { checkBodies, HASH_RULE } from './bodies.ts'
import { CheckDatabase, UnreadableLog } from './check-database.ts'
import { type CheckStep, Collector } from './collector.ts'
import { checkFiles } from './files.ts'
import type { Finding, FindingKind } from './finding.ts'
import { checkPages } from './pages.ts'
import { checkRows, checkRule, Unread } from './rows.ts'
import { checkSchema } from './schema.ts'

export interface CheckOptions {
  /** Reads every octet of every message; without it rows, counters, references and sizes alone. */
  readonly deep?: boolean
  /** A store has the folder open, here or in another process: files without a row are mail on its way in. */
  readonly serving?: boolean
}

export interface CheckReport {
  readonly rows: number
  /** Bodies whose octets were read. */
  readonly bodies: number
  readonly files: number
  /** How many of each kind; more than were told one by one where there are many. */
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>
  /** False where the file was too large to go through its free pages while mail flows. */
  readonly wholeFile: boolean
}

export type CheckResult =
  | { readonly ok: true; readonly report: CheckReport }
  /** It could not be checked; a sentence. */
  | { readonly ok: false; readonly problem: string }

/**
 * Looks at every row, counter, reference, checksum and file of a data folder, by a connection of its own that changes
 * nothing. Findings and progress come as steps; leaving the loop early ends the check. Findings of what went on while
 * it looked are none.
 */
export function* checkSteps(
  folder: string,
  { deep = true, serving = false }: CheckOptions = {},
): Generator<CheckStep, CheckResult> {
  const paths = folderPaths(folder)
  if (!existsSync(paths.database))
    return { ok: false, problem: `there is no mail in ${folder}: ${paths.database} is not there` }
  const collector = new Collector()
  let db: CheckDatabase | undefined
  try {
    db = CheckDatabase.forReading(paths.database)
    const problem = versionProblem(db)
    if (problem !== undefined) return { ok: false, problem }
  } catch (error) {
    db?.close()
    if (sqliteFault(error) === undefined && !(error instanceof UnreadableLog)) throw error
    if (sqliteFault(error) !== 'corrupt') return { ok: false, problem: describeError(error) }
    yield* collector.found({
      kind: 'page',
      where: { file: 'hikyaku.db' },
      says: `the beginning of the file is damaged, so that nothing can be looked at: ${describeError(error)}`,
    })
    return { ok: true, report: report(collector, { rows: 0, bodies: 0, files: 0, wholeFile: true }) }
  }
  try {
    return { ok: true, report: yield* checkAll(db, collector, paths, { deep, serving }) }
  } finally {
    db.close()
  }
}

function* checkAll(
  db: CheckDatabase,
  collector: Collector,
  paths: FolderPaths,
  { deep, serving }: { readonly deep: boolean; readonly serving: boolean },
): Generator<CheckStep, CheckReport> {
  const wholeFile = yield* checkPages(db, collector, { serving })
  yield* checkSchema(db, collector)
  const rows = yield* checkRows(db, collector, { deep })
  let bodies = 0
  if (deep) {
    bodies = yield* checkBodies(db, collector, paths.bodies)
    const failure = yield* checkRule(db, collector, HASH_RULE)
    const unread = new Unread()
    if (failure !== undefined) unread.add(HASH_RULE.table, failure, HASH_RULE.kind)
    yield* unread.tell(collector)
  }
  const files = yield* checkFiles(db, collector, paths, { serving, deep })
  return report(collector, { rows, bodies, files, wholeFile })
}

/** Why this program cannot judge the database. */
export function versionProblem(db: CheckDatabase): string | undefined {
  const version = Number(db.row('PRAGMA user_version')?.user_version)
  if (version === SCHEMA_VERSION) return undefined
  return version > SCHEMA_VERSION
    ? `the database has schema version ${version}, and this program knows ${SCHEMA_VERSION}: check it with the newer program`
    : `the database has schema version ${version}: start the server once, which brings it to ${SCHEMA_VERSION}`
}

function report(collector: Collector, sums: Omit<CheckReport, 'counts'>): CheckReport {
  return { ...sums, counts: Object.fromEntries(collector.counts) }
}

/** All of it at once, in this thread: for tests and for tools that have nothing else to do. */
export function checkNow(
  folder: string,
  options: CheckOptions = {},
): CheckResult & { readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const steps = checkSteps(folder, options)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { ...step.value, findings }
    if (step.value.kind === 'finding') findings.push(step.value.finding)
  }
}
