import { asBuffer } from '../../bytes/ascii.ts'
import { MAX_NAME_OCTETS, MAX_POINTERS } from './limits.ts'

/**
 * Reads the wire form of rfc1035 §4.1 from a hostile message. Once something does not fit, `failed` is set for
 * good and every further value is empty or 0: so a caller looks once, at the end of a record.
 */
export class DnsReader {
  at = 0
  failed = false
  readonly #bytes: Buffer

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes)
  }

  get length(): number {
    return this.#bytes.length
  }

  u8(): number {
    return this.#has(1) ? (this.#bytes[this.at++] as number) : 0
  }

  u16(): number {
    if (!this.#has(2)) return 0
    this.at += 2
    return this.#bytes.readUInt16BE(this.at - 2)
  }

  u32(): number {
    if (!this.#has(4)) return 0
    this.at += 4
    return this.#bytes.readUInt32BE(this.at - 4)
  }

  octets(count: number): Buffer {
    if (!this.#has(count)) return Buffer.alloc(0)
    this.at += count
    return this.#bytes.subarray(this.at - count, this.at)
  }

  /**
   * A name in lower case without its final dot; `''` is the root. Octets that no host name has are written
   * `\ddd` (rfc1035 §5.1), so that a label with a dot in it is never taken for two.
   */
  name(): string {
    const labels: string[] = []
    let wireOctets = 1
    let at = this.at
    let after: number | undefined
    // A pointer must lead to before the place where this run of labels began (rfc1035 §4.1.4: a prior
    // occurrence): so following them ends, whatever the message says.
    let runStart = at
    let pointers = 0
    for (;;) {
      const length = this.#bytes[at]
      if (length === undefined) return this.#fail()
      if (length === 0) break
      if (length >= 0xc0) {
        const low = this.#bytes[at + 1]
        if (low === undefined) return this.#fail()
        after ??= at + 2
        const target = ((length & 0x3f) << 8) | low
        if (target >= runStart || ++pointers > MAX_POINTERS) return this.#fail()
        runStart = target
        at = target
        continue
      }
      wireOctets += length + 1
      if (length > 63 || wireOctets > MAX_NAME_OCTETS || at + 1 + length > this.#bytes.length)
        return this.#fail()
      labels.push(labelText(this.#bytes.subarray(at + 1, at + 1 + length)))
      at += 1 + length
    }
    this.at = after ?? at + 1
    return labels.join('.')
  }

  #has(count: number): boolean {
    if (this.failed || this.at + count > this.#bytes.length) this.failed = true
    return !this.failed
  }

  #fail(): string {
    this.failed = true
    return ''
  }
}

function labelText(octets: Buffer): string {
  const text = octets.toString('latin1').toLowerCase()
  if (/^[!-[\]-~]+$/.test(text) && !text.includes('.')) return text
  return text.replace(/[^!-[\]-~]|\./g, (c) => `\\${String(c.charCodeAt(0)).padStart(3, '0')}`)
}
