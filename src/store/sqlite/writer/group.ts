import { DOUBTFUL_FILES } from '../../limits.ts'
import { isNamed } from '../body-files.ts'
import type { GroupReport, Operation, Refusal, StoreEvent } from '../operations.ts'
import type { UnpackedCall } from '../packing.ts'
import { describeError, isUnreadable, leavesDiskUnsure, type Sql, sqliteFault } from '../sql.ts'
import { accept, append } from './accept.ts'
import * as accounts from './accounts.ts'
import { type Context, Refused, type Release } from './context.ts'
import { OwedTakeBacks, type TakeBack } from './copy-notes.ts'
import { copyMessages, expunge, storeFlags, takeBack } from './flags.ts'
import * as held from './held.ts'
import * as mailboxes from './mailboxes.ts'
import { release } from './purge.ts'
import { record } from './queue.ts'
import * as reports from './reports.ts'
import { State } from './state.ts'
import { insertTrace, retainTraces } from './traces.ts'
import * as trust from './trust.ts'

/** Operations after which an account is read anew: see `State.reread`. */
const STRUCTURAL: ReadonlySet<Operation['op']> = new Set([
  'add-account',
  'remove-account',
  'set-quota',
  'set-language',
])

/**
 * Operations that are seldom refused, and know accounts and mailboxes by `State` alone: a group of them is tried
 * without savepoints. Behind a savepoint SQLite copies each page before an operation changes it.
 */
const PLAIN: ReadonlySet<Operation['op']> = new Set(['accept', 'append', 'trace', 'flags', 'tally'])

/** Operations that write a trace beside what they are for. */
const TRACED: ReadonlySet<Operation['op']> = new Set([
  'accept',
  'append',
  'record',
  'release-held',
  'delete-held',
  'expire-held',
])

type Result = GroupReport['results'][number]

/** The writer's heart: runs whatever waits as one transaction and tells what came of it. */
export class GroupCommit {
  #sql: Sql
  readonly #state: State
  readonly #deleteFile: (name: string) => void
  readonly #tell: (text: string) => void
  /** Kinds of operations that met damage: each is told of once. */
  readonly #told = new Set<string>()
  /** Work that nobody waits for, oldest first. */
  readonly #later: Release[]
  readonly #owed = new OwedTakeBacks()
  #retain: Extract<Operation, { op: 'retain' }> | undefined
  /** The disk refused a group: work that nobody waits for rests until one is written again. */
  #isPaused = false
  #mistrust: string | undefined
  /** Body files of messages that were lost with their group. */
  #doubtful: string[] = []

  constructor(
    sql: Sql,
    leftovers: readonly Release[],
    deleteFile: (name: string) => void,
    tell: (text: string) => void = () => undefined,
  ) {
    this.#tell = tell
    this.#sql = sql
    this.#state = new State(sql)
    this.#later = [...leftovers]
    this.#deleteFile = deleteFile
  }

  /** Why nothing is written any more: a write failed, and this connection can't be believed. Until `reopen`. */
  get mistrust(): string | undefined {
    return this.#mistrust
  }

  /** Work of the writer's own that is no group has failed. */
  failed(error: unknown): void {
    if (leavesDiskUnsure(error)) this.#mistrust = describeError(error)
    this.#isPaused = true
  }

  /** A write or an fsync elsewhere has failed. */
  distrust(cause: string): void {
    this.#mistrust ??= cause
  }

  /**
   * Goes on with a connection that `openAgain` has proved. What was refused meanwhile is known not to be there.
   * @returns body files that nothing names.
   */
  reopen(sql: Sql): readonly string[] {
    this.#sql = sql
    this.#state.reopen(sql)
    const stray = this.#doubtful.filter((name) => !isNamed(sql, name))
    this.#doubtful = []
    this.#mistrust = undefined
    this.#isPaused = false
    return stray
  }

