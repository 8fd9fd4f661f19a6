import { asBuffer, isAscii, isUtf8, latin1 } from '../bytes/ascii.ts'
import { decodeIso2022Jp, looksLikeIso2022Jp } from './iso2022.ts'
import { decodeUtf7 } from './utf7.ts'

/** What octets of some charset say, and what was forgiven on the way. */
export interface DecodedText {
  readonly text: string
  /** The encoding that was used, in lower case. */
  readonly charset: string
  readonly leniencies: readonly string[]
}

// Labels that mail uses and TextDecoder does not know, or takes for less than what is meant.
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['ascii', 'us-ascii'],
  ['ansi_x3.4-1968', 'us-ascii'],
  ['ansi-x3.4-1968', 'us-ascii'],
  ['iso646-us', 'us-ascii'],
  ['us', 'us-ascii'],
  ['646', 'us-ascii'],
  ['7bit', 'us-ascii'],
  ['us-asii', 'us-ascii'],
  ['utf8', 'utf-8'],
  ['utf-8mb4', 'utf-8'],
  ['utf8mb4', 'utf-8'],
  ['unicode-1-1-utf-7', 'utf-7'],
  ['x-unicode-2-0-utf-7', 'utf-7'],
  ['utf7', 'utf-7'],
  ['iso-2022-jp-1', 'iso-2022-jp'],
  ['iso-2022-jp-2', 'iso-2022-jp'],
  ['iso-2022-jp-3', 'iso-2022-jp'],
  ['iso-2022-jp-2004', 'iso-2022-jp'],
  ['iso-2022-jp-ms', 'iso-2022-jp'],
  ['x-windows-iso2022jp', 'iso-2022-jp'],
  ['cp50220', 'iso-2022-jp'],
  ['cp50221', 'iso-2022-jp'],
  ['cp50222', 'iso-2022-jp'],
  ['jis', 'iso-2022-jp'],
  ['csiso2022jp', 'iso-2022-jp'],
  ['cp932', 'shift_jis'],
  ['sjis-win', 'shift_jis'],
  ['sjis', 'shift_jis'],
  ['x-ms-cp932', 'shift_jis'],
  ['windows-932', 'shift_jis'],
  ['shift-jisx0213', 'shift_jis'],
  ['shift_jisx0213', 'shift_jis'],
  ['shift_jis-2004', 'shift_jis'],
  ['cp51932', 'euc-jp'],
  ['eucjp', 'euc-jp'],
  ['eucjp-ms', 'euc-jp'],
  ['eucjp-win', 'euc-jp'],
  ['eucjpms', 'euc-jp'],
  ['ujis', 'euc-jp'],
  ['gb2312', 'gb18030'],
  ['gbk', 'gb18030'],
  ['cp936', 'gb18030'],
  ['euc-cn', 'gb18030'],
  ['euccn', 'gb18030'],
  ['x-gbk', 'gb18030'],
  ['gb_2312-80', 'gb18030'],
  ['cp950', 'big5'],
  ['big5hkscs', 'big5'],
  ['x-big5', 'big5'],
  ['cp949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['euckr', 'euc-kr'],
  ['ks_c_5601', 'euc-kr'],
  ['cp874', 'windows-874'],
  ['iso8859-1', 'windows-1252'],
])

/**
 * Octets and a charset label to text. Never fails: an unknown label, a missing one and octets that the label
 * does not allow each give the most readable text and a tag.
 */
export function decodeText(bytes: Uint8Array, label: string | undefined): DecodedText {
  const charset = label === undefined || label === '' ? undefined : canonicalCharset(label)
  if (charset === undefined)
    return guess(bytes, label === undefined || label === '' ? [] : ['charset-unknown'])
  if (charset === 'us-ascii') return decodeAscii(bytes)
  const { text, tags } = decodeKnown(bytes, charset)
  // U+FFFD is also what a sender may have written; telling these apart would cost more than the tag is worth.
  return { text, charset, leniencies: text.includes('\ufffd') ? [...tags, 'charset-damaged'] : tags }
}

/** The name under which `decodeText` works; undefined where the label is none of the known ones. */
export function canonicalCharset(label: string): string | undefined {
  const name = label.trim().toLowerCase()
  const alias = ALIASES.get(name) ?? ALIASES.get(name.replace(/^(?:x-)?(?:cs|ibm-|ms-)?/, ''))
  if (alias !== undefined) return alias
  if (name === 'us-ascii' || name === 'utf-7') return name
  return decoderName(name) ?? decoderName(name.replace(/^(?:cp|win|win-|x-cp-?)(?=\d)/, 'windows-'))
}

function decoderName(label: string): string | undefined {
  try {
    // gbk, too, is read as its superset gb18030.
    const name = new TextDecoder(label).encoding
    return name === 'gbk' ? 'gb18030' : name
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function decodeKnown(bytes: Uint8Array, charset: string): { text: string; tags: readonly string[] } {
  if (charset === 'iso-2022-jp') {
    const { text, unterminated } = decodeIso2022Jp(bytes)
    return { text, tags: unterminated ? ['iso-2022-jp-unterminated'] : [] }
  }
  if (charset === 'utf-7') return { text: decodeUtf7(latin1(bytes)), tags: [] }
  return { text: new TextDecoder(charset).decode(bytes), tags: [] }
}

function decodeAscii(bytes: Uint8Array): DecodedText {
  if (!isAscii(bytes)) return guess(bytes, ['charset-not-ascii'])
  if (looksLikeIso2022Jp(bytes)) return guess(bytes, ['charset-not-ascii'])
  return { text: latin1(bytes), charset: 'us-ascii', leniencies: [] }
}

/**
 * Text without a usable label: UTF-8 where it is valid, ISO-2022-JP where its escapes stand, EUC-JP or
 * Shift_JIS where they decode cleanly and give kana (old phones and web forms), else windows-1252.
 */
function guess(bytes: Uint8Array, tags: readonly string[]): DecodedText {
  if (looksLikeIso2022Jp(bytes)) {
    const { text } = decodeIso2022Jp(bytes)
    return { text, charset: 'iso-2022-jp', leniencies: [...tags, 'charset-guessed'] }
  }
  if (isAscii(bytes)) return { text: latin1(bytes), charset: 'us-ascii', leniencies: tags }
  if (isUtf8(bytes))
    return {
      text: asBuffer(bytes).toString('utf8'),
      charset: 'utf-8',
      leniencies: [...tags, 'charset-guessed'],
    }
  for (const charset of ['euc-jp', 'shift_jis']) {
    const text = decodeFatal(bytes, charset)
    if (text !== undefined && /[\u3041-\u30fe]/.test(text))
      return { text, charset, leniencies: [...tags, 'charset-guessed'] }
  }
  return {
    text: new TextDecoder('windows-1252').decode(bytes),
    charset: 'windows-1252',
    leniencies: [...tags, 'charset-guessed'],
  }
}

function decodeFatal(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
