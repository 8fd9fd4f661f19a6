import { latin1 } from '../../../bytes/ascii.ts'
import type { FetchSection } from '../commands/fetch.ts'
import { formatInternalDate, type InternalDate } from '../date.ts'
import { Output } from '../output.ts'
import { formatSection } from '../section.ts'
import type { RenderedFlags } from './flag-list.ts'

/** One data item of FETCH (rfc3501 §7.4.2). */
export type FetchData =
  | { readonly kind: 'uid'; readonly uid: number }
  | { readonly kind: 'flags'; readonly flags: RenderedFlags }
  | { readonly kind: 'internal-date'; readonly date: InternalDate }
  | { readonly kind: 'size'; readonly sizeBytes: number }
  /** Wire octets as mime/ renders them, with their parentheses. */
  | { readonly kind: 'envelope'; readonly wire: Uint8Array }
  | { readonly kind: 'body-structure'; readonly extended: boolean; readonly wire: Uint8Array }
  /** `octets` null: there is no such part (NIL). Partial fetches: the octets already cut. */
  | { readonly kind: 'section'; readonly item: FetchSection; readonly octets: Uint8Array | null }

/** A message's data in one piece. */
export interface FetchResponse {
  readonly kind: 'fetch'
  readonly sequence: number
  readonly items: readonly FetchData[]
}

export function encodeFetch(response: FetchResponse): string {
  const out = new Output()
  writeFetch(out, response, new SectionLabels())
  return latin1(out.take())
}

export function writeFetch(out: Output, response: FetchResponse, labels: SectionLabels): void {
  writeFetchHead(out, response.sequence)
  writeItems(out, response.items, labels)
  out.text(FETCH_END)
}

export const FETCH_END = ')\r\n'

export function writeFetchHead(out: Output, sequence: number): void {
  out.text('* ')
  out.number(sequence)
  out.text(' FETCH (')
}

/** Items with single spaces between them. */
export function writeItems(out: Output, items: readonly FetchData[], labels: SectionLabels): void {
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.text(' ')
    writeItem(out, items[i] as FetchData, labels)
  }
}

/** The label of a section and the announcement of its literal; the octets follow. */
export function writeLiteralHead(out: Output, label: string, sizeBytes: number): void {
  out.text(label)
  out.text(' {')
  out.number(sizeBytes)
  out.text('}\r\n')
}

/** `BODY[TEXT]<0>`: what was asked for, without PEEK and the length. */
export function sectionLabel(item: FetchSection): string {
  if (item.name !== 'BODY') return item.name
  const origin = item.partial === undefined ? '' : `<${item.partial.offset}>`
  return `BODY[${formatSection(item.section)}]${origin}`
}

/** Labels by what was asked for: thousands of messages of one FETCH have the same. */
export class SectionLabels {
  readonly #labels = new WeakMap<FetchSection, string>()

  of(item: FetchSection): string {
    let label = this.#labels.get(item)
    if (label === undefined) {
      label = sectionLabel(item)
      this.#labels.set(item, label)
    }
    return label
  }
}

function writeItem(out: Output, item: FetchData, labels: SectionLabels): void {
  switch (item.kind) {
    case 'uid':
      out.text('UID ')
      out.number(item.uid)
      return
    case 'flags':
      out.text('FLAGS ')
      out.text(item.flags)
      return
    case 'internal-date':
      out.text(`INTERNALDATE "${formatInternalDate(item.date)}"`)
      return
    case 'size':
      out.text('RFC822.SIZE ')
      out.number(item.sizeBytes)
      return
    case 'envelope':
      out.text('ENVELOPE ')
      out.octets(item.wire)
      return
    case 'body-structure':
      out.text(item.extended ? 'BODYSTRUCTURE ' : 'BODY ')
      out.octets(item.wire)
      return
    case 'section':
      writeSection(out, labels.of(item.item), item.octets)
  }
}

function writeSection(out: Output, label: string, octets: Uint8Array | null): void {
  if (octets === null) {
    out.text(label)
    out.text(' NIL')
    return
  }
  writeLiteralHead(out, label, octets.length)
  out.octets(octets)
}
