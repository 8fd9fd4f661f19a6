import { FILE_HEADER_BYTES, viewOf } from './page.ts'

/** The first octets of a database file, as far as they matter for reading it. */
export interface FileHeader {
  readonly pageBytes: number
  /** Octets at the end of each page that SQLite leaves alone. */
  readonly reservedBytes: number
  /** Pages in the database; 0 where the file does not say. */
  readonly pages: number
  /** The first page of the list of free pages, and how many there are in all. */
  readonly freeTrunk: number
  readonly freePages: number
  /** There are pages that map others to their parents (auto_vacuum). */
  readonly hasMaps: boolean
}

const MAGIC = 'SQLite format 3\0'

/** @returns undefined where it is no header of a database. */
export function parseFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC) return undefined
  const view = viewOf(bytes)
  const pageBytes = view.getUint16(16) === 1 ? 65536 : view.getUint16(16)
  const reservedBytes = bytes[20] as number
  if (!isPageSize(pageBytes) || pageBytes - reservedBytes < 480) return undefined
  // Written by a program that keeps the number of pages only where these two agree.
  const pages = view.getUint32(24) === view.getUint32(92) ? view.getUint32(28) : 0
  return {
    pageBytes,
    reservedBytes,
    pages,
    freeTrunk: view.getUint32(32),
    freePages: view.getUint32(36),
    hasMaps: view.getUint32(52) !== 0,
  }
}

export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) === 0
}

/** The page that no database uses: the system's locks stand for its octets. */
const LOCK_BYTE = 0x40000000

/** Whether a page holds only where others belong, in a database that can shrink: at fixed places, five octets a page. */
export function isMapPage(number: number, pageBytes: number): boolean {
  const mapped = Math.floor(pageBytes / 5) + 1
  const map = Math.floor((number - 2) / mapped) * mapped + 2
  const lock = Math.floor(LOCK_BYTE / pageBytes) + 1
  return number >= 2 && number === (map === lock ? map + 1 : map)
}
