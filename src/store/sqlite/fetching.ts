import { assert } from '../../mail/assert.ts'
import type { MessageId } from '../../mail/ids.ts'
import type { FetchPace, FetchRow, FetchWanted, SectionBytes, SectionWanted } from '../../ports/mailboxes.ts'
import { FETCH_BYTES, FETCH_ROWS } from '../limits.ts'
import type { View } from '../views/view.ts'
import type { DamageNews } from './damage-news.ts'
import type { FileProofs } from './file-proof.ts'
import type { FetchedRows } from './questions.ts'
import { type ReaderClient, ReadFault } from './reader-client.ts'
import { streamRange } from './streams.ts'

/** Rows of a first batch: its answer is soon there, and the next one is read meanwhile. */
const FIRST_ROWS = 64

interface Batch {
  readonly seqs: readonly number[]
  readonly uids: readonly number[]
  readonly rows: Promise<FetchedRows>
}

/** What a FETCH reads from. */
export interface FetchSource {
  readonly reader: ReaderClient
  readonly bodies: string
  readonly proofs: FileProofs
  readonly news: DamageNews
  readonly pace?: FetchPace | undefined
}

/**
 * FETCH in bounded batches, one of them read ahead. Messages are asked for by id, which the view gives: their
 * rows never change, and stay while the view shows them.
 */
export async function* fetchView(
  source: FetchSource,
  view: View,
  seqs: readonly number[],
  wanted: FetchWanted,
): AsyncGenerator<readonly FetchRow[], void> {
  if (!wantsRows(wanted)) {
    for (let at = 0; at < seqs.length; at += FETCH_ROWS)
      yield seqs.slice(at, at + FETCH_ROWS).map((seq) => ({ seq, uid: view.uid(seq) }))
    return
  }
  const { reader, pace } = source
  const ask = (at: number, count: number, maxBytes: number): Batch => {
    const some = seqs.slice(at, at + count)
    const messages = some.map((seq) => view.message(seq))
    const rows = reader.ask({ ask: 'fetch', messages, wanted, maxBytes })
    // A batch that nobody takes any more (the client went away) must not count as an unhandled rejection.
    rows.catch(() => undefined)
    return { seqs: some, uids: some.map((seq) => view.uid(seq)), rows }
  }
  let at = 0
  const batchBytes = (): number => Math.min(pace?.batchBytes() ?? FETCH_BYTES, FETCH_BYTES)
  let next: Batch | undefined = seqs.length > 0 ? ask(0, FIRST_ROWS, batchBytes()) : undefined
  while (next !== undefined) {
    const batch: Batch = next
    const rows = await batch.rows
    at += rows.done
    const maxBytes = batchBytes()
    const isAhead = maxBytes === FETCH_BYTES
    const more = (): Batch | undefined => (at < seqs.length ? ask(at, FETCH_ROWS, maxBytes) : undefined)
    next = isAhead ? more() : undefined
    const damaged = await damageOf(source, rows)
    const cursor = new Cursor(source, rows, (message, section) => readSection(reader, message, section))
    const decoded = decodeRows(cursor, batch, wanted, damaged)
    // A mailbox that was deleted meanwhile takes its messages along; from any other none can be missing.
    const answer = view.shared.gone === undefined ? withMissing(decoded, batch, rows.done) : decoded
    for (const { uid, damaged: cause } of answer)
      if (cause !== undefined)
        source.news.report({ owner: view.shared.owner, mailbox: view.shared.name, uid, cause })
    yield answer
    if (!isAhead) next = more()
  }
}

/** Why messages of a batch can't be given, by their places: what the reader found, and what their files are like. */
async function damageOf(
  { proofs }: FetchSource,
  { damaged, files }: FetchedRows,
): Promise<ReadonlyMap<number, string>> {
  const all = new Map(damaged)
  for (const needed of files) {
    const why = await proofs.prove(needed)
    if (why !== undefined) all.set(needed.index, why)
  }
  return all
}

function withMissing(rows: readonly FetchRow[], batch: Batch, done: number): readonly FetchRow[] {
  if (rows.length === done) return rows
  const found = new Map(rows.map((row) => [row.seq, row]))
  return batch.seqs.slice(0, done).map((seq, index) => {
    const uid = batch.uids[index] as number
    return found.get(seq) ?? { seq, uid, damaged: 'its row is gone' }
  })
}

