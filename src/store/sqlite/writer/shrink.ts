import { SHRINK_FLOOR_BYTES, SHRINK_REST_SHARE, SHRINK_SHARE, SHRINK_SLICE_PAGES } from '../../limits.ts'
import type { Sql } from '../sql.ts'

/**
 * Gives the pages that deleted mail has left back to the disk, in slices that a message hardly waits for. Only where
 * it is worth it: pages given back are taken again by the next mail, and steady traffic must not pay for both.
 */
export class Shrinker {
  readonly #sql: () => Sql
  readonly #pageBytes: number
  /** Without `auto_vacuum` the file never gets smaller: one that older versions made, see `makeShrinkable`. */
  readonly #isAble: boolean
  #isLooking = false
  #fromPages: number | undefined

  constructor(sql: () => Sql) {
    this.#sql = sql
    this.#pageBytes = this.#number('PRAGMA page_size')
    this.#isAble = this.#number('PRAGMA auto_vacuum') === 2
  }

  /** Something was deleted for good: it may be worth a look. */
  deleted(): void {
    this.#isLooking = true
  }

  /** Looks, where something was deleted, whether enough of the file is unused. */
  get hasWork(): boolean {
    if (this.#fromPages !== undefined) return true
    if (!this.#isLooking || !this.#isAble) return false
    this.#isLooking = false
    this.#fromPages = this.#worthwhile()
    return this.#fromPages !== undefined
  }

  /** Pages of the file where enough of them are unused. */
  #worthwhile(): number | undefined {
    try {
      const pages = this.#number('PRAGMA page_count')
      const unused = this.#number('PRAGMA freelist_count')
      const isEnough = unused * this.#pageBytes >= SHRINK_FLOOR_BYTES && unused >= pages * SHRINK_SHARE
      return isEnough ? pages : undefined
    } catch {
      // A disk that can't be read now must not end the thread for this; the next deletion makes it look again.
      return undefined
    }
  }

  /**
   * One slice, one commit. Throws what SQLite throws; then it stops here until something is deleted again.
   * @returns what was given back, in octets, once no more is to be.
   */
  slice(): number | undefined {
    const from = this.#fromPages
    if (from === undefined) return undefined
    this.#fromPages = undefined
    // `exec`: a single step of a prepared statement gives back a single page.
    this.#sql().db.exec(`PRAGMA incremental_vacuum(${SHRINK_SLICE_PAGES})`)
    const pages = this.#number('PRAGMA page_count')
    const rest = Math.max(
      (SHRINK_FLOOR_BYTES / this.#pageBytes) * SHRINK_REST_SHARE,
      pages * SHRINK_REST_SHARE,
    )
    if (this.#number('PRAGMA freelist_count') > rest) {
      this.#fromPages = from
      return undefined
    }
    this.#truncate()
    return Math.max(0, from - pages) * this.#pageBytes
  }

  /** The file gets shorter at a checkpoint, and the log with it; a reader that is at work leaves it to the next one. */
  #truncate(): void {
    const timeoutMs = this.#number('PRAGMA busy_timeout')
    this.#sql().db.exec('PRAGMA busy_timeout = 0')
    try {
      this.#sql().db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      this.#sql().db.exec(`PRAGMA busy_timeout = ${timeoutMs}`)
    }
  }

  #number(pragma: string): number {
    return Number(this.#sql().get(pragma)?.[0] ?? 0)
  }
}
