import { GROUP_BYTES, GROUP_OPERATIONS, REOPEN_EVERY_MS } from '../../limits.ts'
import { sweepOrphans } from '../body-files.ts'
import { openForWriting } from '../database.ts'
import { openAgain } from '../open-again.ts'
import type { GroupReport, Operation } from '../operations.ts'
import { type Packet, packReport, type UnpackedCall, unpack } from '../packing.ts'
import { describeError, isUnreadable, Sql } from '../sql.ts'
import type { FromWriter, PassFailure, ThreadPort, ToWriter, WriterData } from '../threads.ts'
import { Chores } from './chores.ts'
import { GroupCommit } from './group.ts'
import { LogKeeper } from './log-keeper.ts'
import { leftovers } from './purge.ts'
import { takeBackCopies } from './take-back.ts'

/** Where mail never stops coming, so many groups are followed by one slice of the work that nobody waits for. */
const GROUPS_BEFORE_SLICE = 16

/** After these there may be room to give back. */
const DELETING: ReadonlySet<Operation['op']> = new Set(['release', 'delete-held', 'expire-held'])

/** The store thread: the only writer. Takes all that waits, commits it as one group, answers, goes on. */
class Writer {
  readonly #port: ThreadPort<ToWriter, FromWriter>
  readonly #database: string
  #sql: Sql
  readonly #group: GroupCommit
  readonly #chores: Chores
  readonly #log: LogKeeper
  /** Why the log could not be written back, since when that has been told. */
  #unwritten: string | undefined
  #waiting: UnpackedCall[] = []
  #closing = false
  #scheduled = false
  #reopening: NodeJS.Timeout | undefined

