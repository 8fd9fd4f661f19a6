import { statfsSync } from 'node:fs'
import type { StoreFailure } from '../../ports/store.ts'
import { FREE_SPACE_BYTES, FREE_SPACE_SHARE } from '../limits.ts'

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
  #plentyAtMs = Number.NEGATIVE_INFINITY

  /** @param parts.reusable octets within the database that deleted mail has left: room too, though the disk does not see it. */
  constructor(parts: { space(): DiskSpace; reusable(): Promise<number>; now(): number }) {
    this.#space = () => parts.space()
    this.#reusable = () => parts.reusable()
    this.#now = () => parts.now()
  }

  /** undefined while there is room; else whether mail must be refused is worth a question. */
  check(): undefined | Promise<StoreFailure | undefined> {
    const nowMs = this.#now()
    // A clock that was put back must not keep an old answer for hours.
    if (Math.abs(nowMs - this.#plentyAtMs) < ASK_EVERY_MS) return undefined
    const { freeBytes, totalBytes } = this.#space()
    const kept = Math.min(FREE_SPACE_BYTES, totalBytes * FREE_SPACE_SHARE)
    if (freeBytes >= kept * PLENTY) this.#plentyAtMs = nowMs
    return freeBytes >= kept ? undefined : this.#judge(freeBytes, kept)
  }

  async #judge(freeBytes: number, kept: number): Promise<StoreFailure | undefined> {
    if (freeBytes + (await this.#reusable()) >= kept) return undefined
    const cause = `${freeBytes} octets are free on the disk; the last ${Math.round(kept)} are kept for what makes room`
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