function wantsRows(wanted: FetchWanted): boolean {
  const { envelope, bodyStructure, body, internalDate, size, emailId, sections } = wanted
  const any = envelope || bodyStructure || body || internalDate || size || emailId
  return any === true || (sections !== undefined && sections.length > 0)
}

/** Reads `FetchedRows`; of a damaged message only that it is. Messages that are missing are left out. */
function decodeRows(
  cursor: Cursor,
  batch: Batch,
  wanted: FetchWanted,
  damaged: ReadonlyMap<number, string>,
): FetchRow[] {
  const rows: (FetchRow & { readonly index: number })[] = []
  const named = (index: number): Pick<FetchRow, 'seq' | 'uid'> => {
    const seq = batch.seqs[index]
    const uid = batch.uids[index]
    assert(seq !== undefined && uid !== undefined, 'the reader answers what it was asked')
    return { seq, uid }
  }
  while (!cursor.atEnd) {
    const index = cursor.number()
    const row = decodeRow(cursor, wanted)
    if (!damaged.has(index)) rows.push({ index, ...named(index), ...row })
  }
  if (damaged.size === 0) return rows
  for (const [index, why] of damaged) rows.push({ index, ...named(index), damaged: why })
  return rows.sort((a, b) => a.index - b.index)
}

function decodeRow(cursor: Cursor, wanted: FetchWanted): Omit<FetchRow, 'seq' | 'uid'> {
  const row: { -readonly [Name in keyof FetchRow]?: FetchRow[Name] } = {}
  const message = cursor.number()
  if (wanted.envelope) row.envelope = cursor.octets()
  if (wanted.bodyStructure) row.bodyStructure = cursor.octets()
  if (wanted.body) row.body = cursor.octets()
  if (wanted.internalDate) {
    row.internalDateMs = cursor.number()
    row.internalDateZoneMinutes = cursor.number()
  }
  if (wanted.size) row.sizeBytes = cursor.number()
  if (wanted.emailId) {
    row.emailId = `M${message.toString(36)}`
    row.threadId = `T${cursor.number().toString(36)}`
  }
  if (wanted.sections !== undefined)
    row.sections = wanted.sections.map((section) => cursor.section(message, section))
  return row
}

/** One section by itself. A message that is gone meanwhile ends the stream early, which its session treats as a fault. */
async function readSection(
  reader: ReaderClient,
  message: number,
  section: SectionWanted,
): Promise<Uint8Array> {
  const rows = await reader.ask({
    ask: 'fetch',
    messages: [message as MessageId],
    wanted: { sections: [section] },
    maxBytes: FETCH_BYTES,
  })
  const [[, why] = []] = rows.damaged
  if (why !== undefined) throw new ReadFault(why)
  return rows.bytes
}

type ReadSection = (message: number, section: SectionWanted) => Promise<Uint8Array>

class Cursor {
  readonly #source: FetchSource
  readonly #fetched: FetchedRows
  #number = 0
  #byte = 0
  #stream = 0

  readonly #read: ReadSection

  constructor(source: FetchSource, fetched: FetchedRows, read: ReadSection) {
    this.#source = source
    this.#fetched = fetched
    this.#read = read
  }

  get atEnd(): boolean {
    return this.#number >= this.#fetched.numbers.length
  }

  number(): number {
    return this.#fetched.numbers[this.#number++] as number
  }

  octets(): Uint8Array {
    const length = this.number()
    this.#byte += length
    return this.#fetched.bytes.subarray(this.#byte - length, this.#byte)
  }

  section(message: number, wanted: SectionWanted): SectionBytes {
    const length = this.#fetched.numbers[this.#number] as number
    if (length >= 0) return this.octets()
    this.#number++
    if (length === -1) return null
    if (length === -3) return this.#later(message, wanted)
    const range = this.#fetched.streams[this.#stream++]
    assert(range !== undefined, 'a stream for each number that names one')
    const sizeBytes = range.before.length + range.length
    const { bodies, proofs } = this.#source
    return { sizeBytes, stream: () => streamRange(bodies, range, () => proofs.forget(range.file)) }
  }

  #later(message: number, wanted: SectionWanted): SectionBytes {
    const sizeBytes = this.number()
    const read = this.#read
    return {
      sizeBytes,
      async *stream() {
        yield await read(message, wanted)
      },
    }
  }
}
