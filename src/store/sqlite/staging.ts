import { crc32 } from 'node:zlib'
import { assert } from '../../mail/assert.ts'
import { MessageScanner, type MessageSummary } from '../../mime/scanner.ts'
import type { BodyWriter, StagedBody, Stored, StoreFailure } from '../../ports/store.ts'
import { INLINE_BODY_BYTES, KEPT_HEADER_BYTES } from '../limits.ts'
import { bodyCrc } from './body-crc.ts'
import { type BodyFolder, FileSink } from './file-sink.ts'
import type { BodyRow } from './operations.ts'
import { streamRange } from './streams.ts'

type Chunks = readonly Uint8Array[]

/** What a staged body keeps until it is stored. */
interface Content {
  readonly scanner: MessageScanner
  readonly sizeBytes: number
  /** Of these octets alone; see body-crc.ts. */
  readonly crc: number
  /** The first octets: the header block, as far as it is kept apart. */
  readonly head: Uint8Array
  /** The octets after `head`; undefined where the content is a file. */
  readonly text: Chunks | undefined
  readonly sink: FileSink | undefined
}

/** The handle behind `StagedBody`. */
class StagedContent {
  readonly #content: Content
  #summary: MessageSummary | undefined
  #state: 'staged' | 'stored' | 'discarded' = 'staged'
  #isUncertain = false

  constructor(content: Content) {
    this.#content = content
  }

  /**
   * The body's row and its blobs with this prefix in front.
   * @param blob index of the first of the blobs in the operation.
   */
  row(prefix: Uint8Array, blob: number): { readonly row: BodyRow; readonly blobs: readonly Chunks[] } {
    assert(this.#state === 'staged', 'a staged body is stored once')
    const { crc, head, text, sink, scanner } = this.#content
    this.#summary ??= scanner.end(prefix)
    const summary = this.#summary
    assert(summary.sizeBytes === prefix.length + this.#content.sizeBytes, 'one prefix for one body')
    const row: BodyRow = {
      size: summary.sizeBytes,
      headerSize: summary.headerBytes,
      crc: bodyCrc(crc, prefix),
      file: sink?.name ?? null,
      sentDay: summary.sentDay ?? null,
      messageId: summary.messageId ?? null,
      references: [...summary.references, ...summary.inReplyTo],
      blob,
    }
    const columns = [prefix, summary.envelope, summary.bodyStructure, summary.body, summary.parts, head]
    const blobs: Chunks[] = columns.map((column) => [column])
    if (text !== undefined) blobs.push(text)
    return { row, blobs }
  }

  /** The octets from the beginning. A file that can't be read throws: what it holds is not known then. */
  async *pieces(): AsyncGenerator<Uint8Array, void> {
    assert(this.#state === 'staged', 'a staged body is read before it is stored')
    const { sink, head, text, sizeBytes: length } = this.#content
    if (sink === undefined) {
      yield head
      yield* text ?? []
    } else yield* streamRange(sink.folder, { before: new Uint8Array(0), file: sink.name, offset: 0, length })
  }

  /** A commit names it now: its file belongs to the store. */
  stored(): void {
    this.#state = 'stored'
  }

  /**
   * The commit failed in a way (a dead thread, a failed fsync) that does not tell whether it will be there after a
   * restart: the file must stay until the next start knows.
   */
  uncertain(): void {
    this.#isUncertain = true
  }

  discard(): void {
    if (this.#state !== 'staged') return
    this.#state = 'discarded'
    if (!this.#isUncertain) void this.#content.sink?.drop()
  }
}

/** What the store says to who takes content in. */
export interface StagingStore {
  isClosed(): boolean
  /** A promise where the disk lags and content had better wait at its sender. */
  patience(): Promise<void> | undefined
}

/** Takes a message's content as it streams: scans it, keeps it in memory or, once it is large, writes it to a file. */
export class StagingWriter implements BodyWriter {
  readonly #folder: BodyFolder
  readonly #maxBytes: number
  readonly #store: StagingStore
  readonly #scanner = new MessageScanner()
  #chunks: Uint8Array[] = []
  #sink: FileSink | undefined
  /** First octets of a large body, in case its header never ends. */
  #first: Uint8Array | undefined
  #sizeBytes = 0
  #crc = 0
  #ended = false

  constructor(folder: BodyFolder, maxBytes: number, store: StagingStore) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#store = store
  }

  get heldBytes(): number {
    const content = this.#sink === undefined ? this.#sizeBytes : KEPT_HEADER_BYTES + this.#sink.backlogBytes
    return this.#ended ? 0 : content + this.#scanner.heldBytes
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#ended || chunk.length === 0) return
    this.#sizeBytes += chunk.length
    if (this.#sizeBytes > this.#maxBytes) {
      this.#drop()
      return
    }
    this.#scanner.push(chunk)
    this.#crc = crc32(chunk, this.#crc)
    if (this.#sink !== undefined) return this.#sink.write(chunk)
    this.#chunks.push(chunk)
    return this.#sizeBytes > INLINE_BODY_BYTES ? this.#moveToFile() : this.#store.patience()
  }

  async finish(): Promise<Stored<StagedBody>> {
    assert(!this.#ended, 'a body is finished once')
    this.#ended = true
    if (this.#sizeBytes > this.#maxBytes) return failed('too-big', `more than ${this.#maxBytes} octets`)
    if (this.#store.isClosed()) {
      this.#drop()
      return failed('closed', 'the store is closed')
    }
    const failure = await this.#sink?.finish()
    if (failure !== undefined) return { ok: false, failure }
    return { ok: true, value: this.#staged() }
  }

  abort(): void {
    if (this.#ended) return
    this.#ended = true
    this.#drop()
  }

  #staged(): StagedBody {
    const header = this.#scanner.header ?? this.#first ?? Buffer.concat(this.#chunks)
    const inline = this.#sink === undefined
    const head = inline ? header : header.subarray(0, KEPT_HEADER_BYTES)
    const handle = new StagedContent({
      scanner: this.#scanner,
      sizeBytes: this.#sizeBytes,
      crc: this.#crc,
      head,
      text: inline ? skipOctets(this.#chunks, head.length) : undefined,
      sink: this.#sink,
    })
    return {
      sizeBytes: this.#sizeBytes,
      header,
      handle,
      pieces: () => handle.pieces(),
      discard: () => handle.discard(),
    }
  }

  #moveToFile(): Promise<void> | undefined {
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#first = Buffer.from(whole.subarray(0, KEPT_HEADER_BYTES))
    this.#sink = new FileSink(this.#folder)
    return this.#sink.write(whole)
  }

  #drop(): void {
    this.#chunks = []
    const sink = this.#sink
    this.#sink = undefined
    void sink?.drop()
  }
}

function failed(kind: StoreFailure['kind'], cause: string): Stored<never> {
  return { ok: false, failure: { kind, cause } }
}

function skipOctets(chunks: Chunks, count: number): Chunks {
  let left = count
  const rest: Uint8Array[] = []
  for (const chunk of chunks) {
    if (left >= chunk.length) left -= chunk.length
    else {
      rest.push(left === 0 ? chunk : chunk.subarray(left))
      left = 0
    }
  }
  return rest
}

/** The handle of a body that this store made. */
export function contentOf(body: StagedBody): StagedContent {
  assert(body.handle instanceof StagedContent, 'a staged body belongs to the store that made it')
  return body.handle
}
