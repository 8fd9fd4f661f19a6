import { latin1 } from '../../bytes/ascii.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import { formatIp } from '../../mail/ip.ts'
import { MAX_ALIASES, MAX_RECORDS } from './limits.ts'
import { type DnsQuestion, type QueryType, TYPE_CODES } from './query.ts'
import { DnsReader } from './reader.ts'

export interface RecordOf {
  A: string
  AAAA: string
  /** `exchange` canonical; `''` is the root (the null MX). */
  MX: { readonly preference: number; readonly exchange: string }
  /** Its strings joined, octets as U+0000..U+00FF. */
  TXT: string
  PTR: string
  /** Where the name itself points; it is not followed. */
  CNAME: string
}

/** What one message says about one question. */
export type DnsAnswer<T> =
  | {
      readonly kind: 'records'
      readonly records: readonly T[]
      readonly ttlSeconds: number
      /** The server says that it has validated this (AD); whether it may be believed is not decided here. */
      readonly authenticated: boolean
    }
  /** NXDOMAIN. `ttlSeconds` 0: no SOA came along, so it must not be kept (rfc2308 §5). */
  | { readonly kind: 'no-name'; readonly ttlSeconds: number }
  | { readonly kind: 'no-data'; readonly ttlSeconds: number }
  /** The name is an alias and the answer ends there: ask for `target`. */
  | {
      readonly kind: 'alias'
      readonly target: string
      readonly ttlSeconds: number
      readonly authenticated: boolean
    }
  | { readonly kind: 'truncated' }
  /** FORMERR or NOTIMP: perhaps a server from before EDNS (rfc6891 §7). */
  | { readonly kind: 'format-error' }
  /** SERVFAIL, REFUSED, a referral instead of an answer. */
  | { readonly kind: 'failure'; readonly cause: string }
  /** Not an answer to this question: a late one, or somebody's guess. It must be ignored, not believed. */
  | { readonly kind: 'stray' }
  | { readonly kind: 'malformed'; readonly cause: string }

interface WireRecord {
  readonly name: string
  readonly type: number
  readonly ttlSeconds: number
  readonly start: number
  readonly end: number
}

const SOA = 6
const CLASS_IN = 1
const RCODES: Readonly<Record<number, string>> = { 2: 'SERVFAIL', 5: 'REFUSED', 9: 'NOTAUTH' }

/** Reads the answer to `question`. Never throws; takes time linear in the message. */
export function readAnswer<T extends QueryType>(
  message: Uint8Array,
  question: DnsQuestion & { readonly type: T },
): DnsAnswer<RecordOf[T]> {
  const reader = new DnsReader(message)
  const id = reader.u16()
  const flags = reader.u16()
  const counts = [reader.u16(), reader.u16(), reader.u16()] as const
  reader.u16()
  const isResponse = (flags & 0x8000) !== 0 && (flags & 0x7800) === 0
  if (reader.failed || !isResponse || id !== question.id) return { kind: 'stray' }
  const rcode = flags & 0x000f
  // Some servers leave the question out when they could not read it.
  if (counts[0] === 0 && (rcode === 1 || rcode === 4)) return { kind: 'format-error' }
  if (counts[0] !== 1 || !isSameQuestion(reader, message, question)) return { kind: 'stray' }
  if ((flags & 0x0200) !== 0) return { kind: 'truncated' }
  if (rcode === 1 || rcode === 4) return { kind: 'format-error' }
  if (rcode !== 0 && rcode !== 3) return { kind: 'failure', cause: RCODES[rcode] ?? `RCODE ${rcode}` }
  const answers = readRecords(reader, counts[1])
  const authority = readRecords(reader, counts[2])
  if (answers === undefined || authority === undefined)
    return { kind: 'malformed', cause: 'records that do not fit the message, or too many' }
  return conclude({ message, question, flags, answers, authority })
}

/** The question must come back as it was sent, letter case included (so `randomCase` is checked here). */
function isSameQuestion(reader: DnsReader, message: Uint8Array, question: DnsQuestion): boolean {
  const start = reader.at
  const name = reader.name()
  const type = reader.u16()
  const klass = reader.u16()
  if (reader.failed || name !== question.name.toLowerCase()) return false
  if (type !== TYPE_CODES[question.type] || klass !== CLASS_IN) return false
  const sent = latin1(message.subarray(start + 1, reader.at - 5))
  return (
    sent.length === question.name.length && [...question.name].every((c, i) => c === '.' || c === sent[i])
  )
}

function readRecords(reader: DnsReader, count: number): readonly WireRecord[] | undefined {
  if (count > MAX_RECORDS) return undefined
  const records: WireRecord[] = []
  for (let i = 0; i < count; i++) {
    const name = reader.name()
    const type = reader.u16()
    const klass = reader.u16()
    const ttl = reader.u32()
    const length = reader.u16()
    const start = reader.at
    reader.octets(length)
    if (reader.failed) return undefined
    // rfc2181 §8: a TTL with the top bit set is 0.
    const ttlSeconds = ttl > 0x7fff_ffff ? 0 : ttl
    if (klass === CLASS_IN) records.push({ name, type, ttlSeconds, start, end: reader.at })
  }
  return records
}

