import { closeSync, openSync, readSync } from 'node:fs'
import { INLINE_BODY_BYTES } from '../../limits.ts'
import { bodyPath } from '../body-files.ts'
import type { FileRange } from '../questions.ts'

/** A stored message's octets: prefix ‖ head ‖ text, or prefix ‖ file, whose beginning `head` is a copy of. */
export interface StoredOctets {
  readonly prefix: Uint8Array
  readonly head: Uint8Array
  /** null where the body is a file; undefined where it was not read because nothing needs it. */
  readonly text: Uint8Array | null | undefined
  readonly file: string | null
  readonly size: number
}

/** Pieces of a message in order; a file's octets come as bytes where they are few. */
export type Slice = readonly Uint8Array[] | FileRange

/**
 * Octets start to end (exclusive) of the message.
 * @param fileLimitBytes more octets than this out of a file are given as a range, not read.
 */
export function slice(
  octets: StoredOctets,
  start: number,
  end: number,
  folder: string,
  fileLimitBytes = INLINE_BODY_BYTES,
): Slice {
  const pieces: Uint8Array[] = []
  const { prefix, head, text, file } = octets
  let at = 0
  // What goes out as proved comes from the file itself: its checksum says nothing of the copy of its header.
  const held = file !== null && text !== undefined ? [prefix] : [prefix, head, text ?? undefined]
  for (const piece of held) {
    if (piece === undefined) continue
    const [from, to] = [Math.max(start - at, 0), Math.min(end - at, piece.length)]
    if (from < to) pieces.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to))
    at += piece.length
    if (at >= end) return pieces
  }
  if (file === null) return pieces
  const offset = Math.max(start, at) - prefix.length
  const length = Math.min(end, octets.size) - prefix.length - offset
  if (length <= 0) return pieces
  if (length <= fileLimitBytes) return [...pieces, readRange(bodyPath(folder, file), offset, length)]
  return { before: Buffer.concat(pieces), file, offset, length }
}

export function isRange(of: Slice): of is FileRange {
  return 'file' in of
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  const handle = openSync(path, 'r')
  try {
    let at = 0
    while (at < length) {
      const count = readSync(handle, bytes, at, length - at, offset + at)
      if (count === 0) throw new Error(`body file ${path} ends at ${offset + at}, too early`)
      at += count
    }
  } finally {
    closeSync(handle)
  }
  return bytes
}
