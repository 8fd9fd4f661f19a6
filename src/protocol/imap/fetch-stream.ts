import { assert } from '../../mail/assert.ts'
import type { FetchSection } from './commands/fetch.ts'
import type { Output } from './output.ts'
import {
  FETCH_END,
  type FetchData,
  type FetchResponse,
  SectionLabels,
  writeFetch,
  writeFetchHead,
  writeItems,
  writeLiteralHead,
} from './responses/fetch.ts'

/**
 * FETCH responses, whole and in pieces. Octets on the wire cannot be taken back, so each literal must come to
 * exactly the size that was announced, and nothing may stand between its pieces: both are asserted.
 */
export class FetchStream {
  readonly #out: Output
  /** Of the command that runs: a client that waits keeps none. */
  #known: SectionLabels | undefined
  #open = false
  #empty = true
  #missing = 0

  constructor(out: Output) {
    this.#out = out
  }

  get open(): boolean {
    return this.#open
  }

  whole(response: FetchResponse): void {
    assert(!this.#open, 'a FETCH response within another')
    writeFetch(this.#out, response, this.#labels)
  }

  start(sequence: number, items: readonly FetchData[]): void {
    assert(!this.#open, 'a FETCH response within another')
    this.#open = true
    this.#empty = true
    writeFetchHead(this.#out, sequence)
    this.items(items)
  }

  items(items: readonly FetchData[]): void {
    assert(this.#open && this.#missing === 0, 'FETCH items out of place')
    if (items.length === 0) return
    this.#gap()
    writeItems(this.#out, items, this.#labels)
  }

  literal(item: FetchSection, sizeBytes: number): void {
    assert(this.#open && this.#missing === 0, 'FETCH literal out of place')
    this.#gap()
    writeLiteralHead(this.#out, this.#labels.of(item), sizeBytes)
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
    this.#out.text(FETCH_END)
  }

  /** The command is done. */
  rest(): void {
    this.#known = undefined
  }

  get #labels(): SectionLabels {
    this.#known ??= new SectionLabels()
    return this.#known
  }

  #gap(): void {
    if (!this.#empty) this.#out.text(' ')
    this.#empty = false
  }
}
