import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { PROVED_FILE_MS, PROVED_FILES } from '../limits.ts'
import { bodyCrc } from './body-crc.ts'
import { bodyPath } from './body-files.ts'
import type { NeededFile } from './questions.ts'
import { ReadFault } from './reader-client.ts'
import { isShortage } from './shortage.ts'

/** Octets of a file looked at between two turns of the event loop. */
const PIECE_BYTES = 256 * 1024

interface Proved {
  readonly atMs: number
  /** undefined: it is what it should be. */
  readonly why: Promise<string | undefined>
}

/**
 * Proves body files by their checksums before octets of them are given out: once a literal has begun, nothing but
 * breaking the connection off is left. What was proved is believed for a while, since a phone takes a large message in
 * hundreds of pieces.
 */
export class FileProofs {
  readonly #folder: string
  readonly #monotonic: () => number
  readonly #proved = new Map<string, Proved>()

  /** @param monotonic ms of a clock that nobody sets: one that is set back would have a proof believed for years. */
  constructor(folder: string, monotonic: () => number = () => performance.now()) {
    this.#folder = folder
    this.#monotonic = monotonic
  }

  /** Why the file is not what was stored; undefined: it is. Rejects with `ReadFault` where that can't be found out now. */
  prove(needed: NeededFile): Promise<string | undefined> {
    const known = this.#proved.get(needed.file)
    if (known !== undefined && this.#monotonic() - known.atMs < PROVED_FILE_MS) return known.why
    const why = this.#read(needed)
    why.catch(() => this.forget(needed.file))
    this.#proved.delete(needed.file)
    this.#proved.set(needed.file, { atMs: this.#monotonic(), why })
    if (this.#proved.size > PROVED_FILES) {
      const [oldest] = this.#proved.keys()
      if (oldest !== undefined) this.#proved.delete(oldest)
    }
    return why
  }

  /** It failed after all: the next one who wants it looks again. */
  forget(file: string): void {
    this.#proved.delete(file)
  }

  async #read({ contentBytes, crc, file, prefix }: NeededFile): Promise<string | undefined> {
    const path = bodyPath(this.#folder, file)
    let [found, size] = [0, 0]
    try {
      for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
        const bytes = piece as Buffer
        found = crc32(bytes, found)
        size += bytes.length
      }
    } catch (error) {
      const why = `body file ${path}: ${error instanceof Error ? error.message : String(error)}`
      // Told as damage it would be believed for minutes, and a message of the queue held back for good.
      if (isShortage(error)) throw new ReadFault(why)
      return why
    }
    if (size !== contentBytes) return `body file ${path} has ${size} octets instead of ${contentBytes}`
    return bodyCrc(found, prefix) === crc ? undefined : `the checksum of body file ${path} does not match`
  }
}