  get hasWork(): boolean {
    if (this.#isPaused) return false
    return this.#later.length > 0 || !this.#owed.isEmpty || this.#retain !== undefined
  }

  /**
   * One transaction. An operation fails alone, unless the whole group is lost.
   * @param keepsTraces false where the pages of traces are damaged.
   */
  run(calls: readonly UnpackedCall[], keepsTraces = true): GroupReport {
    if (this.#mistrust !== undefined) return this.#refused(calls, { kind: 'io', cause: this.#mistrust })
    const context = { ...this.#context(), keepsTraces }
    let results: readonly Result[]
    try {
      this.#sql.run('BEGIN IMMEDIATE')
      results = this.#runPlain(context, calls) ?? calls.map((call) => this.#runOne(context, call))
      this.#state.flush()
      for (const usage of this.#state.takeUsage()) context.events.push({ e: 'used', ...usage })
      this.#sql.run('COMMIT')
    } catch (error) {
      return this.#lost(calls, error, keepsTraces)
    }
    this.#finish(context)
    this.#isPaused = false
    return { results, events: context.events }
  }

  /** One slice of the work that nobody waits for. */
  runLater(): GroupReport {
    const owed = this.#nextOwed()
    if (owed !== undefined) return this.#takeBack(owed)
    const work = this.#later.shift()
    const retain = this.#retain
    if (work !== undefined) return this.run([internal({ op: 'release', ...work })])
    this.#retain = undefined
    return retain === undefined ? { results: [], events: [] } : this.run([internal(retain)])
  }

  #takeBack(owed: TakeBack): GroupReport {
    const report = this.run([internal(owed)])
    if (report.results.some(([, ok]) => ok === 0)) this.#owed.leave(owed)
    return report
  }

  #nextOwed(): TakeBack | undefined {
    try {
      return this.#owed.next(this.#sql)
    } catch (error) {
      this.failed(error)
      return undefined
    }
  }

  #context(): Omit<Context, 'keepsTraces'> {
    return { sql: this.#sql, state: this.#state, events: [], files: [], later: [] }
  }

  /** A damaged page was met: each operation has a transaction of its own, and only what needs that page is refused. */
  #oneByOne(calls: readonly UnpackedCall[]): GroupReport {
    const reports = calls.map((call) => this.run([call]))
    return {
      results: reports.flatMap(({ results }) => results),
      events: reports.flatMap(({ events }) => events),
    }
  }

  /** All of a group that is likely to be taken whole. @returns undefined where it was not: nothing has happened then. */
  #runPlain(context: Context, calls: readonly UnpackedCall[]): readonly Result[] | undefined {
    if (calls.some(({ operation }) => !PLAIN.has(operation.op))) return undefined
    this.#state.beginOperation()
    try {
      return calls.map((call) => [call.id, 1, this.#perform(context, call) ?? null])
    } catch (error) {
      if (!this.#sql.db.isTransaction || isFatal(error)) throw error
      this.#sql.run('ROLLBACK')
      this.#state.undoOperation()
      context.events.length = 0
      context.files.length = 0
      context.later.length = 0
      this.#sql.run('BEGIN IMMEDIATE')
      return undefined
    }
  }

  /** Each operation stands in a savepoint. */
  #runOne(context: Context, call: UnpackedCall): Result {
    const structural = STRUCTURAL.has(call.operation.op)
    if (structural) this.#state.flush()
    const marks = [context.events.length, context.files.length, context.later.length] as const
    this.#state.beginOperation()
    this.#sql.run('SAVEPOINT operation')
    try {
      const value = this.#perform(context, call)
      this.#sql.run('RELEASE operation')
      return [call.id, 1, value ?? null]
    } catch (error) {
      // After a full disk or a broken one the whole transaction may be gone (rolled back by SQLite itself).
      if (!this.#sql.db.isTransaction || isFatal(error)) throw error
      this.#sql.run('ROLLBACK TO operation')
      this.#sql.run('RELEASE operation')
      if (structural) this.#state.forgetAll()
      else this.#state.undoOperation()
      context.events.length = marks[0]
      context.files.length = marks[1]
      context.later.length = marks[2]
      return [call.id, 0, refusalOf(error)]
    }
  }

  #perform(context: Context, { operation, blobs }: UnpackedCall): unknown {
    switch (operation.op) {
      case 'accept':
        return accept(context, operation, blobs)
      case 'trace':
        return insertTrace(context, operation.trace, [])
      case 'append':
        return append(context, operation, blobs)
      case 'flags':
        return storeFlags(context, operation)
      case 'copy':
      case 'move':
        return copyMessages(context, operation)
      case 'expunge':
        return expunge(context, operation)
      case 'release':
        return release(context, operation)
      case 'record':
        return record(context, operation, blobs)
      case 'retain':
        if (retainTraces(context, operation)) this.#retain = operation
        return undefined
      default:
        return performRare(context, operation)
    }
  }

  #finish(context: Context): void {
    this.#later.push(...context.later)
    this.#state.trim()
    for (const file of context.files) this.#deleteFile(file)
  }

  #lost(calls: readonly UnpackedCall[], error: unknown, keepsTraces: boolean): GroupReport {
    if (leavesDiskUnsure(error)) this.#mistrust = describeError(error)
    try {
      if (this.#sql.db.isTransaction) this.#sql.run('ROLLBACK')
      this.#state.forgetAll()
    } catch (worse) {
      // What is kept in memory may be wrong now, and the database does not tell.
      this.#mistrust ??= describeError(worse)
    }
    if (isUnreadable(error) && this.#mistrust === undefined) {
      const [call] = calls
      if (call === undefined || calls.length > 1) return this.#oneByOne(calls)
      this.#note(call.operation, error)
      // Mail goes before its trace.
      if (keepsTraces && TRACED.has(call.operation.op)) return this.run(calls, false)
    }
    return this.#refused(calls, refusalOf(error), isUnreadable(error))
  }

  #note({ op }: Operation, error: unknown): void {
    if (this.#told.has(op)) return
    this.#told.add(op)
    this.#tell(
      `a page of the database is damaged (met by "${op}"): ${describeError(error)}; what needs it is refused, the rest goes on; run \`hikyaku check\``,
    )
  }

