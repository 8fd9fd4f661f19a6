import {
  addFlags,
  DELETED,
  type FlagSet,
  flagNames,
  hasKeyword,
  makeFlagSet,
  removeFlags,
  SEEN,
} from '../../mail/flags.ts'
import type { SearchKey } from '../../mail/search.ts'
import { containsUid, indexesInSet, resolveStar, type UidSet } from '../../mail/uid-set.ts'
import type { FetchItem, FetchSection } from './commands/fetch.ts'
import type { StoreCommand } from './commands/store.ts'
import type { InternalDate } from './date.ts'
import type { FetchData } from './responses/fetch.ts'
import { renderFlags } from './responses/flag-list.ts'

/** A mailbox in memory, as much as the dialogues need. */
export interface FakeMessage {
  readonly uid: number
  flags: FlagSet
  recent: boolean
  readonly date: InternalDate
  readonly octets: Buffer
}

export class FakeMailbox {
  readonly uidValidity = 7
  uidNext = 1
  messages: FakeMessage[] = []

  add(
    octets: string,
    flags: readonly string[] = [],
    date: InternalDate = { ms: 837_596_665_000, zoneMinutes: -420 },
  ) {
    const message = {
      uid: this.uidNext++,
      flags: makeFlagSet(flags) as FlagSet,
      recent: true,
      date,
      octets: Buffer.from(octets, 'latin1'),
    }
    this.messages.push(message)
    return message
  }

  /** Indexes of messages that a command names; undefined where a sequence number is beyond the last one. */
  pick(set: UidSet, uid: boolean): number[] | undefined {
    const numbers = this.messages.map((message, i) => (uid ? message.uid : i + 1))
    const resolved = resolveStar(set, numbers.at(-1) ?? 0)
    if (!uid && (resolved.bounds.at(-1) ?? 1) > numbers.length) return undefined
    return indexesInSet(resolved, numbers)
  }

  expunge(uids: UidSet | undefined): number[] {
    const gone: number[] = []
    for (let i = 0; i < this.messages.length; ) {
      const message = this.messages[i] as FakeMessage
      const named = uids === undefined || containsUid(resolveStar(uids, this.uidNext - 1), message.uid)
      if (named && (message.flags.system & DELETED) !== 0) {
        this.messages.splice(i, 1)
        gone.push(i + 1)
      } else i++
    }
    return gone
  }

  store(index: number, { action, flags }: StoreCommand): void {
    const message = this.messages[index] as FakeMessage
    if (action === 'add') message.flags = addFlags(message.flags, flags)
    else if (action === 'remove') message.flags = removeFlags(message.flags, flags)
    else message.flags = flags
  }

  fetch(index: number, items: readonly FetchItem[]): FetchData[] {
    const message = this.messages[index] as FakeMessage
    const seen = items.some((item) => item.kind === 'section' && !item.peek)
    const changes = seen && (message.flags.system & SEEN) === 0
    if (changes) message.flags = addFlags(message.flags, { system: SEEN, keywords: [] })
    const data = items.map((item) => this.#item(message, item))
    const told = items.some((item) => item.kind === 'flags')
    return changes && !told ? [...data, flagsOf(message)] : data
  }

  #item(message: FakeMessage, item: FetchItem): FetchData {
    switch (item.kind) {
      case 'uid':
        return { kind: 'uid', uid: message.uid }
      case 'flags':
        return flagsOf(message)
      case 'internal-date':
        return { kind: 'internal-date', date: message.date }
      case 'size':
        return { kind: 'size', sizeBytes: message.octets.length }
      case 'envelope':
        return {
          kind: 'envelope',
          wire: Buffer.from(`(NIL "${header(message, 'Subject')}" NIL NIL NIL NIL NIL NIL NIL NIL)`),
        }
      case 'body-structure':
        return {
          kind: 'body-structure',
          extended: item.extended,
          wire: Buffer.from('("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1)'),
        }
      case 'section':
        return { kind: 'section', item, octets: section(message, item) }
    }
  }

  search(key: SearchKey): number[] {
    return this.messages.flatMap((_, i) => (this.#matches(i, key) ? [i] : []))
  }

  #matches(index: number, key: SearchKey): boolean {
    const message = this.messages[index] as FakeMessage
    switch (key.kind) {
      case 'flag':
        return ((message.flags.system & key.bit) !== 0) === key.set
      case 'keyword':
        return hasKeyword(message.flags, key.keyword) === key.set
      case 'recent':
        return message.recent === key.set
      case 'uid':
        return containsUid(resolveStar(key.set, this.uidNext - 1), message.uid)
      case 'sequence':
        return containsUid(resolveStar(key.set, this.messages.length), index + 1)
      case 'not':
        return !this.#matches(index, key.key)
      case 'or':
        return this.#matches(index, key.left) || this.#matches(index, key.right)
      case 'and':
        return key.keys.every((one) => this.#matches(index, one))
      case 'header':
        return header(message, key.name).toLowerCase().includes(key.text.toLowerCase())
      case 'size':
        return message.octets.length > key.sizeBytes === (key.relation === 'larger')
      default:
        return true
    }
  }
}

export function flagsOf(message: FakeMessage): FetchData {
  return { kind: 'flags', flags: renderFlags(flagNames(message.flags), message.recent) }
}

function header(message: FakeMessage, name: string): string {
  return new RegExp(`^${name}: (.*)\r$`, 'im').exec(message.octets.toString('latin1'))?.[1] ?? ''
}

function section(message: FakeMessage, item: FetchSection): Buffer | null {
  const end = message.octets.indexOf('\r\n\r\n') + 4
  const { part, text } = item.section
  const whole =
    part.length > 0
      ? part.join('.') === '1'
        ? message.octets.subarray(end)
        : null
      : text === undefined
        ? message.octets
        : text.kind === 'text'
          ? message.octets.subarray(end)
          : message.octets.subarray(0, end)
  const { partial } = item
  return whole === null || partial === undefined
    ? whole
    : whole.subarray(partial.offset, partial.offset + partial.length)
}
