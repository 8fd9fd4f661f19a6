import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { crc32 } from 'node:zlib'

/** Read at a time; large enough that a disk reads on, small enough that a stop is heeded at once. */
export const PIECE_BYTES = 1024 * 1024

export interface Measured {
  readonly sizeBytes: number
  readonly sha256: string
  readonly crc: number
}

/**
 * Reads a file to its end.
 * @param between called between pieces; what it throws ends it.
 */
export function measureFile(path: string, between: () => void): Measured {
  const measuring = new Measuring()
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      between()
      const count = readSync(file, piece, 0, piece.length, null)
      if (count === 0) break
      measuring.add(piece.subarray(0, count))
    }
  } finally {
    closeSync(file)
  }
  return measuring.end()
}

/** Size and checksums of octets as they go by. */
export class Measuring {
  readonly #sha = createHash('sha256')
  #crc = 0
  #sizeBytes = 0

  add(octets: Uint8Array): void {
    this.#sha.update(octets)
    this.#crc = crc32(octets, this.#crc)
    this.#sizeBytes += octets.length
  }

  /** Once. */
  end(): Measured {
    return { sizeBytes: this.#sizeBytes, sha256: this.#sha.digest('hex'), crc: this.#crc }
  }
}

/** Makes a file, or the names in a folder, durable. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** A database as SQLite's URI, with its parameters. */
export function databaseUrl(path: string, parameters: Readonly<Record<string, string>>): URL {
  const url = new URL('file:///')
  url.pathname = resolve(path).replaceAll('%', '%25')
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}
