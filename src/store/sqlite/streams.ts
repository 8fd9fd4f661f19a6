import { createReadStream } from 'node:fs'
import { bodyPath } from './body-files.ts'
import type { FileRange } from './questions.ts'
import { ReadFault } from './reader-client.ts'

/** Pieces of a file handed on at a time; the reader of the stream sets the pace. */
const PIECE_BYTES = 256 * 1024

/**
 * Octets of a message that begin in memory and go on in a body file. Throws `ReadFault` where the file is short or can't
 * be read, after `failed` was called.
 */
export async function* streamRange(
  folder: string,
  range: FileRange,
  failed: () => void = () => undefined,
): AsyncGenerator<Uint8Array, void> {
  if (range.before.length > 0) yield range.before
  const path = bodyPath(folder, range.file)
  const end = range.offset + range.length - 1
  let left = range.length
  try {
    for await (const piece of createReadStream(path, {
      start: range.offset,
      end,
      highWaterMark: PIECE_BYTES,
    })) {
      left -= (piece as Buffer).length
      yield piece as Buffer
    }
  } catch (error) {
    failed()
    if (error instanceof Error && 'code' in error) throw new ReadFault(`body file ${path}: ${error.message}`)
    throw error
  }
  if (left > 0) {
    failed()
    throw new ReadFault(`body file ${path} is ${left} octets short`)
  }
}
