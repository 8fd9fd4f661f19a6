import { GROUP_BYTES, GROUP_OPERATIONS } from '../../limits.ts'
import { deleteBodyFile, sweepOrphans } from '../body-files.ts'
import { openForWriting } from '../database.ts'
import type { GroupReport } from '../operations.ts'
import { type Packet, packReport, type UnpackedCall, unpack } from '../packing.ts'
import { describeError, Sql } from '../sql.ts'
import type { FromWriter, ThreadPort, ToWriter, WriterData } from '../threads.ts'
import { GroupCommit } from './group.ts'
import { leftovers } from './purge.ts'

/** Where mail never stops coming, so many groups are followed by one slice of the work that nobody waits for. */
const GROUPS_BEFORE_SLICE = 16

/** The store thread: the only writer. Takes all that waits, commits it as one group, answers, goes on. */
class Writer {
  readonly #port: ThreadPort<ToWriter, FromWriter>
  readonly #sql: Sql
  readonly #group: GroupCommit
  readonly #bodies: string
  #waiting: UnpackedCall[] = []
  #closing = false
  #scheduled = false

  constructor(port: ThreadPort<ToWriter, FromWriter>, data: WriterData) {
    this.#port = port
    this.#bodies = data.bodies
    const db = openForWriting(data.database)
    this.#sql = new Sql(db)
    if (data.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${data.maxPages}`)
    const swept = sweepOrphans(this.#sql, data.bodies)
    this.#group = new GroupCommit(this.#sql, leftovers(this.#sql), (name) => this.#deleteFile(name))
    this.#post({ kind: 'ready', swept })
    port.onMessage((message) => {
      this.#take(message)
      this.#work()
    })
    this.#schedule()
  }

  #take(message: ToWriter): void {
    if (message.kind === 'close') this.#closing = true
    else if (message.kind === 'max-pages') this.#sql.db.exec(`PRAGMA max_page_count = ${message.pages}`)
    else this.#waiting.push(...unpack(message.packet satisfies Packet))
  }

  /** Groups until nothing waits; whoever arrives during a commit joins the next one. */
  #work(): void {
    this.#drain()
    for (let groups = 1; this.#waiting.length > 0; groups++) {
      this.#report(this.#group.run(this.#nextGroup()))
      if (groups % GROUPS_BEFORE_SLICE === 0 && this.#group.hasWork) this.#report(this.#group.runLater())
      this.#drain()
    }
    if (this.#closing) this.#close()
    else this.#schedule()
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

  /** Work that nobody waits for runs between groups, a slice at a time. */
  #schedule(): void {
    if (this.#scheduled || this.#closing || !this.#group.hasWork) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#closing) return
      this.#report(this.#group.runLater())
      this.#work()
    })
  }

  #report(report: GroupReport): void {
    if (report.results.length + report.events.length > 0)
      this.#post({ kind: 'report', text: packReport(report) })
  }

  #deleteFile(name: string): void {
    try {
      deleteBodyFile(this.#bodies, name)
    } catch (error) {
      // The row is gone, so the next start sweeps the file.
      this.#post({ kind: 'note', text: `cannot delete body file ${name}: ${describeError(error)}` })
    }
  }

  #close(): void {
    this.#sql.db.close()
    this.#post({ kind: 'closed' })
    this.#port.close()
  }

  #post(message: FromWriter): void {
    this.#port.post(message)
  }
}

/** Opens the database and serves the port until it is told to close. Throws where the database can't be opened. */
export function runWriter(port: ThreadPort<ToWriter, FromWriter>, data: WriterData): void {
  new Writer(port, data)
}
