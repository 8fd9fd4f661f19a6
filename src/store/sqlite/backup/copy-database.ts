import { chmodSync, closeSync, fsyncSync, openSync, statSync } from 'node:fs'
import { backup, type DatabaseSync } from 'node:sqlite'
import { sizeText } from '../../../mail/size-text.ts'
import { BACKUP_LOG_BYTES, BACKUP_STEP_PAGES, FREE_SPACE_BYTES } from '../../limits.ts'
import { openForReading, openForWriting } from '../database.ts'
import { diskSpaceOf } from '../low-water.ts'
import { BackupFailure } from './failure.ts'
import { databaseUrl } from './octets.ts'

/** The log is written back in several passes, until what came meanwhile is a writer's own checkpoint's worth. */
const CHECKPOINT_PASSES = 5
const CHECKPOINT_REST_PAGES = 4000

/**
 * One state of a database that others go on writing. It is fixed when this is made: a read transaction sees the state
 * at its beginning, and SQLite's backup within one never begins anew. Without it, each commit of the writer makes
 * the copy start from its first page: under steady mail it does not end (measured: 86,625 pages copied for 8 s, and
 * 85,625 still to come; within a transaction 3 s). `VACUUM INTO` would end, too, but can't be stopped or say how far
 * it is, costs more of the processor, and reads every row where this reads pages.
 *
 * The price is the log: nothing after the fixed state can be written back into the database meanwhile, so the log
 * grows by what is written during the copy. `copyTo` gives up where that is more than the database itself, or where
 * the disk gets full of it: mail goes first.
 */
export class FixedState {
  readonly #path: string
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#path = path
    this.#db = openForReading(path)
    this.#db.exec('BEGIN')
    // The transaction begins with the first read.
    this.#db.prepare('SELECT id FROM counters').get()
  }

  /** Body files that this state names, with their sizes. */
  *files(): Generator<{ readonly name: string; readonly sizeBytes: number }> {
    const rows = this.#db.prepare(
      'SELECT file, size - octet_length(prefix) AS size FROM bodies WHERE file IS NOT NULL',
    )
    for (const { file, size } of rows.iterate()) yield { name: String(file), sizeBytes: Number(size) }
  }

  get sizeBytes(): number {
    return this.#number('PRAGMA page_count') * this.#number('PRAGMA page_size')
  }

  get schema(): number {
    return this.#number('PRAGMA user_version')
  }

  /**
   * Copies it into a new file, pages as they are, durably.
   * @param onStep is told of octets done and octets in all; what it throws ends it.
   */
  async copyTo(path: string, onStep: (doneBytes: number, allBytes: number) => void): Promise<void> {
    const pageBytes = this.#number('PRAGMA page_size')
    const copy = openSync(path, 'wx', 0o600)
    try {
      // Without locks: the file is ours alone, and network disks have odd ones.
      await backup(this.#db, databaseUrl(path, { vfs: 'unix-none' }), {
        rate: BACKUP_STEP_PAGES,
        progress: ({ totalPages, remainingPages }) => {
          // What waits unwritten in memory holds up the fsync of a mail's commit: with one in 8 steps, others waited 110 ms.
          fsyncSync(copy)
          this.#checkLog()
          onStep((totalPages - remainingPages) * pageBytes, totalPages * pageBytes)
        },
      })
      fsyncSync(copy)
    } finally {
      closeSync(copy)
    }
    chmodSync(path, 0o600)
  }

  /** Lets go of the state, and writes the log back so far that the writer's next checkpoint is no longer than any other. */
  release(): void {
    this.close()
    const db = openForWriting(this.#path)
    try {
      for (let pass = 0; pass < CHECKPOINT_PASSES; pass++) {
        const { log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
        if (Number(log) - Number(checkpointed) < CHECKPOINT_REST_PAGES) return
      }
    } finally {
      db.close()
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #checkLog(): void {
    const log = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (log <= BACKUP_LOG_BYTES) return
    if (log > this.sizeBytes)
      throw new BackupFailure(
        `While the database (${sizeText(this.sizeBytes)}) was copied, mail of more than that came in: the copy is too slow. Make the backup to a faster disk, or when there is less mail.`,
      )
    if (diskSpaceOf(this.#path).freeBytes < 4 * FREE_SPACE_BYTES)
      throw new BackupFailure(
        'The disk of the data folder gets full of the mail that came in while its database was copied: mail goes first. Free some space there, or make the backup to a faster disk.',
      )
  }

  #number(pragma: string): number {
    return Number(Object.values(this.#db.prepare(pragma).get() ?? {})[0])
  }
}
