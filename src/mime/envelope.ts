import { type AddressEntry, readAddressList } from './address-list.ts'
import { type FieldMap, unfold } from './header.ts'
import { MAX_TEXT_FIELD_BYTES } from './limits.ts'
import { nstring, wireString } from './wire.ts'

/**
 * A field address without a domain or local part. NIL would begin or end a group there (rfc3501 §7.4.2), and
 * clients that test for falsehood take an empty string for NIL; these words are what other servers send.
 */
const NO_DOMAIN = '"MISSING_DOMAIN"'
const NO_LOCAL = '"MISSING_MAILBOX"'

/** A field's first value on one line, cut to what an envelope may hold. */
export function firstValue(fields: FieldMap, key: string, tags: Set<string>): string | undefined {
  const raw = fields.get(key)?.[0]
  if (raw === undefined) return undefined
  if (raw.length <= MAX_TEXT_FIELD_BYTES) return unfold(raw)
  tags.add('field-cut')
  return unfold(raw.slice(0, MAX_TEXT_FIELD_BYTES))
}

/**
 * The raw value of an address field. Of several From, Sender and Reply-To fields the first counts;
 * destination fields are joined, as rfc5322 §4.5.3 reads them.
 */
function addressValue(fields: FieldMap, key: string, tags: Set<string>): string | undefined {
  const values = fields.get(key)
  if (values === undefined || values.length <= 1) return values?.[0]
  tags.add(`duplicate-${key}`)
  return key === 'to' || key === 'cc' || key === 'bcc' ? values.join(',') : values[0]
}

export type AddressKey = 'from' | 'sender' | 'reply-to' | 'to' | 'cc' | 'bcc'

/** The address fields of one header, each read once. */
export class AddressLists {
  readonly #fields: FieldMap
  readonly #tags: Set<string>
  readonly #read = new Map<AddressKey, readonly AddressEntry[]>()

  constructor(fields: FieldMap, tags: Set<string>) {
    this.#fields = fields
    this.#tags = tags
  }

  entries(key: AddressKey): readonly AddressEntry[] {
    const known = this.#read.get(key)
    if (known !== undefined) return known
    const raw = addressValue(this.#fields, key, this.#tags)
    if (raw === undefined) return []
    const { entries, leniencies } = readAddressList(raw)
    for (const tag of leniencies) this.#tags.add(tag)
    this.#read.set(key, entries)
    return entries
  }
}

/** ENVELOPE of a message with these fields (rfc3501 §7.4.2), as octets U+0000..U+00FF. */
export function renderEnvelope(fields: FieldMap, lists: AddressLists, tags: Set<string>): string {
  const text = (key: string): string => nstring(firstValue(fields, key, tags))
  const list = (key: AddressKey): string => renderAddresses(lists.entries(key))
  const from = list('from')
  // Sender and Reply-To that are absent or empty are From, as the server must fill in.
  const orFrom = (key: AddressKey): string => (lists.entries(key).length === 0 ? from : list(key))
  return `(${text('date')} ${text('subject')} ${from} ${orFrom('sender')} ${orFrom('reply-to')} ${list('to')} ${list('cc')} ${list('bcc')} ${text('in-reply-to')} ${text('message-id')})`
}

function renderAddresses(entries: readonly AddressEntry[]): string {
  if (entries.length === 0) return 'NIL'
  let out = '('
  for (const entry of entries) out += renderEntry(entry)
  return `${out})`
}

function renderEntry(entry: AddressEntry): string {
  if (entry.kind === 'group-start') return `(NIL NIL ${wireString(entry.phrase)} NIL)`
  if (entry.kind === 'group-end') return '(NIL NIL NIL NIL)'
  const local = entry.local === '' ? NO_LOCAL : wireString(entry.local)
  const domain = entry.domain === '' ? NO_DOMAIN : wireString(entry.domain)
  return `(${nstring(entry.phrase)} ${nstring(entry.route)} ${local} ${domain})`
}
