import type { Cell } from './page.ts'
import { viewOf } from './page.ts'

/** Where pages come from: a file with its log, or a test's own. */
export interface Pages {
  readonly pages: number
  readonly usable: number
  page(number: number): Uint8Array | undefined
}

/** Of a row: more than any body, header and part tree of ours take together. A damaged length must not take all memory. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024

export interface Payload {
  readonly bytes: Uint8Array
  /** A page of the chain is missing: `bytes` ends there. */
  readonly isCut: boolean
  /** The overflow pages, in order. */
  readonly overflow: readonly number[]
}

/**
 * A cell's payload with all that stands in overflow pages. The chain is as long as the payload's length says, so that
 * one that leads in a circle ends too.
 */
export function readPayload(source: Pages, cell: Cell): Payload {
  const { local, payloadBytes } = cell
  if (cell.overflow === 0 || payloadBytes > MAX_PAYLOAD_BYTES)
    return { bytes: local, isCut: local.length < payloadBytes, overflow: [] }
  const pieces: Uint8Array[] = [local]
  const overflow: number[] = []
  let left = payloadBytes - local.length
  for (let next = cell.overflow; left > 0; ) {
    const page = next === 0 ? undefined : source.page(next)
    if (page === undefined) return { bytes: Buffer.concat(pieces), isCut: true, overflow }
    const piece = page.subarray(4, Math.min(source.usable, 4 + left))
    pieces.push(piece)
    overflow.push(next)
    left -= piece.length
    next = viewOf(page).getUint32(0)
  }
  return { bytes: Buffer.concat(pieces), isCut: false, overflow }
}
