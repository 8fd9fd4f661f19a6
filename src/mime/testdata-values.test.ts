import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parseAddresses } from './address.ts'
import { parseDate } from './date.ts'
import { headerFields, unfold } from './header.ts'
import { decodeWords } from './words.ts'

// mail-parser's lists of single header values, read where HIKYAKU_TESTDATA says they are.
const folder = process.env.HIKYAKU_TESTDATA
const options = { skip: folder === undefined ? 'HIKYAKU_TESTDATA is not set: no conformance values' : false }

/** Where we differ on purpose: how the value begins, and why. Each must be needed. */
type Differences = Readonly<Record<string, string>>

function entries(file: string): { header: string; expected: unknown }[] {
  return JSON.parse(fs.readFileSync(path.join(folder ?? '', 'mail/mail-parser/resources', file), 'utf8'))
}

function compare(
  file: string,
  differences: Differences,
  ours: (raw: string) => string,
  theirs: (expected: unknown) => string,
): void {
  const different: string[] = []
  const list = entries(file)
  for (const { header, expected } of list) {
    const raw = headerFields(Buffer.from(`X:${header}`))[0]?.raw ?? ''
    if (ours(raw) === theirs(expected)) continue
    const known = Object.keys(differences).find((start) => header.startsWith(start))
    assert.ok(known !== undefined, `${JSON.stringify(header)}: ${ours(raw)} instead of ${theirs(expected)}`)
    different.push(known)
  }
  assert.ok(list.length > 20)
  assert.deepEqual([...new Set(different)].toSorted(), Object.keys(differences).toSorted())
}

interface TheirAddress {
  readonly name: string | null
  readonly address: string | null
}
type TheirAddresses = {
  List?: TheirAddress[]
  Group?: { name: string | null; addresses: TheirAddress[] }[]
} | null

const COMMENT = 'comments are no part of a name or an address here'

test('addresses', options, () => {
  const differences: Differences = {
    'Pete(A nice': COMMENT,
    'A Group(Some people)': COMMENT,
    '(Empty list)': COMMENT,
    'John Doe <jdoe@machine(comment)': COMMENT,
    'Nathaniel Borenstein': COMMENT,
    'Name (comment)': COMMENT,
    'Mary Smith <@node.test:mary':
      'a route is no part of the address, nor is white space around dots (rfc5322 §4.4)',
    '<a@b.com> =?utf-8?q?Doe?=': 'words behind an address are no name: they would be shown for it',
  }
  const show = (name: string | null | undefined, address: string | null): string =>
    `${name || ''} <${address ?? ''}>`
  compare(
    'address.json',
    differences,
    (raw) =>
      parseAddresses(raw)
        .mailboxes.map(
          ({ name, local, domain, group }) =>
            `${group ?? ''}:${show(name, domain === '' ? local : `${local}@${domain}`)}`,
        )
        .join(),
    (expected) => {
      const { List, Group } = (expected as TheirAddresses) ?? {}
      const groups = Group ?? [{ name: '', addresses: List ?? [] }]
      return groups
        .flatMap((group) =>
          group.addresses.map(({ name, address }) => `${group.name ?? ''}:${show(name, address)}`),
        )
        .join()
    },
  )
})

test('dates', options, () => {
  const differences: Differences = {
    '20 11 (some': 'a month has a name',
    ' 4 8 15 16 23 42': 'a month has a name',
    'Tue, 1 Jul 2003 ((invalid)':
      'an unclosed comment takes the rest: the day is read, and the leniency tagged',
    'Thu, 10 Jul 1997 14:53:31 EST5EDT': 'a zone that has two offsets is none',
  }
  interface TheirDate {
    readonly [key: string]: number
  }
  compare(
    'date.json',
    differences,
    (raw) => String(parseDate(unfold(raw))?.ms),
    (expected) => {
      if (expected === null || typeof expected !== 'object') return 'undefined'
      const {
        year = 0,
        month = 0,
        day = 0,
        hour,
        minute,
        second,
        tz_before_gmt,
        tz_hour = 0,
        tz_minute = 0,
      } = expected as TheirDate
      const zoneMinutes = (tz_before_gmt ? -1 : 1) * (tz_hour * 60 + tz_minute)
      return String(Date.UTC(year, month - 1, day, hour, minute, second) - zoneMinutes * 60_000)
    },
  )
})

test('unstructured text', options, () => {
  const fold = 'unfolding takes line ends alone (rfc5322 §2.2.3): white space stays as it was written'
  const glued = 'text and a word without a space between stay without one'
  const differences: Differences = {
    ' Fwd: ': fold,
    ' FWD: ': fold,
    ' from x.y.test': fold,
    " let's = try": fold,
    '=?utf-8?Q?Hello\n': fold,
    '=?utf-8?Q?Hello\r\n': fold,
    '[SUSPECTED SPAM]': glued,
    'Some text =?utf-8?Q??=here': glued,
  }
  compare(
    'unstructured.json',
    differences,
    (raw) => decodeWords(unfold(raw)).text,
    (expected) => (typeof expected === 'string' ? expected : ''),
  )
})