  /** @param isHopeless work that nobody waits for would meet the same damage again: it is left to the next start. */
  #refused(calls: readonly UnpackedCall[], refusal: Refusal, isHopeless = false): GroupReport {
    this.#isPaused = true
    for (const { operation } of calls) {
      if (!isHopeless) this.#keep(operation)
      if (refusal.kind === 'io') this.#doubt(operation)
    }
    return { results: calls.map((call) => [call.id, 0, refusal] as const), events: [] satisfies StoreEvent[] }
  }

  /** What must be done and was refused is done later. */
  #keep(operation: Operation): void {
    if (operation.op === 'release') this.#later.push({ mailbox: operation.mailbox, upTo: operation.upTo })
    if (operation.op === 'take-back') this.#owed.add(operation)
  }

  /** The main thread keeps a body file whose commit may have come through; those are looked at in `reopen`. */
  #doubt(operation: Operation): void {
    for (const name of bodyFilesOf(operation))
      if (this.#doubtful.length < DOUBTFUL_FILES) this.#doubtful.push(name)
  }
}

type RareOperation = Exclude<
  Operation,
  {
    op:
      | 'accept'
      | 'trace'
      | 'append'
      | 'flags'
      | 'copy'
      | 'move'
      | 'expunge'
      | 'release'
      | 'record'
      | 'retain'
  }
>

function performRare(context: Context, operation: RareOperation): unknown {
  switch (operation.op) {
    case 'create':
      return mailboxes.createMailbox(context, operation)
    case 'delete':
      return mailboxes.deleteMailbox(context, operation)
    case 'rename':
      return mailboxes.renameMailbox(context, operation)
    case 'empty-inbox':
      return mailboxes.emptyInbox(context, operation)
    case 'take-back':
      return takeBack(context, operation)
    case 'subscribe':
      return mailboxes.subscribe(context, operation)
    case 'add-account':
      return accounts.addAccount(context, operation)
    case 'remove-account':
      return accounts.removeAccount(context, operation)
    case 'set-quota':
      return accounts.setQuota(context, operation)
    case 'set-language':
      return accounts.setLanguage(context, operation)
    case 'set-credential':
      return accounts.setCredential(context, operation)
    case 'set-alias':
      return accounts.setAlias(context, operation)
    case 'remove-alias':
      return accounts.removeAlias(context, operation)
    case 'good-address':
      return accounts.noteGoodAddress(context, operation)
    case 'tally':
      return reports.tally(context, operation.row)
    case 'close-day':
      return reports.closeDay(context, operation.row)
    case 'put-off-day':
      return reports.putOffDay(context, operation.row)
    case 'add-report':
      return reports.addReport(context, operation.row)
    case 'release-held':
      return held.releaseHeld(context, operation)
    case 'delete-held':
      return held.deleteHeld(context, operation)
    case 'expire-held':
      return held.expireHeld(context, operation)
    case 'told-held':
      return held.noteTold(context, operation)
    case 'add-trust':
      return trust.addTrust(context, operation)
    case 'remove-trust':
      return trust.removeTrust(context, operation)
  }
}

function bodyFilesOf(operation: Operation): readonly string[] {
  const bodies =
    operation.op === 'accept'
      ? [operation.body]
      : operation.op === 'append'
        ? operation.messages.map(({ body }) => body)
        : operation.op === 'record' && operation.dsn !== null
          ? [operation.dsn.body]
          : []
  return bodies.flatMap(({ file }) => (file === null ? [] : [file]))
}

/** Calls of our own have no number: nobody waits for the answer. */
function internal(operation: Operation): UnpackedCall {
  return { id: 0, operation, blobs: [], sizeBytes: 0 }
}

/**
 * A disk that is full or broken spoils the group even where SQLite kept the transaction: nothing of it is sure. After a
 * damaged page SQLite refuses all that comes later in the transaction, also behind a savepoint.
 */
function isFatal(error: unknown): boolean {
  const fault = sqliteFault(error)
  return fault === 'full' || fault === 'io' || fault === 'corrupt'
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal
  return { kind: sqliteFault(error) === 'full' ? 'full' : 'io', cause: describeError(error) }
}
