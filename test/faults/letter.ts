// Messages whose name says every octet of them: what comes back can be compared without anybody keeping a copy.

import { createHash } from 'node:crypto'

export const domain = 'example.test'
/** Where accounts live. */
export const addressOf = (account: string): string => `${account}@${domain}`

/** A name that was never used before, and the size of the message in octets, without what a server puts in front. */
export interface Letter {
  /** `TAG.SIZE` or `TAG.SIZE.ACCOUNT`, where an account wrote it. */
  readonly id: string
  readonly octets: Buffer
}

export function letterId(tag: string, sizeBytes: number, author?: string): string {
  return author === undefined ? `${tag}.${sizeBytes}` : `${tag}.${sizeBytes}.${author}`
}

/** The message of that name. Lines that start with a dot, empty lines and octets above 127 are in it. */
export function letterOf(id: string): Buffer {
  const [, size, author] = id.split('.')
  const from = author === undefined ? 'someone@remote.test' : addressOf(author)
  const head = `X-Letter: ${id}\r\nFrom: ${from}\r\nSubject: letter ${id}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${id}@letters.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`
  const tail = `\r\nend of ${id}\r\n`
  const room = Math.max(0, Number(size) - head.length - tail.length)
  const from32 = createHash('sha256').update(id).digest().readUInt32LE(0)
  const lines = text()
  const at = (from32 % (lines.length / LINE)) * LINE
  const pieces: Buffer[] = [Buffer.from(head)]
  for (let left = room, start = at; left > 0; start = 0) {
    const piece = Buffer.from(lines.subarray(start, start + left))
    // A cut between CR and LF would leave a bare CR.
    if (piece.at(-1) === 0x0d) piece[piece.length - 1] = 0x78
    pieces.push(piece)
    left -= piece.length
  }
  pieces.push(Buffer.from(tail))
  return Buffer.concat(pieces)
}

const LINE = 64
let made: Buffer | undefined

/** Lines of 64 octets, CRLF included. */
function text(): Buffer {
  if (made !== undefined) return made
  const lines: string[] = []
  for (let i = 0; i < 4096; i++) {
    const digest = createHash('sha256').update(`line ${i}`).digest('base64')
    const start = i % 7 === 0 ? '.' : i % 11 === 0 ? '..' : i % 13 === 0 ? '\u00fc' : 'x'
    lines.push(`${start}${digest}${digest}`.slice(0, LINE - 2).padEnd(LINE - 2, '='))
  }
  // One octet for each character, so that every line is as long.
  made = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1')
  return made
}

/** What was found in a mailbox or came over the wire. */
export type Found =
  | { readonly kind: 'letter'; readonly id: string }
  /** A report of ours about these recipients. */
  | { readonly kind: 'report'; readonly about: readonly string[] }
  | { readonly kind: 'broken'; readonly why: string }

/** Says which letter these octets are; a server's header fields may stand in front, nothing else may differ. */
export function readLetter(octets: Buffer): Found {
  const at = octets.indexOf('X-Letter: ')
  const headEnd = octets.indexOf('\r\n\r\n')
  if (at < 0 || at > headEnd) return readReport(octets)
  const id = octets.subarray(at + 10, octets.indexOf('\r\n', at)).toString('latin1')
  const front = octets.subarray(0, at).toString('latin1')
  if (front !== '' && !/^(?:[\x21-\x39\x3b-\x7e]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+$/.test(front))
    return { kind: 'broken', why: `${id}: other octets in front: ${JSON.stringify(front.slice(0, 200))}` }
  const wanted = letterOf(id)
  const got = octets.subarray(at)
  if (got.equals(wanted)) return { kind: 'letter', id }
  const first = wanted.findIndex((octet, index) => octet !== got[index])
  return {
    kind: 'broken',
    why: `${id}: ${got.length} octets instead of ${wanted.length}, different from octet ${first} on`,
  }
}

function readReport(octets: Buffer): Found {
  const about = [...octets.toString('latin1').matchAll(/^Final-Recipient: rfc822; ?(\S+)\r$/gm)]
  if (about.length === 0) return { kind: 'broken', why: `no letter: ${octets.subarray(0, 200).toString()}` }
  return { kind: 'report', about: about.map((match) => match[1] as string) }
}

/** As it goes after DATA: dots doubled, the final dot not included. */
export function stuffed(octets: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  if (octets[0] === 0x2e) pieces.push(Buffer.from('.'))
  for (let at = octets.indexOf('\r\n.'); at >= 0; at = octets.indexOf('\r\n.', at + 3)) {
    pieces.push(octets.subarray(from, at + 2), Buffer.from('.'))
    from = at + 2
  }
  pieces.push(octets.subarray(from))
  return Buffer.concat(pieces)
}
