import { asBuffer, fromLatin1 } from '../../bytes/ascii.ts'

/** Small texts are joined as text: one buffer for a thousand FETCH lines. */
const JOIN_TEXT = 65_536

/** What is to be written, in order: text (characters U+0000 to U+00FF) and octets. */
export class Output {
  #chunks: Buffer[] = []
  #chunkOctets = 0
  #text = ''

  get pendingBytes(): number {
    return this.#chunkOctets + this.#text.length
  }

  text(text: string): void {
    this.#text += text
    if (this.#text.length >= JOIN_TEXT) this.#seal()
  }

  /** Owns `octets` afterwards. */
  octets(octets: Uint8Array): void {
    if (octets.length === 0) return
    this.#seal()
    this.#chunks.push(asBuffer(octets))
    this.#chunkOctets += octets.length
  }

  /** Everything, as one piece. */
  take(): Buffer {
    this.#seal()
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.clear()
    return all
  }

  clear(): void {
    this.#chunks = []
    this.#chunkOctets = 0
    this.#text = ''
  }

  #seal(): void {
    if (this.#text === '') return
    const chunk = fromLatin1(this.#text)
    this.#text = ''
    this.#chunks.push(chunk)
    this.#chunkOctets += chunk.length
  }
}
