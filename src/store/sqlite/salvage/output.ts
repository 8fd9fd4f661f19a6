import {
  closeSync,
  createReadStream,
  fsyncSync,
  futimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { bodyCrc } from '../body-crc.ts'
import { DOUBTS, type Found } from './body-reader.ts'

/** Octets of a body file held at a time. */
const PIECE_BYTES = 256 * 1024

/** A message that came out. */
export interface Written {
  /** Below the output's folder. */
  readonly path: string
  /** undefined: its checksum proves it. */
  readonly doubt: string | undefined
}

/**
 * The folder that is made. Each file is written under another name, synced and renamed; the folder itself has another
 * name until all is done, so that what stands under its own is whole.
 */
export class Output {
  readonly #final: string
  readonly #root: string
  readonly #sync: (descriptor: number) => void
  readonly #folders = new Set<string>()
  #files = 0

  /** @param sync how a descriptor is made durable; a test may do without. */
  constructor(out: string, sync: (descriptor: number) => void = fsyncSync) {
    this.#final = out
    this.#root = `${out}.partial`
    this.#sync = sync
    mkdirSync(this.#root, { recursive: false, mode: 0o700 })
    this.#folders.add(this.#root)
    this.#folder('tmp')
  }

  /** For what is thrown away before the end. */
  scratch(name: string): string {
    return join(this.#root, 'tmp', name)
  }

  /** A text file that lines are added to, until `close`. */
  list(name: string, ...columns: readonly string[]): List {
    return new List(join(this.#root, name), columns, this.#sync)
  }

  text(path: string, text: string): void {
    this.#place(path, this.#write([Buffer.from(text)]))
  }

  folder(path: string): void {
    this.#folder(path)
  }

  /**
   * A message. @param path where it goes, given whether there is doubt about it; must be new.
   */
  async message(
    found: Exclude<Found, { kind: 'none' }>,
    how: { readonly skipBytes?: number; readonly arrivedMs: number; path(isSure: boolean): string },
  ): Promise<Written> {
    const { skipBytes = 0, arrivedMs } = how
    const written =
      found.kind === 'inline'
        ? { temporary: this.#write([found.octets.subarray(skipBytes)], arrivedMs), doubt: found.doubt }
        : await this.#copy(found, skipBytes, arrivedMs)
    const path = how.path(written.doubt === undefined)
    this.#place(path, written.temporary)
    return { path, doubt: written.doubt }
  }

  /** All of it durable, and under its own name. */
  finish(): void {
    rmSync(join(this.#root, 'tmp'), { recursive: true })
    this.#folders.delete(join(this.#root, 'tmp'))
    for (const folder of this.#folders) this.#syncFolder(folder)
    renameSync(this.#root, this.#final)
    this.#syncFolder(dirname(this.#final))
  }

  /** Nothing of it stays. */
  drop(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #copy(
    found: Extract<Found, { kind: 'file' }>,
    skipBytes: number,
    timeMs: number,
  ): Promise<{ readonly temporary: string; readonly doubt: string | undefined }> {
    const temporary = this.#temporary()
    const file = openSync(temporary, 'wx', 0o600)
    let [crc, size, skip] = [0, found.prefix.length, skipBytes]
    const put = (piece: Uint8Array): void => {
      const kept = piece.subarray(Math.min(skip, piece.length))
      skip -= piece.length - kept.length
      writeAll(file, kept)
    }
    let doubt = found.doubt
    try {
      put(found.prefix)
      for await (const piece of createReadStream(found.path, { highWaterMark: PIECE_BYTES })) {
        const bytes = piece as Buffer
        crc = crc32(bytes, crc)
        size += bytes.length
        put(bytes)
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EIO')) throw error
      doubt = DOUBTS.cut
    } finally {
      setTime(file, timeMs)
      this.#sync(file)
      closeSync(file)
    }
    if (size !== found.sizeBytes) doubt ??= DOUBTS.cut
    if (bodyCrc(crc, found.prefix) !== found.crc) doubt ??= DOUBTS.crc
    return { temporary, doubt }
  }

  #write(pieces: readonly Uint8Array[], timeMs?: number): string {
    const temporary = this.#temporary()
    const file = openSync(temporary, 'wx', 0o600)
    try {
      for (const piece of pieces) writeAll(file, piece)
      if (timeMs !== undefined) setTime(file, timeMs)
      this.#sync(file)
    } finally {
      closeSync(file)
    }
    return temporary
  }

  #place(path: string, temporary: string): void {
    this.#folder(dirname(path))
    renameSync(temporary, join(this.#root, path))
  }

  #temporary(): string {
    return join(this.#root, 'tmp', `${++this.#files}`)
  }

  #folder(path: string): void {
    const folder = join(this.#root, path)
    if (this.#folders.has(folder)) return
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (let at = folder; !this.#folders.has(at); at = dirname(at)) this.#folders.add(at)
  }

  #syncFolder(folder: string): void {
    const handle = openSync(folder, 'r')
    try {
      this.#sync(handle)
    } finally {
      closeSync(handle)
    }
  }
}

/** Lines of values between tabs. */
export class List {
  readonly #file: number
  readonly #sync: (descriptor: number) => void

  constructor(path: string, columns: readonly string[], sync: (descriptor: number) => void) {
    this.#file = openSync(path, 'wx', 0o600)
    this.#sync = sync
    this.add(...columns)
  }

  add(...values: readonly (string | number | null | undefined)[]): void {
    const cells = values.map((value) => String(value ?? '').replace(/[\p{Cc}]+/gu, ' '))
    writeAll(this.#file, Buffer.from(`${cells.join('\t')}\n`))
  }

  close(): void {
    this.#sync(this.#file)
    closeSync(this.#file)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

/** INTERNALDATE as mail programs expect it of a Maildir: the file's time. */
function setTime(file: number, timeMs: number): void {
  futimesSync(file, timeMs / 1000, timeMs / 1000)
}
