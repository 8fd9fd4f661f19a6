import type { Sql } from '../sql.ts'
import type { BackupPhase } from '../threads.ts'
import { FileRemoval } from './file-removal.ts'
import type { LogKeeper } from './log-keeper.ts'
import { Shrinker } from './shrink.ts'

/** What the writer does beside its groups, and how far a backup that is being made lets it. */
export class Chores {
  readonly #onNote: (text: string) => void
  readonly #files: FileRemoval
  readonly #log: LogKeeper
  readonly #shrinker: Shrinker
  #isBackingUp = false

  /** @param sql the connection as it is now: after a fault there is another. */
  constructor(parts: {
    sql(): Sql
    readonly bodies: string
    readonly log: LogKeeper
    onNote(text: string): void
  }) {
    const { bodies, log, onNote, sql } = parts
    this.#onNote = onNote
    this.#files = new FileRemoval(bodies, onNote)
    this.#log = log
    this.#shrinker = new Shrinker(sql)
  }

  removeFile(name: string): void {
    this.#files.remove(name)
  }

  /** Something was deleted for good. */
  deleted(): void {
    this.#shrinker.deleted()
  }

  /**
   * Whether to give room back. Pages that move while a backup reads an older state would only make the log longer; while
   * another thread writes the log back, the file can't be cut.
   */
  get hasWork(): boolean {
    return !this.#isBackingUp && !this.#log.isPassing && this.#shrinker.hasWork
  }

  /** One slice. Throws what SQLite throws; nothing is lost then, and the next deletion makes it look again. */
  work(): void {
    const bytes = this.#shrinker.slice()
    if (bytes !== undefined && bytes > 0)
      this.#onNote(`${Math.round(bytes / 1024 / 1024)} MiB of deleted mail were given back to the disk`)
  }

  /**
   * A backup reads one state of the database and then the body files that it names. While it reads the database,
   * checkpoints could not get past that state anyway; what has gathered by then it writes back itself, beside us.
   */
  backup(phase: BackupPhase): void {
    this.#isBackingUp = phase !== 'ended'
    if (phase === 'begins') this.#files.hold()
    if (phase === 'ended') this.#files.letGo()
    this.#log.pause(phase === 'begins')
  }
}
