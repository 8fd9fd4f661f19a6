import { encodeMutf7 } from '../../bytes/mutf7.ts'
import type { WirePart } from './reader.ts'
import { astring, imapString, mailboxString, utf8Octets } from './text.ts'

/** Gathers a command's text and literals; each method gives the writer back. */
export class WireWriter {
  readonly #parts: WirePart[] = []
  #text = ''

  text(text: string): this {
    this.#text += text
    return this
  }

  /** A quoted string, or a literal where it cannot be quoted. */
  string(octets: string): this {
    return this.#place(imapString(octets), octets)
  }

  spaceString(octets: string): this {
    return this.text(' ').string(octets)
  }

  spaceUtf8(text: string): this {
    const octets = utf8Octets(text)
    return this.text(' ').#place(astring(octets), octets)
  }

  spaceMailbox(name: string): this {
    return this.text(' ').#place(mailboxString(name), encodeMutf7(name))
  }

  /** A literal that will be sent apart. */
  announce(sizeBytes: number): this {
    this.#seal()
    this.#parts.push({ kind: 'announced', sizeBytes })
    return this
  }

  parts(): WirePart[] {
    if (this.#parts.at(-1)?.kind !== 'announced') this.#seal()
    return this.#parts
  }

  #place(wire: string, octets: string): this {
    if (!wire.startsWith('{')) return this.text(wire)
    this.#seal()
    this.#parts.push({ kind: 'literal', octets })
    return this
  }

  #seal(): void {
    this.#parts.push({ kind: 'text', text: this.#text })
    this.#text = ''
  }
}
