import { latin1 } from '../../../bytes/ascii.ts'
import type { FetchSection } from '../commands/fetch.ts'
import { formatInternalDate, type InternalDate } from '../date.ts'
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
  return `${fetchHead(response.sequence)}${encodeItems(response.items)})\r\n`
}

export function fetchHead(sequence: number): string {
  return `* ${sequence} FETCH (`
}

/** Items with single spaces between them. */
export function encodeItems(items: readonly FetchData[]): string {
  let text = ''
  for (const item of items) text += text === '' ? encodeItem(item) : ` ${encodeItem(item)}`
  return text
}

/** The label of a section and the announcement of its literal; the octets follow. */
export function literalHead(item: FetchSection, sizeBytes: number): string {
  return `${sectionLabel(item)} {${sizeBytes}}\r\n`
}

/** `BODY[TEXT]<0>`: what was asked for, without PEEK and the length. */
export function sectionLabel(item: FetchSection): string {
  if (item.name !== 'BODY') return item.name
  const origin = item.partial === undefined ? '' : `<${item.partial.offset}>`
  return `BODY[${formatSection(item.section)}]${origin}`
}

function encodeItem(item: FetchData): string {
  switch (item.kind) {
    case 'uid':
      return `UID ${item.uid}`
    case 'flags':
      return `FLAGS ${item.flags}`
    case 'internal-date':
      return `INTERNALDATE "${formatInternalDate(item.date)}"`
    case 'size':
      return `RFC822.SIZE ${item.sizeBytes}`
    case 'envelope':
      return `ENVELOPE ${latin1(item.wire)}`
    case 'body-structure':
      return `${item.extended ? 'BODYSTRUCTURE' : 'BODY'} ${latin1(item.wire)}`
    case 'section':
      return item.octets === null
        ? `${sectionLabel(item.item)} NIL`
        : literalHead(item.item, item.octets.length) + latin1(item.octets)
  }
}