  constructor(port: ThreadPort<ToWriter, FromWriter>, data: WriterData) {
    this.#port = port
    this.#database = data.database
    this.#log = new LogKeeper(() => this.#post({ kind: 'checkpoint' }))
    const db = openForWriting(data.database)
    this.#sql = new Sql(db)
    if (data.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${data.maxPages}`)
    const note = (text: string): void => this.#post({ kind: 'note', text })
    this.#chores = new Chores({ sql: () => this.#sql, bodies: data.bodies, log: this.#log, onNote: note })
    const swept = unlessDamaged(() => sweepOrphans(this.#sql, data.bodies), 0, note)
    const left = unlessDamaged(() => leftovers(this.#sql), [], note)
    this.#log.begin(this.#sql)
    this.#group = new GroupCommit(this.#sql, left, (name) => this.#chores.removeFile(name), note)
    unlessDamaged(() => takeBackCopies(this.#sql, this.#group), undefined, note)
    this.#post({ kind: 'ready', swept })
    this.#watchDisk()
    port.onMessage((message) => {
      this.#take(message)
      this.#work()
    })
    this.#schedule()
  }

  #take(message: ToWriter): void {
    if (message.kind === 'close') this.#closing = true
    else if (message.kind === 'max-pages') this.#sql.db.exec(`PRAGMA max_page_count = ${message.pages}`)
    else if (message.kind === 'checkpointed') this.#checkpointed(message.failure)
    else if (message.kind === 'backup') {
      this.#chores.backup(message.phase)
      this.#post(message)
    } else this.#waiting.push(...unpack(message.packet satisfies Packet))
  }

  /** Groups until nothing waits; whoever arrives during a commit joins the next one. */
  #work(): void {
    this.#drain()
    for (let groups = 1; this.#waiting.length > 0; groups++) {
      this.#runGroup(this.#nextGroup())
      if (groups % GROUPS_BEFORE_SLICE === 0 && this.#group.hasWork) this.#runLater()
      this.#drain()
    }
    if (this.#closing) this.#close()
    else this.#schedule()
  }

  #runGroup(calls: readonly UnpackedCall[]): void {
    this.#report(this.#group.run(calls))
    if (calls.some(({ operation }) => DELETING.has(operation.op))) this.#chores.deleted()
    this.#watchDisk()
    this.#watchLog()
  }

  #runLater(): void {
    this.#report(this.#group.runLater())
    this.#watchDisk()
    this.#watchLog()
  }

  #drain(): void {
    for (let more = this.#port.receive(); more !== undefined; more = this.#port.receive()) this.#take(more)
  }

  #nextGroup(): UnpackedCall[] {
    let bytes = 0
    let count = 0
    for (const call of this.#waiting) {
      bytes += call.sizeBytes
      if (count > 0 && (count >= GROUP_OPERATIONS || bytes > GROUP_BYTES)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** Work that nobody waits for runs between groups, a slice at a time; room is given back when all else is done. */
  #schedule(): void {
    if (this.#scheduled || this.#closing || this.#reopening !== undefined) return
    if (!this.#group.hasWork && !this.#chores.hasWork) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#closing || this.#reopening !== undefined) return
      this.#drain()
      if (this.#waiting.length === 0 && this.#group.mistrust === undefined) this.#slice()
      this.#work()
    })
  }

  #slice(): void {
    if (this.#group.hasWork) {
      this.#runLater()
      this.#chores.deleted()
      return
    }
    try {
      this.#chores.work()
    } catch (error) {
      this.#group.failed(error)
      this.#watchDisk()
    }
    this.#watchLog()
  }

  /** After a failed write nothing more is acknowledged until the database was opened again and proved. */
  #watchDisk(): void {
    const { mistrust } = this.#group
    if (mistrust === undefined || this.#reopening !== undefined) return
    this.#post({ kind: 'mistrust', cause: mistrust })
    this.#reopening = setInterval(() => this.#reopen(), REOPEN_EVERY_MS)
  }

  #watchLog(): void {
    if (this.#group.mistrust !== undefined) return
    try {
      this.#log.look(this.#sql)
    } catch (error) {
      this.#group.failed(error)
      this.#watchDisk()
    }
  }

  /** A failed write or fsync of the other thread is as good a reason as one of our own. */
  #checkpointed(failure: PassFailure | null): void {
    this.#log.passed()
    if (failure?.isUnsure) {
      this.#group.distrust(failure.cause)
      this.#watchDisk()
    } else if (failure !== null && failure.cause !== this.#unwritten)
      this.#post({
        kind: 'note',
        text: `the log of the database could not be written back: ${failure.cause}`,
      })
    this.#unwritten = failure?.cause
  }

  #reopen(): void {
    try {
      if (this.#sql.db.isOpen) this.#sql.db.close()
      this.#sql = openAgain(this.#database)
      this.#log.begin(this.#sql)
      for (const name of this.#group.reopen(this.#sql)) this.#chores.removeFile(name)
    } catch {
      // The disk still fails, as was told already: the next try comes by itself.
      return
    }
    clearInterval(this.#reopening)
    this.#reopening = undefined
    this.#post({ kind: 'mistrust', cause: null })
    this.#schedule()
  }

  #report(report: GroupReport): void {
    if (report.results.length + report.events.length > 0)
      this.#post({ kind: 'report', text: packReport(report) })
  }

  #close(): void {
    clearInterval(this.#reopening)
    if (this.#sql.db.isOpen) this.#sql.db.close()
    this.#post({ kind: 'closed' })
    this.#port.close()
  }

  #post(message: FromWriter): void {
    this.#port.post(message)
  }
}

/** Tidying up at the start must not keep a server from its mail: where it meets damage it is left out, and told. */
function unlessDamaged<T>(tidy: () => T, otherwise: T, note: (text: string) => void): T {
  try {
    return tidy()
  } catch (error) {
    if (!isUnreadable(error)) throw error
    note(
      `a page of the database is damaged: ${describeError(error)}; nothing is tidied up; run \`hikyaku check\``,
    )
    return otherwise
  }
}

/** Opens the database and serves the port until it is told to close. Throws where the database can't be opened. */
export function runWriter(port: ThreadPort<ToWriter, FromWriter>, data: WriterData): void {
  new Writer(port, data)
}
