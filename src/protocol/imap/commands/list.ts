import { MAX_LIST_PATTERNS } from '../limits.ts'
import type { WireReader } from '../reader.ts'
import { decodeName, mailboxText } from './arguments.ts'
import { readStatusItems, type StatusItem } from './status.ts'

/** rfc5258 §3.1, rfc6154 §3. */
export type ListSelectOption = 'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE'
/** rfc5258 §3.2, rfc6154 §3. */
export type ListReturnOption = 'SUBSCRIBED' | 'CHILDREN' | 'SPECIAL-USE'

export interface ListCommand {
  readonly kind: 'list'
  /**
   * The reference joined with each pattern, for mail/mailbox-pattern. Empty where the client asked
   * `LIST "" ""`: the answer is the separator (rfc3501 §6.3.8).
   */
  readonly patterns: readonly string[]
  readonly select: readonly ListSelectOption[]
  readonly returns: readonly ListReturnOption[]
  /** rfc5819 §2: RETURN (STATUS (…)); empty where not asked. */
  readonly status: readonly StatusItem[]
}

const SELECT_OPTIONS: readonly string[] = ['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']
const RETURN_OPTIONS: readonly string[] = ['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE']
const MAX_OPTIONS = 10

/** rfc3501 §6.3.8, and the extended form of rfc5258 §6. */
export function parseList(reader: WireReader): ListCommand {
  reader.space()
  const select = reader.peek() === '(' ? readSelectOptions(reader) : []
  const reference = mailboxText(reader)
  reader.space()
  const patterns = reader.peek() === '(' ? readPatterns(reader) : [readPattern(reader)]
  const { returns, status } = reader.tryChar(' ') ? readReturn(reader) : { returns: [], status: [] }
  const basic = patterns.length === 1 && patterns[0] === ''
  return { kind: 'list', patterns: basic ? [] : patterns.map((p) => reference + p), select, returns, status }
}

export function readPattern(reader: WireReader): string {
  return decodeName(reader, reader.listPattern('a mailbox pattern'))
}

function readPatterns(reader: WireReader): string[] {
  const patterns: string[] = []
  reader.list({ least: 1, most: MAX_LIST_PATTERNS, what: 'patterns' }, () =>
    patterns.push(readPattern(reader)),
  )
  return patterns
}

function readSelectOptions(reader: WireReader): ListSelectOption[] {
  const options: ListSelectOption[] = []
  reader.list({ least: 0, most: MAX_OPTIONS, what: 'options' }, () => {
    const word = reader.word('an option')
    if (!SELECT_OPTIONS.includes(word)) reader.fail('unknown selection option')
    options.push(word as ListSelectOption)
  })
  // rfc5258 §3.1: RECURSIVEMATCH alone says nothing to recurse for.
  const others = options.filter((option) => option !== 'RECURSIVEMATCH' && option !== 'REMOTE')
  if (options.includes('RECURSIVEMATCH') && others.length === 0)
    reader.fail('RECURSIVEMATCH needs another option')
  reader.space()
  return options
}

function readReturn(reader: WireReader): Pick<ListCommand, 'returns' | 'status'> {
  const returns: ListReturnOption[] = []
  let status: readonly StatusItem[] = []
  if (!reader.tryWord('RETURN')) reader.fail('expected RETURN')
  reader.space()
  reader.list({ least: 0, most: MAX_OPTIONS, what: 'options' }, () => {
    const word = reader.word('an option')
    if (word === 'STATUS') {
      reader.space()
      status = readStatusItems(reader)
    } else if (RETURN_OPTIONS.includes(word)) returns.push(word as ListReturnOption)
    else reader.fail('unknown return option')
  })
  return { returns, status }
}
