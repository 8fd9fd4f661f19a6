import fc from 'fast-check'
import { flagNames, makeFlagSet, SYSTEM_FLAGS } from '../../mail/flags.ts'
import { type MailboxName, parseMailboxName } from '../../mail/mailbox-name.ts'
import type { SearchKey } from '../../mail/search.ts'
import { parseUidSet, type UidSet } from '../../mail/uid-set.ts'
import type { ImapCommand } from './command.ts'
import { type FetchItem, type FetchSection, OLD_SECTIONS } from './commands/fetch.ts'
import type { StatusItem } from './commands/status.ts'
import type { InternalDate } from './date.ts'
import type { ImapResponse } from './response.ts'
import type { ResponseCode } from './responses/code.ts'
import type { FetchData } from './responses/fetch.ts'
import { renderFlags } from './responses/flag-list.ts'
import type { Section, SectionText } from './section.ts'

/** Values of every kind that the wire can hold, in the form in which parsing gives them back. */

/** With the usual prototype, so that strict comparison takes them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

const ATOM_CHARS = [..."!#$&'+,-./0123456789:;<=>?@ABCXYZ^_`abcxyz|}~"]
export const atom = fc
  .array(fc.constantFrom(...ATOM_CHARS), { minLength: 1, maxLength: 12 })
  .map((chars) => chars.join(''))
/** Octets as characters, without NUL. */
const octets = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(34, 92, 123, 125, 13, 10)), {
    maxLength: 24,
  })
  .map((codes) => String.fromCharCode(...codes))
const text = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((t) => !t.includes('\0') && t.isWellFormed())
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const nonZero = fc.integer({ min: 1, max: 0xffff_ffff })

export const mailbox: fc.Arbitrary<MailboxName> = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
      fc.constantFrom('INBOX', 'a&b', '日本語', 'nil'),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parseMailboxName(parts.join('/')))
  .filter((name) => name !== undefined)

const range = fc.tuple(fc.oneof(nonZero, fc.constant('*')), fc.oneof(nonZero, fc.constant('*')))
export const uidSet: fc.Arbitrary<UidSet> = fc
  .array(range, { minLength: 1, maxLength: 10 })
  .map((ranges) => parseUidSet(ranges.map(([a, b]) => (a === b ? `${a}` : `${a}:${b}`)).join(',')))
  .filter((set) => set !== undefined)
const starless = uidSet.filter((set) => set.star === undefined)

const keyword = atom
export const flagSet = fc
  .array(fc.oneof(keyword, fc.constantFrom(...SYSTEM_FLAGS.map(([name]) => name))), { maxLength: 8 })
  .map((names) => makeFlagSet(names))
  .filter((flags) => flags !== undefined)

const date: fc.Arbitrary<InternalDate> = fc
  .tuple(fc.integer({ min: -2_000_000_000, max: 30_000_000_000 }), fc.integer({ min: -1439, max: 1439 }))
  .map(([seconds, zoneMinutes]) => ({ ms: seconds * 1000, zoneMinutes }))

const fieldName = atom.filter((name) => !name.includes(':'))
const sectionText: fc.Arbitrary<SectionText | undefined> = fc.oneof(
  fc.constantFrom(undefined, { kind: 'header' } as const, { kind: 'text' } as const),
  record({
    kind: fc.constant('header-fields' as const),
    not: fc.boolean(),
    fields: fc.array(fieldName, { minLength: 1, maxLength: 4 }),
  }),
)
const section: fc.Arbitrary<Section> = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }), sectionText, fc.boolean())
  .map(([part, what, mime]) => {
    if (mime && part.length > 0) return { part, text: { kind: 'mime' } }
    return what === undefined ? { part } : { part, text: what }
  })
const fetchSection: fc.Arbitrary<FetchSection> = fc.oneof(
  fc.constantFrom(...OLD_SECTIONS.values()),
  fc
    .tuple(section, fc.boolean(), fc.option(fc.tuple(uint32, nonZero), { nil: undefined }))
    .map(([one, peek, partial]): FetchSection => {
      const base = { kind: 'section', name: 'BODY', section: one, peek } as const
      return partial === undefined ? base : { ...base, partial: { offset: partial[0], length: partial[1] } }
    }),
)
const fetchItem: fc.Arbitrary<FetchItem> = fc.oneof(
  fc.constantFrom('uid', 'flags', 'internal-date', 'size', 'envelope').map((kind) => ({ kind }) as FetchItem),
  fc.boolean().map((extended): FetchItem => ({ kind: 'body-structure', extended })),
  fetchSection,
)

