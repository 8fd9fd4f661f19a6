/**
 * ISO-2022-JP and the forms that mail in Japan really uses: rfc1468, the supplementary kanji of rfc2237, the Chinese and
 * Korean sets of rfc1554, half-width kana by `ESC ( I`, by shift-out and as raw octets, NEC and IBM rows.
 * TextDecoder knows the first only, and its state survives less damage. The octets are brought to EUC-JP,
 * whose sets are the same ones with the high bit set, and decoded there.
 */

type GraphicSet = 'ascii' | 'kana' | 'jis' | 'jis212' | 'gb' | 'kr'

const ESC = 0x1b
const SHIFT_OUT = 0x0e
const SHIFT_IN = 0x0f
const LF = 0x0a
/** EUC-JP: the next octet is a half-width kana; the next two are of JIS X 0212. */
const SINGLE_SHIFT_2 = 0x8e
const SINGLE_SHIFT_3 = 0x8f

// `ESC ( J` is JIS X 0201's Roman set, where 0x5C is a yen sign and 0x7E an overline. Programs that write it
// mean ASCII, and paths and code would be spoilt: it is read as ASCII. `ESC ( H` is an old mistake for it.
const ESCAPES: readonly (readonly [string, GraphicSet])[] = [
  ['(B', 'ascii'],
  ['(J', 'ascii'],
  ['(H', 'ascii'],
  ['(I', 'kana'],
  ['$@', 'jis'],
  ['$B', 'jis'],
  ['$(@', 'jis'],
  ['$(B', 'jis'],
  ['$(O', 'jis'],
  ['$(Q', 'jis'],
  ['$(D', 'jis212'],
  ['$A', 'gb'],
  ['$(A', 'gb'],
  ['$(C', 'kr'],
]

export interface Iso2022Text {
  readonly text: string
  /** A line or the text ended within a double-byte set (rfc1468 asks for ASCII there). */
  readonly unterminated: boolean
}

/** Decodes in one pass; every line begins in ASCII, so damage ends with its line. Never fails. */
export function decodeIso2022Jp(bytes: Uint8Array): Iso2022Text {
  const run = new Run(bytes.length)
  let set: GraphicSet = 'ascii'
  let shifted = false
  let unterminated = false
  let i = 0
  while (i < bytes.length) {
    const octet = bytes[i] as number
    if (octet === ESC) {
      const found = escapeAt(bytes, i + 1)
      if (found === undefined) run.single(0x1a)
      else set = found[1]
      i += found === undefined ? 1 : 1 + found[0].length
      continue
    }
    i++
    if (octet === SHIFT_OUT || octet === SHIFT_IN) {
      shifted = octet === SHIFT_OUT
    } else if (octet === LF) {
      unterminated ||= isDouble(set)
      set = 'ascii'
      shifted = false
      run.single(LF)
    } else if (isDouble(set) && octet > 0x20 && octet !== 0x7f) {
      const trail = bytes[i]
      if (trail === undefined || (trail & 0x7f) <= 0x20) run.damaged()
      else {
        run.double(set, octet | 0x80, trail | 0x80)
        i++
      }
    } else {
      run.any(octet, shifted || set === 'kana')
    }
  }
  return { text: run.finish(), unterminated: unterminated || isDouble(set) }
}

/** Whether the octets hold an escape to a Japanese set: such text is known without a label. */
export function looksLikeIso2022Jp(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(ESC); at >= 0; at = bytes.indexOf(ESC, at + 1)) {
    const found = escapeAt(bytes, at + 1)
    if (found !== undefined && found[1] !== 'ascii') return true
  }
  return false
}

function escapeAt(bytes: Uint8Array, at: number): readonly [string, GraphicSet] | undefined {
  return ESCAPES.find(([sequence]) => {
    for (let k = 0; k < sequence.length; k++) if (bytes[at + k] !== sequence.charCodeAt(k)) return false
    return true
  })
}

function isDouble(set: GraphicSet): boolean {
  return set !== 'ascii' && set !== 'kana'
}

/** Collects octets of one pivot encoding and decodes them when it changes. */
class Run {
  // The longest form takes three octets for two.
  readonly #octets: Uint8Array
  #length = 0
  #encoding: 'euc-jp' | 'gb18030' | 'euc-kr' = 'euc-jp'
  #text = ''
  readonly #decoders = new Map<string, InstanceType<typeof TextDecoder>>()

  constructor(sizeBytes: number) {
    this.#octets = new Uint8Array(sizeBytes * 2 + 4)
  }

  /** An octet below 0x80 is the same in every pivot. */
  single(octet: number): void {
    this.#octets[this.#length++] = octet
  }

  damaged(): void {
    this.#switchTo('euc-jp')
    this.#text += '\ufffd'
  }

  any(octet: number, kana: boolean): void {
    const isKana = octet >= 0xa1 ? octet <= 0xdf : kana && octet >= 0x21 && octet <= 0x5f
    if (isKana) {
      this.#use('euc-jp')
      this.#octets[this.#length++] = SINGLE_SHIFT_2
      this.#octets[this.#length++] = octet | 0x80
    } else if (octet < 0x80) {
      this.single(octet)
    } else {
      this.damaged()
    }
  }

  double(set: GraphicSet, lead: number, trail: number): void {
    this.#use(set === 'gb' ? 'gb18030' : set === 'kr' ? 'euc-kr' : 'euc-jp')
    if (set === 'jis212') this.#octets[this.#length++] = SINGLE_SHIFT_3
    this.#octets[this.#length++] = lead
    this.#octets[this.#length++] = trail
  }

  finish(): string {
    this.#switchTo('euc-jp')
    return this.#text
  }

  #use(encoding: 'euc-jp' | 'gb18030' | 'euc-kr'): void {
    if (encoding !== this.#encoding) this.#switchTo(encoding)
  }

  #switchTo(encoding: 'euc-jp' | 'gb18030' | 'euc-kr'): void {
    if (this.#length > 0) {
      const octets = this.#octets.subarray(0, this.#length)
      this.#text += this.#decoder().decode(octets)
    }
    this.#length = 0
    this.#encoding = encoding
  }

  /** Making one costs more than decoding a short run, and hostile text changes sets with every character. */
  #decoder(): InstanceType<typeof TextDecoder> {
    const known = this.#decoders.get(this.#encoding)
    if (known !== undefined) return known
    const made = new TextDecoder(this.#encoding)
    this.#decoders.set(this.#encoding, made)
    return made
  }
}
