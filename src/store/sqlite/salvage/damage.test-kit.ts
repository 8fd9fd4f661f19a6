import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../random.test-kit.ts'
import type { Truth } from './truth.test-kit.ts'

const PAGE = 4096
const FRAME = 24 + PAGE
const LOG_HEADER = 32

/** What a piece of damage can reach: pages of the database as it was last, and body files. */
export interface Touched {
  readonly pages: Set<number>
  readonly files: Set<string>
  /** Damaged frames of the log. */
  readonly frames: Set<number>
  readonly what: string[]
}

/** Does one to five kinds of damage to a copy of the folder. */
export function damageFolder(folder: string, truth: Truth, random: Random): Touched {
  const touched: Touched = { pages: new Set(), files: new Set(), frames: new Set(), what: [] }
  const kinds = [inDatabase, inDatabase, inLog, inLog, inFiles, cutDatabase, cutLog, headers]
  for (let left = 1 + random.below(5); left > 0; left--) random.pick(kinds)(folder, truth, random, touched)
  touchUnfinished(truth, touched)
  return touched
}

/** Among the frames: the header of the log. */
const HEADER = -1

/** What stands behind the last commit whose frame still says so was never finished, as far as anybody can see. */
function touchUnfinished(truth: Truth, touched: Touched): void {
  // A log without its header is known by its first frame.
  if (touched.frames.has(HEADER) && touched.frames.has(0))
    touchFrames(truth, touched, 0, Number.MAX_SAFE_INTEGER)
  let end = Math.max(-1, ...truth.frames.values()) + 1
  while (end > 0 && touched.frames.has(end - 1)) end = lastCommit(truth.log, end - 1)
  touchFrames(truth, touched, end, Number.MAX_SAFE_INTEGER)
}

type Damage = (folder: string, truth: Truth, random: Random, touched: Touched) => void

const inDatabase: Damage = (folder, truth, random, touched) => {
  const path = join(folder, 'hikyaku.db')
  const pages = Math.floor(statSync(path).size / PAGE)
  if (pages === 0) return
  const first = random.below(pages)
  const count = Math.min(1 + random.below(random.chance(0.3) ? 8 : 2), pages - first)
  const bytes = readFileSync(path)
  const what = spoil(bytes, first * PAGE, count * PAGE, random)
  writeFileSync(path, bytes)
  touched.what.push(`db pages ${first + 1}+${count} ${what}`)
  // The log's state of a page counts, where it has one.
  for (let page = first + 1; page <= first + count; page++)
    if (!truth.frames.has(page)) touched.pages.add(page)
}

const inLog: Damage = (folder, truth, random, touched) => {
  const path = join(folder, 'hikyaku.db-wal')
  const bytes = readFileSync(path)
  const frames = Math.floor((bytes.length - LOG_HEADER) / FRAME)
  if (frames <= 0) return
  const first = random.below(frames)
  const count = Math.min(1 + random.below(random.chance(0.3) ? 6 : 2), frames - first)
  const what = spoil(bytes, LOG_HEADER + first * FRAME, count * FRAME, random)
  writeFileSync(path, bytes)
  touched.what.push(`log frames ${first}+${count} ${what}`)
  touchFrames(truth, touched, first, first + count)
  for (let frame = first; frame < first + count; frame++) touched.frames.add(frame)
}

const cutDatabase: Damage = (folder, truth, random, touched) => {
  if (random.chance(0.5)) return
  const path = join(folder, 'hikyaku.db')
  const pages = random.below(Math.floor(statSync(path).size / PAGE) + 1)
  truncateSync(path, Math.min(statSync(path).size, pages * PAGE + random.below(PAGE)))
  touched.what.push(`db cut to ${pages} pages`)
  for (let page = pages + 1; page <= truth.pages; page++) if (!truth.frames.has(page)) touched.pages.add(page)
}

const cutLog: Damage = (folder, truth, random, touched) => {
  if (random.chance(0.5)) return
  const path = join(folder, 'hikyaku.db-wal')
  const bytes = readFileSync(path)
  const keep = random.chance(0.1) ? 0 : random.below(bytes.length + 1)
  truncateSync(path, keep)
  const frames = Math.max(0, Math.floor((keep - LOG_HEADER) / FRAME))
  touched.what.push(`log cut to ${keep} octets, ${frames} frames`)
  for (let frame = frames; frame < truth.log.length / FRAME; frame++) touched.frames.add(frame)
}

/** Header of the file (page 1 holds the schema as well) and of the log: they name no message. */
const headers: Damage = (folder, truth, random, touched) => {
  const isLog = random.chance(0.5)
  const path = join(folder, isLog ? 'hikyaku.db-wal' : 'hikyaku.db')
  const bytes = readFileSync(path)
  const size = isLog ? LOG_HEADER : PAGE
  if (bytes.length < size) return
  const what = spoil(bytes, 0, random.chance(0.5) ? size : Math.min(100, size), random)
  writeFileSync(path, bytes)
  touched.what.push(`${isLog ? 'log' : 'db'} header ${what}`)
  if (!isLog) {
    if (!truth.frames.has(1)) touched.pages.add(1)
  } else touched.frames.add(HEADER)
}

const inFiles: Damage = (folder, truth, random, touched) => {
  if (truth.files.length === 0) return
  const name = random.pick(truth.files)
  const path = join(folder, 'bodies', name)
  touched.files.add(name)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0 || random.chance(0.3)) rmSync(path, { force: true })
  else if (random.chance(0.4)) truncateSync(path, random.below(size))
  else {
    const bytes = readFileSync(path)
    spoil(bytes, 0, bytes.length, random)
    writeFileSync(path, bytes)
  }
  touched.what.push(`file ${name}`)
}

function touchFrames(truth: Truth, touched: Touched, from: number, to: number): void {
  for (const [page, frame] of truth.frames) if (frame >= from && frame < to) touched.pages.add(page)
}

/** The first frame of the transaction that has this one. */
function lastCommit(log: Buffer, before: number): number {
  for (let frame = Math.min(before, Math.floor((log.length - LOG_HEADER) / FRAME)) - 1; frame >= 0; frame--)
    if (log.readUInt32BE(LOG_HEADER + frame * FRAME + 4) > 0) return frame + 1
  return 0
}

/** Octets become others: by chance, zeros, some bits, or those of another place. */
function spoil(bytes: Buffer, at: number, length: number, random: Random): string {
  const part = bytes.subarray(at, at + length)
  switch (random.below(4)) {
    case 0:
      random.bytes(length).copy(part)
      return 'garbage'
    case 1:
      part.fill(0)
      return 'zeros'
    case 2: {
      const from = random.below(Math.max(1, Math.floor((bytes.length - length) / PAGE))) * PAGE
      Buffer.from(bytes.subarray(from, from + length)).copy(part)
      return `copied from ${from}`
    }
    default: {
      const flips = 1 + random.below(12)
      for (let i = 0; i < flips; i++) {
        const place = random.below(length)
        part[place] = (part[place] as number) ^ (1 << random.below(8))
      }
      return `${flips} bits`
    }
  }
}

/** A folder of its own, to be damaged. */
export function copyFolder(from: string, into: string, files: readonly string[]): void {
  for (const name of ['hikyaku.db', 'hikyaku.db-wal', ...files.map((file) => join('bodies', file))])
    copyFileSync(join(from, name), join(into, name))
}