const day = record({
  year: fc.integer({ min: 1970, max: 2100 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
})
const leafKey: fc.Arbitrary<SearchKey> = fc.oneof(
  fc.constant<SearchKey>({ kind: 'all' }),
  record({ kind: fc.constant('flag' as const), bit: fc.constantFrom(1, 2, 4, 8, 16), set: fc.boolean() }),
  record({ kind: fc.constant('keyword' as const), keyword, set: fc.boolean() }),
  record({ kind: fc.constant('recent' as const), set: fc.boolean() }),
  record({ kind: fc.constant('header' as const), name: fieldName.map((n) => n.toLowerCase()), text }),
  record({ kind: fc.constantFrom('body' as const, 'text' as const), text }),
  record({
    kind: fc.constant('date' as const),
    of: fc.constantFrom('arrival' as const, 'sent' as const),
    relation: fc.constantFrom('before' as const, 'on' as const, 'since' as const),
    day,
  }),
  record({
    kind: fc.constant('size' as const),
    relation: fc.constantFrom('larger' as const, 'smaller' as const),
    sizeBytes: uint32,
  }),
  record({ kind: fc.constantFrom('sequence' as const, 'uid' as const), set: uidSet }),
)
export const searchKey: fc.Arbitrary<SearchKey> = fc.letrec<{ key: SearchKey }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 4 },
    leafKey,
    record({ kind: fc.constant('not' as const), key: tie('key') }),
    record({ kind: fc.constant('or' as const), left: tie('key'), right: tie('key') }),
    record({
      kind: fc.constant('and' as const),
      keys: fc.array(tie('key'), { minLength: 2, maxLength: 4 }),
    }),
  ),
})).key

const statusItems = fc.uniqueArray(
  fc.constantFrom<StatusItem>(
    'MESSAGES',
    'RECENT',
    'UIDNEXT',
    'UIDVALIDITY',
    'UNSEEN',
    'SIZE',
    'APPENDLIMIT',
  ),
  { minLength: 1 },
)
const pattern = fc.oneof(mailbox, fc.constantFrom('*', '%', 'a/%', '日本*', 'x%y'))
const plain = [
  'capability',
  'noop',
  'logout',
  'starttls',
  'check',
  'close',
  'unselect',
  'idle',
  'namespace',
] as const
const named = ['select', 'examine', 'create', 'delete', 'subscribe', 'unsubscribe'] as const
const word = fc
  .array(fc.constantFrom(...'ABCXYZ0189-'), { minLength: 1, maxLength: 10 })
  .map((chars) => chars.join(''))

export const command: fc.Arbitrary<ImapCommand> = fc.oneof(
  fc.constantFrom(...plain).map((kind): ImapCommand => ({ kind })),
  fc.tuple(fc.constantFrom(...named), mailbox).map(([kind, name]): ImapCommand => ({ kind, mailbox: name })),
  record({ kind: fc.constant('login' as const), user: text, password: text }),
  fc
    .tuple(word, fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }))
    .map(([mechanism, initial]): ImapCommand => {
      const base = { kind: 'authenticate', mechanism } as const
      return initial === undefined ? base : { ...base, initialResponse: Buffer.from(initial) }
    }),
  record({ kind: fc.constant('rename' as const), from: mailbox, to: mailbox }),
  record({
    kind: fc.constant('list' as const),
    patterns: fc.array(pattern, { maxLength: 3 }),
    select: fc.constantFrom([], ['SPECIAL-USE' as const], ['SUBSCRIBED' as const, 'RECURSIVEMATCH' as const]),
    returns: fc.constantFrom([], ['CHILDREN' as const], ['SPECIAL-USE' as const, 'SUBSCRIBED' as const]),
    status: fc.oneof(fc.constant([]), statusItems),
  }),
  record({ kind: fc.constant('lsub' as const), pattern }),
  record({ kind: fc.constant('status' as const), mailbox, items: statusItems }),
  fc.oneof(
    fc.constant<ImapCommand>({ kind: 'expunge' }),
    uidSet.map((uids): ImapCommand => ({ kind: 'expunge', uids })),
  ),
  record({ kind: fc.constant('search' as const), uid: fc.boolean(), key: searchKey }),
  record({
    kind: fc.constant('fetch' as const),
    uid: fc.boolean(),
    set: uidSet,
    items: fc.array(fetchItem, { minLength: 1, maxLength: 6 }),
  }).filter((one) => !one.uid || one.items.some((item) => item.kind === 'uid')),
  record({
    kind: fc.constant('store' as const),
    uid: fc.boolean(),
    set: uidSet,
    action: fc.constantFrom('replace' as const, 'add' as const, 'remove' as const),
    silent: fc.boolean(),
    flags: flagSet,
  }),
  record({
    kind: fc.constantFrom('copy' as const, 'move' as const),
    uid: fc.boolean(),
    set: uidSet,
    mailbox,
  }),
  record({
    kind: fc.constant('id' as const),
    fields: fc.array(fc.tuple(octets, fc.option(octets)), { maxLength: 4 }),
  }),
  record({
    kind: fc.constant('enable' as const),
    capabilities: fc.array(word, { minLength: 1, maxLength: 4 }),
  }),
)

export const appendCommand = record({
  mailbox,
  flags: flagSet,
  internalDate: fc.option(date, { nil: undefined }),
  sizeBytes: fc.nat(3000),
}).map((one) => ({ kind: 'append' as const, ...one }))

