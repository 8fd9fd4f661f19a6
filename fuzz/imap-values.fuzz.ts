import { decodeMutf7, encodeMutf7 } from '../src/bytes/mutf7.ts'
import { Bug } from '../src/mail/assert.ts'
import { flagNames, makeFlagSet } from '../src/mail/flags.ts'
import { parseMailboxName } from '../src/mail/mailbox-name.ts'
import { matchPattern } from '../src/mail/mailbox-pattern.ts'
import { containsUid, countUids, formatUidSet, iterateUids, parseUidSet } from '../src/mail/uid-set.ts'
import { formatDay, formatInternalDate, parseDay, parseInternalDate } from '../src/protocol/imap/date.ts'
import { parseCode } from '../src/protocol/imap/parse-code.ts'
import { encodeCode } from '../src/protocol/imap/responses/code.ts'

/** What is read of a text is written as it was, or in the one form that reads as the same. */
export const name = 'imap-values'

export const corpus: readonly string[] = [
  '1,3:5,7:*,*:2',
  '4294967295:1',
  '&U,BTFw-/&ZeVnLIqe-',
  'inbox/A&-B/..',
  'a/*%*%b',
  '17-Jul-1996 02:44:25 -0700',
  ' 1-Jan-0000 00:00:60 +2359',
  '29-Feb-2000',
  '\\Seen $Work \\Answered work',
  'COPYUID 7 1:3,9 4:7',
  'PERMANENTFLAGS (\\Seen x \\*)',
  'BADCHARSET (US-ASCII "a b")',
]

export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8')
  const octets = Buffer.from(input).toString('latin1')
  sets(octets)
  names(text)
  const date = parseInternalDate(octets)
  if (date !== undefined) same(parseInternalDate(formatInternalDate(date)), date)
  const day = parseDay(octets)
  if (day !== undefined) same(parseDay(formatDay(day)), day)
  const flags = makeFlagSet(octets.split(' '))
  if (flags !== undefined) same(makeFlagSet(flagNames(flags)), flags)
  const code = parseCode(octets)
  if (typeof code === 'object') same(parseCode(encodeCode(code).slice(1, -1)), code)
}

function sets(octets: string): void {
  const set = parseUidSet(octets)
  if (set === undefined) return
  same(parseUidSet(formatUidSet(set)), set)
  let count = 0
  for (const uid of iterateUids(set, 100)) {
    count++
    if (!containsUid(set, uid)) throw new Bug(`${uid} is not in its set`)
  }
  if (count !== Math.min(100, countUids(set))) throw new Bug('the set has another number of members')
}

function names(text: string): void {
  const decoded = decodeMutf7(text)
  if (decoded !== undefined) same(encodeMutf7(decoded), text)
  const name = parseMailboxName(text)
  if (name !== undefined) {
    same(parseMailboxName(name), name)
    same(decodeMutf7(encodeMutf7(name)), name)
    if (!matchPattern(name, name) || !matchPattern('*', name)) throw new Bug('a name does not match itself')
  }
  matchPattern(text, 'INBOX/a/b')
}

function same(a: unknown, b: unknown): void {
  if (JSON.stringify(a) !== JSON.stringify(b))
    throw new Bug(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`)
}
