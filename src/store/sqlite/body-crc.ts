import { crc32 } from 'node:zlib'

/**
 * What `bodies.crc` holds: CRC-32 of the content and then, behind it, of the trace fields that stand in front of it
 * (`prefix`): those are known only when the content has gone by. So every octet that a client is given as the message
 * is covered.
 */
export function bodyCrc(contentCrc: number, prefix: Uint8Array): number {
  return crc32(prefix, contentCrc)
}

/** The same of a body in pieces: its content in order. */
export function bodyCrcOf(prefix: Uint8Array, ...content: readonly Uint8Array[]): number {
  return bodyCrc(
    content.reduce((crc, piece) => crc32(piece, crc), 0),
    prefix,
  )
}
