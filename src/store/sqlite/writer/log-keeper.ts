import { LOG_PAGES, LOG_PASS_PAGES } from '../../limits.ts'
import type { Sql } from '../sql.ts'

/**
 * Sees that the log is written back into the database. Most of it another thread does, beside the writer: copying and
 * the fsync of the database would keep everybody waiting. The log begins anew only where all of it is written back
 * when a transaction begins: so what came during the other thread's last pass is written back here, between two groups.
 */
export class LogKeeper {
  readonly #ask: () => void
  /** The other thread is at it. */
  #isPassing = false
  /** It was asked when the log was long already: what is left after that is done here. */
  #isLast = false
  #isPaused = false
  #isAble = false
  /** Pages that the log had at the last try. */
  #triedAt = 0

  /** @param ask for a pass of the other thread; `passed` is to be called after each. */
  constructor(ask: () => void) {
    this.#ask = ask
  }

  /** From now on nothing is written back by SQLite itself, unless it is too old to say how long the log is. */
  begin(sql: Sql): void {
    const [version] = sql.get('SELECT sqlite_version()') as readonly [string]
    this.#isAble = hasNoop(version)
    if (this.#isAble) sql.db.exec('PRAGMA wal_autocheckpoint = 0')
    this.#isLast = false
    this.#triedAt = 0
  }

  /** A pass of the other thread is over, whatever came of it. */
  passed(): void {
    this.#isPassing = false
  }

  get isPassing(): boolean {
    return this.#isPassing
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  /** After a commit. Throws what SQLite throws where the rest can't be written back. */
  look(sql: Sql): void {
    if (!this.#isAble || this.#isPaused || this.#isPassing) return
    // Asks the log's index alone: 2 µs.
    const [, pages, done] = sql.get('PRAGMA wal_checkpoint(NOOP)') as readonly [number, number, number]
    if (pages < this.#triedAt) this.#triedAt = 0
    const isLong = pages >= LOG_PAGES
    if (isLong && this.#isLast) {
      this.#isLast = false
      this.#triedAt = pages
      sql.get('PRAGMA wal_checkpoint(PASSIVE)')
      return
    }
    // Where a reader at work keeps the log from its new beginning, or the disk is full, the next try waits a while.
    if (pages < this.#triedAt + LOG_PASS_PAGES || !(isLong || pages - done >= LOG_PASS_PAGES)) return
    this.#isLast = isLong
    this.#triedAt = pages
    this.#isPassing = true
    this.#ask()
  }
}

/** SQLite before 3.51 (Node 24.7 has 3.50) takes NOOP for PASSIVE: it would write back after each commit. */
function hasNoop(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 3 || (major === 3 && minor >= 51)
}
