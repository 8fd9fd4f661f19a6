// The log that shim.c writes: every change to the files below a folder, in order, with marks of others in between.

import { readFileSync, writeSync } from 'node:fs'

export type Change =
  | {
      readonly kind: 'open'
      readonly handle: number
      readonly path: string
      readonly isNew: boolean
      readonly isEmptied: boolean
      readonly isFolder: boolean
    }
  | { readonly kind: 'write'; readonly handle: number; readonly offset: number; readonly octets: Buffer }
  | { readonly kind: 'truncate'; readonly handle: number; readonly size: number }
  /** Covers what has a sequence number up to `covers`. */
  | { readonly kind: 'sync'; readonly handle: number; readonly covers: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }

export type LogRecord =
  | (Change & { readonly sequence: number })
  | { readonly kind: 'mark'; readonly text: string }

const MAGIC = 0x4b48574c
const HEADER_OCTETS = 40
const MARK = 255
const KINDS = [
  '',
  'open',
  'create',
  'write',
  'truncate',
  'sync',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
]
const EMPTIED = 1
const FOLDER = 2

/** Writes a mark into a log that a program under the shim is writing; one write, so that it comes in whole. */
export function writeMark(fd: number, text: string): void {
  const octets = Buffer.from(text)
  const header = Buffer.alloc(HEADER_OCTETS)
  header.writeUInt32LE(MAGIC, 0)
  header[4] = MARK
  header.writeUInt32LE(octets.length, 12)
  writeSync(fd, Buffer.concat([header, octets]))
}

/** Throws on what is no log; a record that a kill cut short ends it. */
export function readWriteLog(file: string): readonly LogRecord[] {
  const log = readFileSync(file)
  const records: LogRecord[] = []
  for (let at = 0; at + HEADER_OCTETS <= log.length; ) {
    if (log.readUInt32LE(at) !== MAGIC) throw new SyntaxError(`${file}: no record at ${at}`)
    const pathEnd = at + HEADER_OCTETS + log.readUInt16LE(at + 6)
    const toEnd = pathEnd + log.readUInt16LE(at + 8)
    const end = toEnd + log.readUInt32LE(at + 12)
    if (end > log.length) break
    records.push(
      recordOf(log.subarray(at, at + HEADER_OCTETS), {
        path: log.toString('utf8', at + HEADER_OCTETS, pathEnd),
        to: log.toString('utf8', pathEnd, toEnd),
        octets: log.subarray(toEnd, end),
      }),
    )
    at = end
  }
  return records
}

function recordOf(
  header: Buffer,
  { path, to, octets }: { readonly path: string; readonly to: string; readonly octets: Buffer },
): LogRecord {
  const number = header[4] as number
  if (number === MARK) return { kind: 'mark', text: octets.toString('utf8') }
  const flags = header[5] as number
  const [sequence, handle, at] = [16, 24, 32].map((offset) => Number(header.readBigUInt64LE(offset))) as [
    number,
    number,
    number,
  ]
  const kind = KINDS[number]
  switch (kind) {
    case 'open':
    case 'create': {
      const bits = { isEmptied: (flags & EMPTIED) !== 0, isFolder: (flags & FOLDER) !== 0 }
      return { kind: 'open', sequence, handle, path, isNew: kind === 'create', ...bits }
    }
    case 'write':
      return { kind, sequence, handle, offset: at, octets }
    case 'truncate':
      return { kind, sequence, handle, size: at }
    case 'sync':
      return { kind, sequence, handle, covers: at }
    case 'rename':
    case 'link':
      return { kind, sequence, path, to }
    case 'unlink':
    case 'mkdir':
    case 'rmdir':
      return { kind, sequence, path }
    default:
      throw new SyntaxError(`a record of kind ${number}`)
  }
}