const code: fc.Arbitrary<ResponseCode> = fc.oneof(
  fc.constantFrom<ResponseCode>(
    'ALERT',
    'READ-ONLY',
    'READ-WRITE',
    'TRYCREATE',
    'PARSE',
    'TOOBIG',
    'UIDNOTSTICKY',
  ),
  record({
    kind: fc.constantFrom('uidnext' as const, 'uidvalidity' as const, 'unseen' as const),
    value: uint32,
  }),
  record({
    kind: fc.constant('capability' as const),
    capabilities: fc.array(atom, { minLength: 1, maxLength: 4 }),
  }),
  record({ kind: fc.constant('badcharset' as const), charsets: fc.array(word, { maxLength: 3 }) }),
  record({
    kind: fc.constant('permanentflags' as const),
    flags: flagSet.map((flags) => flagNames(flags)),
    any: fc.boolean(),
  }),
  record({ kind: fc.constant('appenduid' as const), uidValidity: uint32, uid: uint32 }),
  record({
    kind: fc.constant('copyuid' as const),
    uidValidity: uint32,
    source: starless,
    target: starless,
  }),
)
const humanText = fc.constantFrom('done', 'a b c', 'no such mailbox', 'it is {not} a literal {5} here')
export const condition = fc
  .tuple(
    fc.constantFrom('OK' as const, 'NO' as const, 'BAD' as const, 'BYE' as const),
    fc.option(code, { nil: undefined }),
    humanText,
  )
  .map(([status, one, human]) => {
    const base = { kind: 'condition' as const, status }
    return one === undefined ? { ...base, text: human } : { ...base, code: one, text: human }
  })

const octetBuffer = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const wire = fc.constantFrom(
  '(NIL "a \\" b" ("x" NIL {3}\r\na"b) NIL)',
  '("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 4 1)',
)
const fetchData: fc.Arbitrary<FetchData> = fc.oneof(
  record({ kind: fc.constant('uid' as const), uid: nonZero }),
  fc
    .tuple(flagSet, fc.boolean())
    .map(([flags, recent]): FetchData => ({ kind: 'flags', flags: renderFlags(flagNames(flags), recent) })),
  record({ kind: fc.constant('internal-date' as const), date }),
  record({ kind: fc.constant('size' as const), sizeBytes: uint32 }),
  wire.map((one): FetchData => ({ kind: 'envelope', wire: Buffer.from(one, 'latin1') })),
  fc.tuple(wire, fc.boolean()).map(
    ([one, extended]): FetchData => ({
      kind: 'body-structure',
      extended,
      wire: Buffer.from(one, 'latin1'),
    }),
  ),
  fc.tuple(fetchSection, fc.option(octetBuffer)).map(([item, data]): FetchData => {
    // A response does not say whether PEEK was asked for, and how much.
    const name = item.name === 'BODY' ? { ...item, peek: true } : item
    const partial =
      item.partial === undefined
        ? {}
        : { partial: { offset: item.partial.offset, length: data?.length ?? 0 } }
    return { kind: 'section', item: { ...name, ...partial }, octets: data }
  }),
)
const count = uint32

export const response: fc.Arbitrary<ImapResponse> = fc.oneof(
  condition,
  record({
    kind: fc.constant('capability' as const),
    capabilities: fc.array(atom, { minLength: 1, maxLength: 5 }),
  }),
  record({ kind: fc.constant('enabled' as const), capabilities: fc.array(atom, { maxLength: 3 }) }),
  record({ kind: fc.constantFrom('exists' as const, 'recent' as const), count }),
  record({ kind: fc.constant('expunge' as const), sequence: count }),
  record({
    kind: fc.constant('fetch' as const),
    sequence: count,
    items: fc.array(fetchData, { maxLength: 6 }),
  }),
  record({ kind: fc.constant('flags' as const), flags: flagSet.map((flags) => flagNames(flags)) }),
  record({ kind: fc.constant('search' as const), numbers: fc.array(uint32, { maxLength: 20 }) }),
  fc
    .tuple(
      fc.constantFrom('list' as const, 'lsub' as const),
      fc.oneof(mailbox, fc.constant('')),
      fc.boolean(),
    )
    .map(([kind, name, more]): ImapResponse => {
      const base = { kind, attributes: ['\\Noselect', '\\HasChildren'], name }
      return more ? { ...base, childInfo: ['SUBSCRIBED'] } : base
    }),
  record({
    kind: fc.constant('status' as const),
    mailbox,
    items: fc.uniqueArray(
      fc.tuple(
        statusItems.map((items) => items[0] as StatusItem),
        fc.option(uint32),
      ),
      {
        selector: ([item]) => item,
      },
    ),
  }),
  record({
    kind: fc.constant('namespace' as const),
    personal: fc.constantFrom([], [{ prefix: '', separator: '/' }]),
    others: fc.constantFrom(
      [],
      [
        { prefix: 'user/é', separator: '/' },
        { prefix: '~', separator: null },
      ],
    ),
    shared: fc.constantFrom([], [{ prefix: 'a"b', separator: '.' }]),
  }),
  record({
    kind: fc.constant('id' as const),
    fields: fc.oneof(
      fc.constant(null),
      fc.array(fc.tuple(octets, fc.option(octets)), { minLength: 1, maxLength: 3 }),
    ),
  }),
)
