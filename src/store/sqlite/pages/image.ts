import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHeader, parseFileHeader } from './file-header.ts'
import { type LogPages, NO_LOG, readLog } from './log.ts'
import { FRAME_HEADER_BYTES, LOG_HEADER_BYTES } from './log-frame.ts'

/**
 * What `openForWriting` makes, with nothing of a page reserved. What the file says of it is not asked: one flipped bit
 * there would make every page unreadable.
 */
const PAGE_BYTES = 4096

/**
 * The pages of a database file as its last commit left them, its log laid over it. Only reads; SQLite is not asked, so
 * the file may be as damaged as it likes. Nobody may write to it meanwhile, and no connection of this process may
 * have it open: closing a file drops this process's locks on it.
 */
export class PageImage {
  /** Octets of a page that SQLite uses. */
  readonly usable = PAGE_BYTES
  /** In file and log. */
  readonly pages: number
  /** As the database says; what stands behind these it has given up. 0 where it does not say. */
  readonly statedPages: number
  /** undefined where the first page does not have one. */
  readonly header: FileHeader | undefined
  readonly log: LogPages
  readonly #file: number | undefined
  readonly #log: number | undefined

  private constructor(file: number | undefined, log: number | undefined) {
    this.#file = file
    this.#log = log
    const size = file === undefined ? 0 : fstatSync(file).size
    const inFile = Math.floor(size / PAGE_BYTES)
    this.log = log === undefined ? NO_LOG : readLog(logBytes(log), { pageBytes: PAGE_BYTES, pages: inFile })
    this.header = parseFileHeader(this.#read(1) ?? new Uint8Array(0))
    this.statedPages = this.log.commitPages || this.header?.pages || 0
    let most = inFile
    for (const page of this.log.frames.keys()) most = Math.max(most, page)
    this.pages = most
  }

  /** Throws the system's error where a file can't be opened; one that is not there has no pages. */
  static open(database: string): PageImage {
    const open: (number | undefined)[] = []
    try {
      for (const path of [database, `${database}-wal`]) open.push(openIfThere(path))
      return new PageImage(open[0], open[1])
    } catch (error) {
      for (const file of open) if (file !== undefined) closeSync(file)
      throw error
    }
  }

  /** undefined where there is no such page, or the disk can't read it. */
  page(number: number): Uint8Array | undefined {
    return number < 1 || number > this.pages ? undefined : this.#read(number)
  }

  /** The page as it was before its newest state, where that is damaged. */
  older(number: number): Uint8Array | undefined {
    const frame = this.log.damaged.get(number)
    return frame === undefined ? undefined : this.#at(number, frame < 0 ? undefined : frame)
  }

  /** Whether the page's newest state may be lost with a piece of the log. */
  isUnsure(number: number): boolean {
    return this.log.unknown > 0 || this.log.damaged.has(number)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    if (this.#log !== undefined) closeSync(this.#log)
  }

  #read(number: number): Uint8Array | undefined {
    return this.#at(number, this.log.frames.get(number))
  }

  #at(number: number, frame: number | undefined): Uint8Array | undefined {
    const bytes =
      frame === undefined || this.#log === undefined
        ? readAt(this.#file, (number - 1) * PAGE_BYTES, PAGE_BYTES)
        : readAt(this.#log, framePlace(frame), PAGE_BYTES)
    return bytes.length === PAGE_BYTES ? bytes : undefined
  }
}

/** What the log of a database says, without a touch of the database itself, which SQLite may have open. */
export function readLogOf(database: string): LogPages {
  const log = openIfThere(`${database}-wal`)
  if (log === undefined) return NO_LOG
  try {
    return readLog(logBytes(log), { pageBytes: PAGE_BYTES, pages: 0 })
  } finally {
    closeSync(log)
  }
}

function logBytes(file: number) {
  return {
    size: fstatSync(file).size,
    read: (at: number, length: number): Uint8Array => readAt(file, at, length),
  }
}

function framePlace(frame: number): number {
  return LOG_HEADER_BYTES + frame * (FRAME_HEADER_BYTES + PAGE_BYTES) + FRAME_HEADER_BYTES
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Fewer octets where the file ends or a sector can't be read: that is damage like any other. */
function readAt(file: number | undefined, at: number, length: number): Uint8Array {
  if (file === undefined) return new Uint8Array(0)
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  try {
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, at + done)
      if (count === 0) break
      done += count
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EIO')) throw error
  }
  return bytes.subarray(0, done)
}
