/** What a message's octets need of the host that takes it, whatever its submitter declared. */
export interface ContentNeeds {
  /** An octet above 127 anywhere (rfc6152 §3). */
  readonly eightBit: boolean
  /** An octet above 127 in the header (rfc6531 §3.2). */
  readonly utf8Header: boolean
}

const END_OF_HEADER = '\r\n\r\n'

/**
 * Reads the message through. Asked only of a host that lacks an extension: clients say BODY=8BITMIME and
 * SMTPUTF8 of plain ASCII too, and that is no reason to send such a message back.
 */
export async function contentNeeds(body: AsyncIterable<Uint8Array>): Promise<ContentNeeds> {
  let inHeader = true
  let eightBit = false
  // The end of the header may be cut between two pieces.
  let tail = ''
  for await (const piece of body) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1')
    if (!inHeader) {
      if (hasEightBit(text)) return { eightBit: true, utf8Header: false }
      continue
    }
    const seen = tail + text
    const end = seen.indexOf(END_OF_HEADER)
    if (hasEightBit(end < 0 ? seen : seen.slice(0, end))) return { eightBit: true, utf8Header: true }
    if (end < 0) {
      tail = seen.slice(-(END_OF_HEADER.length - 1))
      continue
    }
    inHeader = false
    eightBit = hasEightBit(seen.slice(end))
    if (eightBit) return { eightBit, utf8Header: false }
  }
  return { eightBit, utf8Header: false }
}

function hasEightBit(text: string): boolean {
  return /[\u0080-\u00ff]/.test(text)
}
