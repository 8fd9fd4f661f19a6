import { cut, displayAddresses } from './address.ts'
import { type MailDate, parseDate } from './date.ts'
import { AddressLists, type FieldMap, fieldMap, firstValue, renderEnvelope } from './envelope.ts'
import { headerFields } from './header.ts'
import { messageId, messageIds } from './ids.ts'
import { MAX_LENIENCIES } from './limits.ts'
import { type Node, toPart } from './node.ts'
import { encodeParts } from './parts.ts'
import { renderStructure } from './structure.ts'
import { decodeWords } from './words.ts'

/** What is kept of a message besides its octets. Every offset counts from the first octet of the prefix. */
export interface MessageSummary {
  /** Prefix and content. */
  readonly sizeBytes: number
  /** Prefix and header, the empty line included. */
  readonly headerBytes: number
  /** Line ends of the whole message. */
  readonly lines: number
  /** ENVELOPE as IMAP wire text (rfc3501 §7.4.2), parentheses included. */
  readonly envelope: Uint8Array
  /** BODYSTRUCTURE as IMAP wire text, extension data included. */
  readonly bodyStructure: Uint8Array
  /** BODY as IMAP wire text: no extension data. */
  readonly body: Uint8Array
  /** The part tree; `decodeParts` reads it. */
  readonly parts: Uint8Array
  /** The Date field as a moment; undefined where there is none or it cannot be read. */
  readonly sentAtMs: number | undefined
  /** `YYYY-MM-DD` as written: SENTSINCE and its kin disregard time and zone (rfc3501 §6.4.4). */
  readonly sentDay: string | undefined
  /** Decoded, on one line, bounded: for lists and traces. May hold any character: clean it for a terminal. */
  readonly subject: string
  /** `Name <local@domain>, …`, decoded and bounded like the subject. */
  readonly from: string
  readonly to: string
  readonly cc: string
  /** With angle brackets. */
  readonly messageId: string | undefined
  readonly inReplyTo: readonly string[]
  /** The first and the last ones where there are many. */
  readonly references: readonly string[]
  /** Tags of what was forgiven. */
  readonly leniencies: readonly string[]
}

/** What the scan has found. */
export interface Scanned {
  readonly root: Node
  readonly rootFields: FieldMap
  readonly tags: ReadonlySet<string>
  readonly contentBytes: number
  readonly contentLines: number
}

/** Puts the summary of a scanned message together; `prefix` is whole fields that stand before the content. */
export function summarise(scanned: Scanned, prefix: Uint8Array): MessageSummary {
  const { root } = scanned
  const tags = new Set(scanned.tags)
  const fields = withPrefix(scanned.rootFields, prefix)
  const date = readDate(fields, tags)
  const rendered = (text: string): Uint8Array => Buffer.from(text, 'latin1')
  const lists = new AddressLists(fields, tags)
  const summary = {
    sizeBytes: prefix.length + scanned.contentBytes,
    headerBytes: prefix.length + root.bodyStart,
    lines: countLines(prefix) + scanned.contentLines,
    envelope: rendered(renderEnvelope(fields, lists, tags)),
    bodyStructure: rendered(renderStructure(root, true)),
    body: rendered(renderStructure(root, false)),
    parts: encodeParts(toPart(root, prefix.length, true)),
    sentAtMs: date?.ms,
    sentDay: date?.day,
    subject: readSubject(fields, tags),
    from: displayAddresses(lists.entries('from'), tags),
    to: displayAddresses(lists.entries('to'), tags),
    cc: displayAddresses(lists.entries('cc'), tags),
    messageId: messageId(firstValue(fields, 'message-id', tags) ?? ''),
    inReplyTo: messageIds(fields.get('in-reply-to')?.[0] ?? ''),
    references: messageIds(fields.get('references')?.[0] ?? ''),
  }
  return { ...summary, leniencies: [...tags].slice(0, MAX_LENIENCIES) }
}

function withPrefix(rootFields: FieldMap, prefix: Uint8Array): FieldMap {
  if (prefix.length === 0) return rootFields
  const fields = fieldMap(headerFields(prefix))
  for (const [key, values] of rootFields) fields.set(key, [...(fields.get(key) ?? []), ...values])
  return fields
}

function readDate(fields: FieldMap, tags: Set<string>): MailDate | undefined {
  const value = firstValue(fields, 'date', tags)
  if (value === undefined) return undefined
  const date = parseDate(value)
  if (date === undefined) tags.add('date-invalid')
  for (const tag of date?.leniencies ?? []) tags.add(tag)
  return date
}

function readSubject(fields: FieldMap, tags: Set<string>): string {
  const { text, leniencies } = decodeWords(firstValue(fields, 'subject', tags) ?? '')
  for (const tag of leniencies) tags.add(tag)
  return cut(text)
}

function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++
  return lines
}
