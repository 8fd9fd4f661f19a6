import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { MessageScanner, type MessageSummary } from '../../../mime/scanner.ts'
import { INLINE_BODY_BYTES, KEPT_HEADER_BYTES } from '../../limits.ts'
import { bodyCrc } from '../body-crc.ts'
import { hashId } from '../writer/bodies.ts'
import type { Row } from './check-database.ts'
import { READ_BYTES } from './limits.ts'

/** What the octets of a body say, to be held against its row. */
export interface ReadBody {
  /** Prefix and content. */
  readonly sizeBytes: number
  readonly crc: number
  /** What is kept apart as the header block. */
  readonly head: Uint8Array
  readonly summary: MessageSummary
  /** Of the Message-ID. */
  readonly idHash: number | null
}

/** Columns of `bodies` that the scan of the octets gives. */
export const SCANNED_COLUMNS = ['header_size', 'sent_day', 'envelope', 'structure', 'body', 'parts'] as const

export const SELECT_BODY = `SELECT b.id, b.size, b.crc, b.header_size, b.sent_day, b.file, b.prefix, b.envelope,
  b.structure, b.body, b.parts, b.head, t.bytes AS text FROM bodies b LEFT JOIN texts t ON t.body = b.id WHERE b.id = $id`

export const octets = (cell: Row[string] | undefined): Uint8Array =>
  cell instanceof Uint8Array ? cell : new Uint8Array(0)

/** Reads the octets of a body's row: prefix ‖ head ‖ text, or prefix ‖ file. Throws where the file cannot be read. */
export function readBody(row: Row, pathOf: (file: string) => string): ReadBody {
  const reading = new Reading()
  if (typeof row.file === 'string') readFile(pathOf(row.file), (chunk) => reading.push(chunk))
  else {
    reading.push(octets(row.head))
    reading.push(octets(row.text))
  }
  return reading.end(octets(row.prefix), typeof row.file === 'string')
}

function readFile(path: string, push: (chunk: Uint8Array) => void): void {
  const handle = openSync(path, 'r')
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(READ_BYTES)
      const count = readSync(handle, chunk, 0, READ_BYTES, null)
      if (count === 0) return
      push(chunk.subarray(0, count))
    }
  } finally {
    closeSync(handle)
  }
}

/** Does with octets what staging does with them as they come in. */
class Reading {
  readonly #scanner = new MessageScanner()
  /** As much of the beginning as a header block that never ends may take. */
  #first: Uint8Array[] = []
  #sizeBytes = 0
  #crc = 0

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#sizeBytes < INLINE_BODY_BYTES) this.#first.push(chunk)
    this.#sizeBytes += chunk.length
    this.#scanner.push(chunk)
    this.#crc = crc32(chunk, this.#crc)
  }

  end(prefix: Uint8Array, isFile: boolean): ReadBody {
    const header = this.#scanner.header ?? Buffer.concat(this.#first)
    const summary = this.#scanner.end(prefix)
    return {
      sizeBytes: prefix.length + this.#sizeBytes,
      crc: bodyCrc(this.#crc, prefix),
      head: isFile ? header.subarray(0, KEPT_HEADER_BYTES) : header,
      summary,
      idHash: summary.messageId === undefined ? null : hashId(summary.messageId),
    }
  }
}

/** The names of those scanned columns that are not what the octets say. */
export function wrongColumns(row: Row, { summary }: ReadBody): string[] {
  const wanted = scannedColumns(summary)
  return SCANNED_COLUMNS.filter((name) => {
    const [has, should] = [row[name], wanted[name]]
    return should instanceof Uint8Array ? Buffer.compare(octets(has), should) !== 0 : has !== should
  })
}

export function scannedColumns(
  summary: MessageSummary,
): Record<(typeof SCANNED_COLUMNS)[number], Row[string]> {
  return {
    header_size: summary.headerBytes,
    sent_day: summary.sentDay ?? null,
    envelope: summary.envelope,
    structure: summary.bodyStructure,
    body: summary.body,
    parts: summary.parts,
  }
}

/** Whether the kept header block is the content's beginning, as long as it must be. */
export function isHeadRight(row: Row, read: ReadBody): boolean {
  return Buffer.compare(octets(row.head), read.head) === 0
}
