import {
  equalSums,
  FRAME_HEADER_BYTES,
  frameSums,
  LOG_HEADER_BYTES,
  type LogHeader,
  parseFrameHeader,
  parseLogHeader,
  type Sums,
} from './log-frame.ts'

/** What a write-ahead log says of the database. */
export interface LogPages {
  /** Page to the place of its newest frame, counted from 0, as of the last commit. */
  readonly frames: ReadonlyMap<number, number>
  /** Pages whose newest frame is damaged, with the place of the frame before it; -1 where that is the database itself. */
  readonly damaged: ReadonlyMap<number, number>
  /** Damaged frames of which not even the page is known: any page may be older than it should. */
  readonly unknown: number
  /** Pages in the database after that commit; 0 where the log has none. */
  readonly commitPages: number
  /** Commits proved behind the first damaged frame, where SQLite stops reading. */
  readonly commitsBehind: number
}

export const NO_LOG: LogPages = {
  frames: new Map(),
  damaged: new Map(),
  unknown: 0,
  commitPages: 0,
  commitsBehind: 0,
}

interface Frame {
  readonly page: number
  readonly commitPages: number
  state: 'good' | 'bad' | 'foreign'
}

/**
 * Reads a log as SQLite does, but goes on behind damage: a frame's checksum goes on from that of the frame before, which
 * stands in it, so that what comes after a damaged frame can still be proved.
 * @param of the database: octets of a page, and how many pages its file has.
 */
export function readLog(log: LogBytes, of: { readonly pageBytes: number; readonly pages: number }): LogPages {
  const frameBytes = FRAME_HEADER_BYTES + of.pageBytes
  const frames: Frame[] = []
  const chain = new Chain(headerOf(log, of.pageBytes))
  for (let at = LOG_HEADER_BYTES; at + frameBytes <= log.size; at += frameBytes)
    chain.add(frames, log.read(at, frameBytes), frameBytes)
  // A page behind the file's end is in a frame, so there can't be more than these.
  return summarize(frames, of.pages + frames.length)
}

export interface LogBytes {
  /** Octets of the log. */
  readonly size: number
  /** Octets of it; fewer, or none, where they can't be read. */
  read(at: number, length: number): Uint8Array
}

/** A log whose header is damaged is known by its first frames. */
function headerOf({ read }: LogBytes, pageBytes: number): LogHeader {
  const header = parseLogHeader(read(0, LOG_HEADER_BYTES))
  if (header?.isSure === true && header.pageBytes === pageBytes) return header
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  const first = read(LOG_HEADER_BYTES, FRAME_HEADER_BYTES)
  const known = first.length < FRAME_HEADER_BYTES ? undefined : parseFrameHeader(first)
  const second = read(LOG_HEADER_BYTES + frameBytes, frameBytes)
  const isBigEndian =
    known !== undefined &&
    second.length === frameBytes &&
    equalSums(frameSums(known.sums, second, true), parseFrameHeader(second).sums)
  return { pageBytes, isBigEndian, salts: known?.salts ?? '', sums: header?.sums ?? [0, 0], isSure: false }
}

/** Proves frame after frame. Behind a damaged one there are two seeds: the sums it states, and those it should state. */
class Chain {
  readonly #header: LogHeader
  #seeds: readonly Sums[]

  constructor(header: LogHeader) {
    this.#header = header
    this.#seeds = [header.sums]
  }

  add(frames: Frame[], bytes: Uint8Array, frameBytes: number): void {
    if (bytes.length < frameBytes) {
      // A sector that can't be read: nothing is known of the frame, nor of what the next one goes on from.
      frames.push({ page: 0, commitPages: 0, state: 'foreign' })
      this.#seeds = []
      return
    }
    const { page, commitPages, salts, sums } = parseFrameHeader(bytes)
    const made = this.#seeds.map((seed) => frameSums(seed, bytes, this.#header.isBigEndian))
    const fits = made.findIndex((one) => equalSums(one, sums))
    if (fits >= 0 && salts === this.#header.salts) {
      // The seed that fits was computed from the frame before: it was whole but for the sums stated in it.
      const before = frames.at(-1)
      if (fits > 0 && before?.state === 'bad') before.state = 'good'
      frames.push({ page, commitPages, state: 'good' })
      this.#seeds = [sums]
      return
    }
    frames.push({ page, commitPages, state: salts === this.#header.salts ? 'bad' : 'foreign' })
    this.#seeds = [sums, ...made.slice(0, 1)]
  }
}

/**
 * Frames of an older log stand behind those of the newest: what has other salts counts only among its frames. A commit
 * whose frame is damaged is one all the same: it may have been acknowledged.
 */
function summarize(all: readonly Frame[], mostPages: number): LogPages {
  const last = all.findLastIndex((frame) => frame.state !== 'foreign' && frame.commitPages > 0)
  const frames = new Map<number, number>()
  const damaged = new Map<number, number>()
  const proved = all.slice(0, last + 1).filter(({ state }) => state === 'good')
  let unknown = 0
  for (const [index, { page, state }] of all.slice(0, last + 1).entries()) {
    if (state === 'good') {
      frames.set(page, index)
      damaged.delete(page)
    } else if (state === 'bad' && page > 0 && page <= mostPages) {
      if (!damaged.has(page)) damaged.set(page, frames.get(page) ?? -1)
      frames.set(page, index)
    } else unknown++
  }
  const commitPages = proved.findLast((frame) => frame.commitPages > 0)?.commitPages ?? 0
  const first = all.findIndex(({ state }) => state !== 'good')
  const behind = first < 0 ? [] : all.slice(first)
  const commitsBehind = behind.filter((frame) => frame.state === 'good' && frame.commitPages > 0).length
  return { frames, damaged, unknown, commitPages, commitsBehind }
}
