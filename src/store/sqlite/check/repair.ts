import { type FolderPaths, folderPaths } from '../folder.ts'
import { describeError, sqliteFault } from '../sql.ts'
import { bodySlices, HASH_RULE, makeScanned } from './bodies.ts'
import { versionProblem } from './check.ts'
import { CheckDatabase, type Row } from './check-database.ts'
import { type CheckStep, Collector, joinPlaces, locate, placesOf } from './collector.ts'
import { checkFiles } from './files.ts'
import { type FindingKind, placeText, SALVAGE } from './finding.ts'
import { FINDINGS_PER_KIND, REPAIR_PASSES, REPAIR_ROWS } from './limits.ts'
import { checkPages } from './pages.ts'
import { repairBody } from './repair-bodies.ts'
import { repairFile } from './repair-files.ts'
import { isRepairable, wrongRows } from './rows.ts'
import type { Rule } from './rule.ts'
import { RULES } from './rules/rules.ts'
import { missingObjects } from './schema.ts'

export type RepairStep = CheckStep | { readonly kind: 'repaired'; readonly sentence: string }

export type RepairResult =
  /** How many of each kind were put right. */
  | { readonly ok: true; readonly repaired: Readonly<Partial<Record<FindingKind, number>>> }
  /** Nothing was changed in the database; a sentence. */
  | { readonly ok: false; readonly problem: string }

/**
 * Puts right what the rest of the data proves, in one transaction, then the files. No message that can be read is
 * lost by it. The caller owns the folder. Leaving the loop early leaves everything as it was.
 */
export function* repairSteps(
  folder: string,
  { deep = true }: { readonly deep?: boolean } = {},
): Generator<RepairStep, RepairResult> {
  const paths = folderPaths(folder)
  const repair = new Repair(paths)
  let db: CheckDatabase | undefined
  try {
    db = CheckDatabase.forRepair(paths.database)
    const problem = versionProblem(db)
    if (problem !== undefined) return { ok: false, problem }
    const damage = yield* repair.pages(db)
    if (damage !== undefined) return { ok: false, problem: damage }
    db.db.exec('BEGIN IMMEDIATE')
    yield* repair.rows(db, deep)
    db.db.exec('COMMIT')
    yield* repair.files(db)
    return { ok: true, repaired: Object.fromEntries(repair.counts) }
  } catch (error) {
    const fault = sqliteFault(error)
    if (fault === undefined) throw error
    if (fault === 'corrupt') return { ok: false, problem: DAMAGED }
    return { ok: false, problem: `the repair could not be written: ${describeError(error)}` }
  } finally {
    if (db?.db.isTransaction === true) db.db.exec('ROLLBACK')
    db?.close()
  }
}

const DAMAGED = `the file of the database is damaged, and what is built on it cannot be trusted: ${SALVAGE}`

class Repair {
  readonly counts = new Map<FindingKind, number>()
  readonly #paths: FolderPaths
  #isIndexDamaged = false

  constructor(paths: FolderPaths) {
    this.#paths = paths
  }

  /** @returns why nothing can be repaired. */
  *pages(db: CheckDatabase): Generator<RepairStep, string | undefined> {
    const collector = new Collector()
    for (const step of checkPages(db, collector, { serving: false })) {
      if (step.kind !== 'finding') yield step
      else if (step.finding.kind === 'index') this.#isIndexDamaged = true
      else {
        yield step
        return DAMAGED
      }
    }
    const [missing] = missingObjects(db, 'table')
    return missing === undefined ? undefined : `table ${missing.name} is not there: ${SALVAGE}`
  }

  *rows(db: CheckDatabase, deep: boolean): Generator<RepairStep, void> {
    for (const { name, sql } of missingObjects(db, 'index')) {
      db.db.exec(sql)
      yield* this.#done('schema', name, 'the index was made')
    }
    if (this.#isIndexDamaged) {
      db.db.exec('REINDEX')
      yield* this.#done('index', 'hikyaku.db', 'its indexes were made anew')
    }
    makeScanned(db)
    if (deep) yield* this.#bodies(db)
    const rules = deep ? [HASH_RULE, ...RULES] : RULES
    for (let pass = 0; pass < REPAIR_PASSES; pass++) {
      let changed = 0
      for (const rule of rules) changed += yield* this.#rule(db, rule)
      if (changed === 0) return
    }
  }

  *files(db: CheckDatabase): Generator<RepairStep, void> {
    for (const step of checkFiles(db, new Collector(), this.#paths, { serving: false, deep: true })) {
      if (step.kind !== 'finding') yield step
      else if (step.finding.repairable) {
        const place = placeText(step.finding.where)
        const done = repairFile(this.#paths, step.finding)
        if (done?.ok === true) yield* this.#done(step.finding.kind, place, done.says)
        else if (done !== undefined) yield { kind: 'repaired', sentence: `${place}: ${done.problem}.` }
      }
    }
  }

  *#bodies(db: CheckDatabase): Generator<RepairStep, void> {
    const of = Number(db.row('SELECT count(*) AS n FROM bodies')?.n)
    let done = 0
    for (const slice of bodySlices(db)) {
      for (const id of slice) {
        const work = repairBody(db, id, this.#paths.bodies)
        let step = work.next()
        for (; step.done !== true; step = work.next()) {
          const { found, says } = step.value
          const place = locate(db, 'body', [id]).get(String(id))
          yield* this.#done(found.kind, placeText(joinPlaces(found.where, place)), says)
        }
        const hash = step.value?.read?.idHash
        if (hash !== undefined) db.run('INSERT INTO temp.scanned VALUES ($id, $hash)', { id, hash })
      }
      done += slice.length
      yield { kind: 'progress', phase: 'bodies', done, of: Math.max(done, of) }
    }
  }

  *#rule(db: CheckDatabase, rule: Rule): Generator<RepairStep, number> {
    const rows: Row[] = []
    for (const row of wrongRows(db, rule)) {
      if (!isRepairable(rule, row)) continue
      rows.push(row)
      if (rows.length === REPAIR_ROWS) break
    }
    const isTold = (this.counts.get(rule.kind) ?? 0) < FINDINGS_PER_KIND
    const places = isTold ? placesOf(db, rule, rows.slice(0, FINDINGS_PER_KIND)) : []
    let changed = 0
    for (const [index, row] of rows.entries()) {
      for (const sql of rule.repair ?? []) changed += db.run(sql, rule.values?.(row) ?? row)
      yield* this.#done(rule.kind, placeText(places[index] ?? {}), rule.repaired?.(row) ?? 'put right')
    }
    return changed
  }

  /** Tells the first ones of each kind, counts all. */
  *#done(kind: FindingKind, place: string, says: string): Generator<RepairStep, void> {
    const count = (this.counts.get(kind) ?? 0) + 1
    this.counts.set(kind, count)
    if (count <= FINDINGS_PER_KIND) yield { kind: 'repaired', sentence: `${place}: ${says}.` }
  }
}
