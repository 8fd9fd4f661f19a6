import { cut, displayAddresses } from './address.ts'
import { type MailDate, parseDate } from './date.ts'
import { AddressLists, firstValue, renderEnvelope } from './envelope.ts'
import { collectFields, type FieldMap } from './header.ts'
import { messageId, messageIds } from './ids.ts'
import { MAX_LENIENCIES } from './limits.ts'
import { type Node, toPart } from './node.ts'
import { encodeParts } from './parts.ts'
import { renderStructure } from './structure.ts'
import { FIELDS } from './tree.ts'
import { decodeWords } from './words.ts'

/** What the scan has found. */
export interface Scanned {
  readonly root: Node
  readonly rootFields: FieldMap
  readonly tags: ReadonlySet<string>
  readonly contentBytes: number
  readonly contentLines: number
}

/**
 * Puts a scanned message's `MessageSummary` together; `prefix` is whole fields that stand before the content.
 * The type stands with the scanner, which imports this file, and is checked there.
 */
export function summarise(scanned: Scanned, prefix: Uint8Array) {
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
  const fields = new Map<string, string[]>()
  collectFields(prefix, FIELDS, fields)
  if (fields.size === 0) return rootFields
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
