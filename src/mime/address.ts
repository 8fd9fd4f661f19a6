import { fromLatin1 } from '../bytes/ascii.ts'
import { isLenientLocal } from '../mail/address.ts'
import { type AddressEntry, type MailboxEntry, readAddressList } from './address-list.ts'
import { decodeText } from './charset.ts'
import { MAX_DISPLAY_CHARS } from './limits.ts'
import { decodeWords } from './words.ts'

/** One address of a header field, decoded. Nothing is validated: `makeAddress` says whether it can be mailed. */
export interface Mailbox {
  readonly name: string | undefined
  readonly local: string
  /** As written; empty where none was given. */
  readonly domain: string
  readonly route?: string | undefined
  /** The name of the group that lists it. */
  readonly group?: string | undefined
}

export interface Mailboxes {
  readonly mailboxes: readonly Mailbox[]
  readonly leniencies: readonly string[]
}

/**
 * The addresses of a field value (octets as U+0000..U+00FF, folds allowed), names decoded. Tags tell what was
 * forgiven; `address-lenient-local` marks `a..b@` and `x.@`.
 */
export function parseAddresses(raw: string): Mailboxes {
  const { entries, leniencies } = readAddressList(raw)
  const tags = new Set(leniencies)
  const mailboxes: Mailbox[] = []
  let group: string | undefined
  for (const entry of entries) {
    if (entry.kind === 'group-start') group = decodeName(entry.phrase, tags)
    else if (entry.kind === 'group-end') group = undefined
    else {
      const mailbox = decodeMailbox(entry, tags)
      mailboxes.push(group === undefined ? mailbox : { ...mailbox, group })
    }
  }
  return { mailboxes, leniencies: [...tags] }
}

/** `Name <local@domain>, …` for lists and traces, at most `MAX_DISPLAY_CHARS`. */
export function displayAddresses(entries: readonly AddressEntry[], tags: Set<string>): string {
  let out = ''
  for (const entry of entries) {
    if (entry.kind === 'group-end') continue
    const text =
      entry.kind === 'mailbox'
        ? displayMailbox(decodeMailbox(entry, tags))
        : `${decodeName(entry.phrase, tags)}:`
    out += out === '' || out.endsWith(':') ? `${out === '' ? '' : ' '}${text}` : `, ${text}`
    if (out.length > MAX_DISPLAY_CHARS) return cut(out)
  }
  return out
}

function displayMailbox({ name, local, domain }: Mailbox): string {
  const address = domain === '' ? local : `${local}@${domain}`
  if (name === undefined || name === '') return address
  return address === '' ? name : `${name} <${address}>`
}

/** Cuts at a character, never within a surrogate pair. */
export function cut(text: string, maxChars = MAX_DISPLAY_CHARS): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '')
}

function decodeMailbox(entry: MailboxEntry, tags: Set<string>): Mailbox {
  const local = decodeOctets(entry.local)
  if (local.includes('.') && isLenientLocal(local)) tags.add('address-lenient-local')
  const name = entry.phrase === undefined ? undefined : decodeName(entry.phrase, tags)
  const domain = decodeOctets(entry.domain)
  return entry.route === undefined
    ? { name, local, domain }
    : { name, local, domain, route: decodeOctets(entry.route) }
}

function decodeName(phrase: string, tags: Set<string>): string {
  const { text, leniencies } = decodeWords(phrase)
  for (const tag of leniencies) tags.add(tag)
  return text
}

function decodeOctets(octets: string): string {
  return /[\x80-\xff]/.test(octets) ? decodeText(fromLatin1(octets), undefined).text : octets
}
