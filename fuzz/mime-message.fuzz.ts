import assert from 'node:assert/strict'
import { decodeParts, type Part } from '../src/mime/parts.ts'
import { MessageScanner, type MessageSummary } from '../src/mime/scanner.ts'
import { heldTexts, SearchedHeader } from '../src/mime/search.ts'
import { readableText } from '../src/mime/text.ts'

/** Whole messages: however they are cut the summary is the same, its ranges nest, its wire text is IMAP. */
export const name = 'mime-message'

export const corpus: readonly string[] = [
  'From: a@b\r\nTo: G: c@d, "e" <f@g>;\r\nSubject: =?utf-8?q?x?=\r\nDate: Tue, 1 Jul 2003 10:52:37 +0200\r\n\r\nbody\r\n',
  'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=ab\r\n\r\n--ab\r\n\r\nx\r\n--ab--\r\n--a--\r\n',
  'Content-Type: multipart/digest; boundary=-\n\n---\n\nSubject: x\n\ny\n---\nContent-Type: message/rfc822\n\n-----\n',
  "From x\nContent-Type: message/rfc822; name=\"\u00e9\nContent-Transfer-Encoding: base64\nContent-Disposition: a; b*0*=utf-8''%41; b*1=c\n\nQQ==",
  'Content-Type: text/html; charset=iso-2022-jp\nContent-Language: a, b\nContent-Transfer-Encoding: quoted-printable\n\n<p>=1B$B2q5D=1B(B&amp;=\n<script>',
  '\u001b$B\0"\\\r\n\r--\n: \n',
]

export function fuzz(input: Uint8Array): void {
  const whole = scan(input, input.length)
  assert.deepEqual(scan(input, 1 + (input.length % 7)), whole)
  assert.equal(whole.sizeBytes, input.length)
  for (const wire of [whole.envelope, whole.bodyStructure, whole.body])
    checkList(Buffer.from(wire).toString('latin1'))
  const root = decodeParts(whole.parts)
  assert.deepEqual([root.headerStart, root.bodyStart, root.bodyEnd], [0, whole.headerBytes, input.length])
  checkRanges(root)
  const read = (start: number, end: number): Uint8Array => input.subarray(start, end)
  readableText(root, read)
  const header = new SearchedHeader(read(root.headerStart, root.bodyStart))
  header.holds('subject', 'nothing like it')
  const wanted = ['nothing like it', 'nothing like it, and longer than the engine is asked for'].map(
    (text) => ({ kind: 'text', text }) as const,
  )
  heldTexts({ root, header, read }, wanted)
}

function scan(input: Uint8Array, sizeBytes: number): MessageSummary {
  const scanner = new MessageScanner()
  for (let at = 0; at < input.length; at += Math.max(1, sizeBytes))
    scanner.push(input.subarray(at, at + sizeBytes))
  return scanner.end(new Uint8Array())
}

function checkRanges(part: Part): void {
  assert.ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.bodyEnd && part.lines >= 0)
  const within = part.message === undefined ? part.children : [part.message]
  let from = part.bodyStart
  for (const child of within) {
    assert.ok(child.headerStart >= from && child.bodyEnd <= part.bodyEnd, 'parts overlap')
    from = child.bodyEnd
    checkRanges(child)
  }
}

const TOKEN = /\(|\)|NIL|\d+|"(?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*"|\{(\d+)\}\r\n/y

/** One parenthesised list of strings, literals, numbers and NIL (rfc3501 §9), nothing behind it. */
function checkList(wire: string): void {
  let depth = 0
  let at = 0
  while (at < wire.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(wire)
    assert.ok(token !== null, `no IMAP at ${at} of ${wire}`)
    at = TOKEN.lastIndex
    if (token[1] !== undefined) {
      assert.ok(!wire.slice(at, at + Number(token[1])).includes('\0'), 'NUL in a literal')
      at += Number(token[1])
    }
    if (token[0] === '(') depth++
    if (token[0] === ')') depth--
    assert.ok(depth > 0 || at === wire.length, 'the list ends early')
    if (wire[at] === ' ') at++
  }
  assert.equal(depth, 0)
}