interface Parts<T extends QueryType> {
  readonly message: Uint8Array
  readonly question: DnsQuestion & { readonly type: T }
  readonly flags: number
  readonly answers: readonly WireRecord[]
  readonly authority: readonly WireRecord[]
}

function conclude<T extends QueryType>(parts: Parts<T>): DnsAnswer<RecordOf[T]> {
  const { message, question, flags, answers, authority } = parts
  const asked = question.name.toLowerCase()
  // Asked for an alias, the answer is the alias (rfc1034 §3.6.2).
  const chain =
    question.type === 'CNAME'
      ? { name: asked, ttlSeconds: Number.POSITIVE_INFINITY }
      : followAliases(message, asked, answers)
  if (chain === undefined) return { kind: 'malformed', cause: 'aliases that lead round, too far, or nowhere' }
  const authenticated = (flags & 0x0020) !== 0
  const wanted = answers.filter(
    (record) => record.type === TYPE_CODES[question.type] && record.name === chain.name,
  )
  if (wanted.length > 0) {
    const records = wanted.map((record) => readData(message, record, question.type))
    const good = records.filter((record) => record !== 'unusable') as RecordOf[T][]
    if (records.includes(undefined) || good.length === 0)
      return { kind: 'malformed', cause: `a ${question.type} record that can't be read` }
    const ttlSeconds = Math.min(chain.ttlSeconds, ...wanted.map((record) => record.ttlSeconds))
    return { kind: 'records', records: good, ttlSeconds, authenticated }
  }
  const soaTtl = negativeTtl(message, authority)
  const ttlSeconds = Math.min(chain.ttlSeconds, soaTtl ?? 0)
  if ((flags & 0x000f) === 3) return { kind: 'no-name', ttlSeconds }
  if (chain.name !== asked && soaTtl === undefined)
    return { kind: 'alias', target: chain.name, ttlSeconds: chain.ttlSeconds, authenticated }
  // Neither authoritative nor willing to recurse: a referral, which says nothing about the name.
  if (soaTtl === undefined && (flags & 0x0480) === 0)
    return { kind: 'failure', cause: 'the server does not resolve for us' }
  return { kind: 'no-data', ttlSeconds }
}

function followAliases(
  message: Uint8Array,
  from: string,
  answers: readonly WireRecord[],
): { readonly name: string; readonly ttlSeconds: number } | undefined {
  let name = from
  let ttlSeconds = Number.POSITIVE_INFINITY
  for (let hops = 0; ; hops++) {
    const alias = answers.find((record) => record.type === TYPE_CODES.CNAME && record.name === name)
    if (alias === undefined) return { name, ttlSeconds }
    const target = readName(message, alias)
    if (target === undefined || canonicalDomain(target) !== target || hops === MAX_ALIASES) return undefined
    name = target
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds)
  }
}

/** rfc2308 §5: the smaller of the SOA's own TTL and its MINIMUM field; undefined without an SOA. */
function negativeTtl(message: Uint8Array, authority: readonly WireRecord[]): number | undefined {
  const soa = authority.find((record) => record.type === SOA)
  if (soa === undefined) return undefined
  const reader = new DnsReader(message)
  reader.at = soa.start
  reader.name()
  reader.name()
  for (let i = 0; i < 4; i++) reader.u32()
  const minimum = reader.u32()
  return reader.failed || reader.at !== soa.end ? undefined : Math.min(soa.ttlSeconds, minimum)
}

/** A name that fills the record exactly; undefined where it does not. */
function readName(message: Uint8Array, record: WireRecord, skip = 0): string | undefined {
  const reader = new DnsReader(message)
  reader.at = record.start + skip
  const name = reader.name()
  return reader.failed || reader.at !== record.end ? undefined : name
}

/**
 * The record's value; undefined where it does not fit its length (short RDATA once crashed mail servers),
 * 'unusable' where it is well-formed and names what can't be a host.
 */
function readData(
  message: Uint8Array,
  record: WireRecord,
  type: QueryType,
): RecordOf[QueryType] | 'unusable' | undefined {
  const length = record.end - record.start
  switch (type) {
    case 'A':
    case 'AAAA':
      return length === (type === 'A' ? 4 : 16)
        ? formatIp(message.slice(record.start, record.end))
        : undefined
    case 'TXT':
      return readStrings(message, record)
    case 'PTR':
    case 'CNAME': {
      const name = readName(message, record)
      return name === undefined ? undefined : (canonicalDomain(name) ?? 'unusable')
    }
    case 'MX': {
      const name = length > 2 ? readName(message, record, 2) : undefined
      if (name === undefined) return undefined
      const exchange = name === '' ? '' : canonicalDomain(name)
      const preference = ((message[record.start] as number) << 8) | (message[record.start + 1] as number)
      return exchange === undefined ? 'unusable' : { preference, exchange }
    }
  }
}

function readStrings(message: Uint8Array, record: WireRecord): string | undefined {
  let text = ''
  let at = record.start
  while (at < record.end) {
    const end = at + 1 + (message[at] as number)
    if (end > record.end) return undefined
    text += latin1(message.subarray(at + 1, end))
    at = end
  }
  return text
}
