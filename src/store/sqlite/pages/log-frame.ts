import { isPageSize } from './file-header.ts'
import { viewOf } from './page.ts'

export const LOG_HEADER_BYTES = 32
export const FRAME_HEADER_BYTES = 24

/** Two sums of 32 bits; each frame's go on from those of the frame before. */
export type Sums = readonly [number, number]

export interface LogHeader {
  readonly pageBytes: number
  readonly isBigEndian: boolean
  /** The same in every frame that belongs to the log as it is now. */
  readonly salts: string
  readonly sums: Sums
  /** Its own checksum is right. */
  readonly isSure: boolean
}

/** The header of a write-ahead log. @returns undefined where it is none at all. */
export function parseLogHeader(bytes: Uint8Array): LogHeader | undefined {
  if (bytes.length < LOG_HEADER_BYTES) return undefined
  const view = viewOf(bytes)
  const magic = view.getUint32(0)
  const pageBytes = view.getUint32(8) === 1 ? 65536 : view.getUint32(8)
  if (magic >>> 1 !== 0x377f0682 >>> 1 || !isPageSize(pageBytes)) return undefined
  const isBigEndian = (magic & 1) === 1
  const sums: Sums = [view.getUint32(24), view.getUint32(28)]
  const isSure = equalSums(addSums([0, 0], bytes.subarray(0, 24), isBigEndian), sums)
  return { pageBytes, isBigEndian, salts: saltsAt(bytes, 16), sums, isSure }
}

export interface FrameHeader {
  readonly page: number
  /** Pages in the database after the commit that this frame ends; 0 where it ends none. */
  readonly commitPages: number
  readonly salts: string
  readonly sums: Sums
}

/** @param bytes at least `FRAME_HEADER_BYTES`. */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader {
  const view = viewOf(bytes)
  return {
    page: view.getUint32(0),
    commitPages: view.getUint32(4),
    salts: saltsAt(bytes, 8),
    sums: [view.getUint32(16), view.getUint32(20)],
  }
}

/** What a frame's sums must be, where those of the frame before are `seed`. */
export function frameSums(seed: Sums, frame: Uint8Array, isBigEndian: boolean): Sums {
  const head = addSums(seed, frame.subarray(0, 8), isBigEndian)
  return addSums(head, frame.subarray(FRAME_HEADER_BYTES), isBigEndian)
}

export function equalSums(a: Sums, b: Sums): boolean {
  return a[0] === b[0] && a[1] === b[1]
}

/** SQLite's checksum; octets are taken eight at a time. */
function addSums(seed: Sums, bytes: Uint8Array, isBigEndian: boolean): Sums {
  let [a, b] = seed
  const view = viewOf(bytes)
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + view.getUint32(at, !isBigEndian) + b) >>> 0
    b = (b + view.getUint32(at + 4, !isBigEndian) + a) >>> 0
  }
  return [a, b]
}

function saltsAt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + 8)).toString('hex')
}
