import { fromLatin1 } from '../bytes/ascii.ts'
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { hexValue } from '../bytes/quoted-printable.ts'
import { decodeText } from './charset.ts'

/** Decoded text and the tags of what was forgiven. */
export interface Words {
  readonly text: string
  readonly leniencies: readonly string[]
}

// `=?charset*language?encoding?`: rfc2047 §2 with the language of rfc2231 §5.
const OPENING = /=\?([^?\s]{1,60})\?([bBqQ])\?/y
/** rfc2047 §2 allows 75, and 76 for its line: this leaves room for a field's name and what stands behind the word. */
const WORD_CHARS = 64
const FRAME_CHARS = '=?UTF-8?B??='.length

interface Run {
  readonly charset: string
  readonly pieces: Uint8Array[]
}

/**
 * Decodes encoded words in a header value of octets as U+0000..U+00FF, unfolded. White space between two
 * words goes; octets of neighbouring words of one charset are joined before decoding, since many programs
 * split a character between them (rfc2047 §5 forbids it). Words within other text, with spaces or without
 * valid base64 are decoded too, and tagged. Raw 8-bit text is UTF-8 (rfc6532 §3.1) or guessed. Linear.
 */
export function decodeWords(value: string): Words {
  if (!value.includes('=?') && !/[\x80-\xff\x1b]/.test(value)) return { text: value, leniencies: [] }
  const decoder = new WordDecoder()
  let plainFrom = 0
  let at = value.indexOf('=?')
  while (at >= 0) {
    OPENING.lastIndex = at
    const opening = OPENING.exec(value)
    const start = opening === null ? -1 : OPENING.lastIndex
    const end = start < 0 ? -1 : value.indexOf('?=', start)
    // No further word can end: searching on for each opening would take quadratic time.
    if (start >= 0 && end < 0) break
    if (opening === null) {
      at = value.indexOf('=?', at + 2)
      continue
    }
    const next = end + 2
    decoder.plain(value.slice(plainFrom, at), true)
    decoder.word(opening[1] as string, opening[2] as string, value.slice(start, end))
    if (isInsideWord(value, at, next)) decoder.forgive('encoded-word-inside-text')
    plainFrom = next
    at = value.indexOf('=?', next)
  }
  decoder.plain(value.slice(plainFrom), false)
  return decoder.finish()
}

/** The decoded text alone. */
export function decodedWords(value: string): string {
  return decodeWords(value).text
}

/**
 * Text for an unstructured field: as it is where it is printable ASCII that no reader takes for an encoded
 * word, else as UTF-8 encoded words, cut between characters, separated by a space where a line may be folded.
 */
export function encodeWords(text: string, { always = false } = {}): string {
  return isPlain(text) && !always ? text : encodedWords(text)
}

/** A display name: atoms as they are, other ASCII as a quoted string, anything else as encoded words. */
export function encodePhrase(name: string): string {
  if (/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(name) && isPlain(name))
    return name
  return isPlain(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodedWords(name)
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('=?')
}

function encodedWords(text: string): string {
  // Base64 takes four characters for three octets.
  const maxBytes = Math.floor((WORD_CHARS - FRAME_CHARS) / 4) * 3
  const words: string[] = []
  let piece = ''
  let pieceBytes = 0
  for (const char of text.toWellFormed()) {
    const bytes = Buffer.byteLength(char)
    if (pieceBytes + bytes > maxBytes) {
      words.push(piece)
      piece = ''
      pieceBytes = 0
    }
    piece += char
    pieceBytes += bytes
  }
  words.push(piece)
  return words.map((word) => `=?UTF-8?B?${encodeBase64(Buffer.from(word, 'utf8'))}?=`).join(' ')
}

function isInsideWord(value: string, start: number, end: number): boolean {
  return /[A-Za-z0-9]/.test(value[start - 1] ?? '') || /[A-Za-z0-9]/.test(value[end] ?? '')
}

class WordDecoder {
  #text = ''
  #run: Run | undefined
  readonly #tags = new Set<string>()

  forgive(tag: string): void {
    this.#tags.add(tag)
  }

  /** Text outside of words; white space alone between two words is no text (rfc2047 §6.2). */
  plain(octets: string, wordFollows: boolean): void {
    if (this.#run !== undefined && wordFollows && /^[ \t\r\n]*$/.test(octets)) return
    this.#flush()
    if (octets === '') return
    if (/^[\x00-\x1a\x1c-\x7f]*$/.test(octets)) {
      this.#text += octets
      return
    }
    const { text, charset } = decodeText(fromLatin1(octets), undefined)
    // rfc6532 allows raw UTF-8 in fields; anything else is a leniency.
    if (charset !== 'utf-8' && charset !== 'us-ascii') this.forgive('header-raw-8bit')
    this.#text += text
  }

  word(label: string, encoding: string, encoded: string): void {
    const charset = (label.split('*', 1)[0] as string).toLowerCase()
    if (/[ \t]/.test(encoded)) this.forgive('encoded-word-space')
    const isB = encoding === 'B' || encoding === 'b'
    const octets = isB ? decodeBase64(fromLatin1(encoded)) : decodeQ(encoded)
    if (this.#run !== undefined && this.#run.charset !== charset) this.#flush()
    this.#run ??= { charset, pieces: [] }
    this.#run.pieces.push(octets)
  }

  finish(): Words {
    this.#flush()
    return { text: this.#text, leniencies: [...this.#tags] }
  }

  #flush(): void {
    if (this.#run === undefined) return
    const { charset, pieces } = this.#run
    const { text, leniencies } = decodeText(
      pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces),
      charset,
    )
    this.#text += text
    for (const tag of leniencies) this.forgive(tag)
    this.#run = undefined
  }
}

/** rfc2047 §4.2: like quoted-printable, with `_` for a space. */
function decodeQ(encoded: string): Uint8Array {
  const out = Buffer.allocUnsafe(encoded.length)
  let length = 0
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded.charCodeAt(i)
    const high = code === 0x3d ? hexValue(encoded.charCodeAt(i + 1)) : -1
    const low = code === 0x3d ? hexValue(encoded.charCodeAt(i + 2)) : -1
    if (high >= 0 && low >= 0) {
      out[length++] = high * 16 + low
      i += 2
    } else {
      out[length++] = code === 0x5f ? 0x20 : code
    }
  }
  return out.subarray(0, length)
}
