import { statfsSync } from 'node:fs'
import type { StoreFailure } from '../../ports/store.ts'
import { FREE_SPACE_BYTES, FREE_SPACE_SHARE, INLINE_BODY_BYTES } from '../limits.ts'
import type { Health } from './health.ts'

export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** A disk with plenty of room is asked at most this often; near the mark it is asked for each message. */
const ASK_EVERY_MS = 500
/** Plenty: so many times what is kept. Mail at full speed takes some 100 MiB a second, log included. */
const PLENTY = 16

/**
 * Stops taking mail while there is still a little room. On a disk that is full to the last page not even an
 * EXPUNGE can be written, since it needs pages of the log: its owner could neither get mail nor make room for it.
 */
export class LowWater {
  readonly #space: () => DiskSpace
  readonly #reusable: () => Promise<number>
  readonly #now: () => number
  readonly #health: Health | undefined
  #plentyAtMs = Number.NEGATIVE_INFINITY

  /** @param parts.reusable octets within the database that deleted mail has left: room too, though the disk does not see it. */
  constructor(parts: {
    space(): DiskSpace
    reusable(): Promise<number>
    now(): number
    readonly health?: Health | undefined
  }) {
    this.#space = () => parts.space()
    this.#reusable = () => parts.reusable()
    this.#now = () => parts.now()
    this.#health = parts.health
  }

  /**
   * undefined while there is room; else whether mail must be refused is worth a question.
   * @param sizeBytes what is announced; 0 where nothing is.
   */
  check(sizeBytes = 0): undefined | Promise<StoreFailure | undefined> {
    const isFile = sizeBytes > INLINE_BODY_BYTES
    if (!isFile && this.#hadPlenty()) return undefined
    const { freeBytes, kept } = this.#left()
    if (isFile && freeBytes - sizeBytes < kept) return Promise.resolve(this.#full(freeBytes, kept))
    if (freeBytes < kept) return this.#judge(freeBytes, kept)
    this.#health?.works('room')
    return undefined
  }

  /** For a body file, which cannot use what is free within the database: why not even another piece may be written. */
  checkFile(): StoreFailure | undefined {
    if (this.#hadPlenty()) return undefined
    const { freeBytes, kept } = this.#left()
    return freeBytes < kept ? this.#full(freeBytes, kept) : undefined
  }

  /** A clock that was put back must not keep an old answer for hours. */
  #hadPlenty(): boolean {
    return Math.abs(this.#now() - this.#plentyAtMs) < ASK_EVERY_MS
  }

  #left(): { readonly freeBytes: number; readonly kept: number } {
    const { freeBytes, totalBytes } = this.#space()
    const kept = Math.min(FREE_SPACE_BYTES, totalBytes * FREE_SPACE_SHARE)
    if (freeBytes >= kept * PLENTY) this.#plentyAtMs = this.#now()
    return { freeBytes, kept }
  }

  async #judge(freeBytes: number, kept: number): Promise<StoreFailure | undefined> {
    return freeBytes + (await this.#reusable()) >= kept ? undefined : this.#full(freeBytes, kept)
  }

  #full(freeBytes: number, kept: number): StoreFailure {
    const cause = `${freeBytes} octets are free on the disk; the last ${Math.round(kept)} are kept for what makes room`
    this.#health?.failed('room', cause)
    return { kind: 'full', cause }
  }
}

/**
 * What the system says of the disk that the folder is on: for this user, without what root alone may use. A disk that
 * does not answer is not judged here: the write itself will tell.
 */
export function diskSpaceOf(folder: string): DiskSpace {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    return { freeBytes: Number.POSITIVE_INFINITY, totalBytes: 0 }
  }
}
