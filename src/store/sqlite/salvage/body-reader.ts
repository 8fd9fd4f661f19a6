import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { MessageScanner } from '../../../mime/scanner.ts'
import { KEPT_HEADER_BYTES } from '../../limits.ts'
import { bodyCrcOf } from '../body-crc.ts'
import { bodyPath, isBodyName } from '../body-files.ts'
import type { PageImage } from '../pages/image.ts'
import { readPayload } from '../pages/payload.ts'
import { parseRecord, type Value } from '../pages/record.ts'
import { cellIn } from '../pages/tree.ts'
import { hashId } from '../writer/bodies.ts'
import { type Catalog, type Place, RANK, type Rank } from './catalog.ts'

/** A message as far as it can be read. */
export type Found =
  | {
      readonly kind: 'inline'
      readonly octets: Uint8Array
      readonly header: Uint8Array
      /** Why it may not be what it was; undefined: its checksum proves it. */
      readonly doubt: string | undefined
    }
  /** prefix ‖ file: whether it is right shows when it is read. */
  | {
      readonly kind: 'file'
      readonly prefix: Uint8Array
      readonly path: string
      readonly crc: number
      readonly sizeBytes: number
      readonly header: Uint8Array
      readonly doubt: string | undefined
    }
  | { readonly kind: 'none'; readonly why: string }

/** What another row says of a body; it must fit. */
export interface Link {
  readonly sizeBytes: number
  /** Of its Message-ID; null where it has none, undefined where the row does not say. */
  readonly idHash?: number | null | undefined
}

interface BodyRow {
  readonly size: number
  readonly crc: number
  readonly file: string | null
  readonly prefix: Uint8Array
  readonly head: Uint8Array
  readonly isCut: boolean
}

export const DOUBTS = {
  crc: 'its checksum does not match',
  cut: 'a piece of it is missing',
  header: 'only its header is left',
  link: 'the rows that name it do not fit together',
  noRow: 'nothing says what it should be',
} as const

/** Reads messages out of a damaged database and its body files. */
export class BodyReader {
  readonly #image: PageImage
  readonly #catalog: Catalog
  readonly #bodies: string

  constructor(parts: { readonly image: PageImage; readonly catalog: Catalog; readonly bodies: string }) {
    this.#image = parts.image
    this.#catalog = parts.catalog
    this.#bodies = parts.bodies
  }

  /** Of several states of a body that were found the one that its checksum proves. */
  read(body: number, link?: Link): Found {
    let best: Found = { kind: 'none', why: 'its row in bodies is gone' }
    for (const row of this.#rows(body)) {
      const found = row.file === null ? this.#inline(body, row) : this.#inFile(row, row.file)
      const linked = link === undefined ? found : withLink(found, row, link)
      if (linked.kind !== 'none' && linked.doubt === undefined) return linked
      if (best.kind === 'none' && linked.kind !== 'none') best = linked
    }
    return best
  }

  /** A text whose body's row is gone. */
  readText(body: number): Found {
    for (const { bytes } of this.#texts(body))
      if (bytes.length > 0) return { kind: 'inline', octets: bytes, header: NOTHING, doubt: DOUBTS.noRow }
    return { kind: 'none', why: 'its text can’t be read' }
  }

  /** A file that no row names: there is no checksum to prove it by. */
  readFile(name: string): Found {
    const path = bodyPath(this.#bodies, name)
    const sizeBytes = sizeOf(path)
    if (sizeBytes === undefined) return { kind: 'none', why: `body file ${name} can’t be read` }
    const header = beginningOf(path)
    return { kind: 'file', prefix: NOTHING, path, crc: 0, sizeBytes, header, doubt: DOUBTS.noRow }
  }

  #inline(body: number, row: BodyRow): Found {
    const { prefix, head, size, crc } = row
    const header = Buffer.concat([prefix, head])
    let doubtful: Found = { kind: 'inline', octets: header, header, doubt: DOUBTS.header }
    if (row.isCut) return doubtful
    for (const text of this.#texts(body)) {
      const octets = Buffer.concat([header, text.bytes])
      const isRight = !text.isCut && octets.length === size && bodyCrcOf(prefix, head, text.bytes) === crc
      if (isRight) return { kind: 'inline', octets, header, doubt: undefined }
      doubtful = { kind: 'inline', octets, header, doubt: text.isCut ? DOUBTS.cut : DOUBTS.crc }
    }
    return doubtful
  }

  #inFile(row: BodyRow, file: string): Found {
    const { prefix, head, size, crc, isCut } = row
    const header = Buffer.concat([prefix, head])
    const path = bodyPath(this.#bodies, file)
    const there = isBodyName(file) ? sizeOf(path) : undefined
    if (there === undefined) return { kind: 'inline', octets: header, header, doubt: DOUBTS.header }
    const doubt = isCut || there !== size - prefix.length ? DOUBTS.cut : undefined
    return { kind: 'file', prefix, path, crc, sizeBytes: size, header, doubt }
  }

  *#rows(body: number): Generator<BodyRow, void> {
    for (const { values, isCut } of this.#records('bodies', body)) {
      const [, , size, crc, , , file, prefix, , , , , head] = values
      yield {
        size: size as number,
        crc: crc as number,
        file: file as string | null,
        prefix: prefix as Uint8Array,
        head: head as Uint8Array,
        isCut,
      }
    }
  }

  *#texts(body: number): Generator<{ readonly bytes: Uint8Array; readonly isCut: boolean }, void> {
    for (const { values, isCut } of this.#records('texts', body))
      yield { bytes: values[1] as Uint8Array, isCut }
  }

  *#records(
    table: 'bodies' | 'texts',
    id: number,
  ): Generator<{ readonly values: readonly Value[]; readonly isCut: boolean }, void> {
    for (const place of this.#catalog.places(table, id)) {
      const cell = cellIn(this.#pageOf(place), place.page, place.offset, this.#image.usable)
      if (cell === undefined) continue
      const { bytes, isCut } = readPayload(this.#image, cell)
      const values = parseRecord(bytes, isCut)
      if (values !== undefined) yield { values, isCut }
    }
  }

  #pageOf({ page, rank }: Place & { readonly rank: Rank }): Uint8Array | undefined {
    return rank === RANK.older ? this.#image.older(page) : this.#image.page(page)
  }
}

/** A row that names a body by a damaged number must not make another's mail its own. */
function withLink(found: Found, row: BodyRow, link: Link): Found {
  if (found.kind === 'none' || found.doubt !== undefined) return found
  const fits = link.sizeBytes === row.size && (link.idHash === undefined || hasId(row, link.idHash))
  return fits ? found : { ...found, doubt: DOUBTS.link }
}

function hasId({ file, head, prefix }: BodyRow, idHash: number | null): boolean {
  // Its Message-ID may stand behind what is kept of the header.
  if (file !== null && head.length >= KEPT_HEADER_BYTES) return true
  const scanner = new MessageScanner()
  scanner.push(head)
  const { messageId } = scanner.end(prefix)
  return (messageId === undefined ? null : hashId(messageId)) === idHash
}

function sizeOf(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : undefined
}

const NOTHING = new Uint8Array(0)

function beginningOf(path: string): Uint8Array {
  const bytes = Buffer.alloc(KEPT_HEADER_BYTES)
  try {
    const file = openSync(path, 'r')
    try {
      return bytes.subarray(0, readSync(file, bytes))
    } finally {
      closeSync(file)
    }
  } catch {
    // Only for the subject in the report: the file itself is read later, and told of there.
    return NOTHING
  }
}
