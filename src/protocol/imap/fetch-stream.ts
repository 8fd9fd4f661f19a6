import { assert } from '../../mail/assert.ts'
import type { FetchSection } from './commands/fetch.ts'
import type { Output } from './output.ts'
import { encodeItems, type FetchData, fetchHead, literalHead } from './responses/fetch.ts'

/**
 * One FETCH response written in pieces. Octets on the wire cannot be taken back, so each literal must come to
 * exactly the size that was announced, and nothing may stand between its pieces: both are asserted.
 */
export class FetchStream {
  readonly #out: Output
  #open = false
  #empty = true
  #missing = 0

  constructor(out: Output) {
    this.#out = out
  }

  get open(): boolean {
    return this.#open
  }

  start(sequence: number, items: readonly FetchData[]): void {
    assert(!this.#open, 'a FETCH response within another')
    this.#open = true
    this.#empty = true
    this.#out.text(fetchHead(sequence))
    this.items(items)
  }

  items(items: readonly FetchData[]): void {
    assert(this.#open && this.#missing === 0, 'FETCH items out of place')
    if (items.length > 0) this.#out.text(this.#gap() + encodeItems(items))
  }

  literal(item: FetchSection, sizeBytes: number): void {
    assert(this.#open && this.#missing === 0, 'FETCH literal out of place')
    this.#out.text(this.#gap() + literalHead(item, sizeBytes))
    this.#missing = sizeBytes
  }

  chunk(octets: Uint8Array): void {
    assert(octets.length <= this.#missing, 'more octets than the FETCH literal announced')
    this.#missing -= octets.length
    this.#out.octets(octets)
  }

  end(): void {
    assert(this.#open && this.#missing === 0, 'FETCH response is not complete')
    this.#open = false
    this.#out.text(')\r\n')
  }

  #gap(): string {
    const gap = this.#empty ? '' : ' '
    this.#empty = false
    return gap
  }
}
