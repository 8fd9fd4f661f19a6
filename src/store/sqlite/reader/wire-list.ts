const [LF, CR, QUOTE, OPEN, CLOSE, BACKSLASH, BRACE] = [0x0a, 0x0d, 0x22, 0x28, 0x29, 0x5c, 0x7b]
const [SPACE, DELETE] = [0x20, 0x7f]

/**
 * Whether the octets are one list as IMAP writes it (an ENVELOPE, a BODYSTRUCTURE). They go to the client as they are:
 * one flipped bit in a quote or a literal's length would make all that follows in the session something else.
 */
export function isWireList(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  if (start >= end || bytes[start] !== OPEN) return false
  let depth = 0
  for (let at = start; at < end; ) {
    const octet = bytes[at] as number
    if (octet === OPEN) depth++
    else if (octet === CLOSE && --depth === 0) return at === end - 1
    const next =
      octet === QUOTE ? quotedEnd(bytes, at, end) : octet === BRACE ? literalEnd(bytes, at, end) : at + 1
    if (next === undefined || octet < SPACE || octet >= DELETE) return false
    at = next
  }
  return false
}

/** The octet after a quoted string (rfc3501 §4.3). */
function quotedEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = start + 1; at < end; at++) {
    const octet = bytes[at] as number
    // Nearly all of them.
    if (octet > QUOTE && octet !== BACKSLASH) continue
    if (octet === QUOTE) return at + 1
    if (octet === BACKSLASH) at++
    else if (octet === CR || octet === LF || octet === 0) return undefined
  }
  return undefined
}

/** The octet after a literal; a length of more than ten digits is none. */
function literalEnd(bytes: Uint8Array, start: number, end: number): number | undefined {
  let length = 0
  for (let at = start + 1; at < Math.min(end, start + 12); at++) {
    const octet = bytes[at] as number
    if (octet === 0x7d) {
      const isLiteral = at > start + 1 && bytes[at + 1] === CR && bytes[at + 2] === LF
      return isLiteral && at + 3 + length < end ? at + 3 + length : undefined
    }
    if (octet < 0x30 || octet > 0x39) return undefined
    length = length * 10 + octet - 0x30
  }
  return undefined
}
