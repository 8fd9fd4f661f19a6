/**
 * The flags of one message (rfc3501 §2.3.2), without `\Recent`: that one belongs to a session, cannot be
 * stored by a client, and so never is part of this value.
 */
export interface FlagSet {
  /** Sum of the system flags' bits below. */
  readonly system: number
  /** Sorted without regard to case, no two the same without regard to case, spelling as first given. */
  readonly keywords: readonly string[]
}

export const SEEN = 1
export const ANSWERED = 2
export const FLAGGED = 4
export const DELETED = 8
export const DRAFT = 16

/** In the order in which they are written. */
export const SYSTEM_FLAGS: readonly (readonly [name: string, bit: number])[] = [
  ['\\Answered', ANSWERED],
  ['\\Flagged', FLAGGED],
  ['\\Deleted', DELETED],
  ['\\Seen', SEEN],
  ['\\Draft', DRAFT],
]
export const RECENT = '\\Recent'
export const NO_FLAGS: FlagSet = { system: 0, keywords: [] }

/** Real keywords are short (`$MDNSent`, `NonJunk`); each one is kept and sent with every message that has it. */
export const MAX_KEYWORD_OCTETS = 100
/** A person's labels fit many times; every FETCH FLAGS of the message carries them all. */
export const MAX_KEYWORDS_PER_MESSAGE = 64

/** rfc3501 §9, flag-keyword = atom: printable ASCII but the atom-specials. */
const KEYWORD = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/
const SYSTEM_BITS = new Map(SYSTEM_FLAGS.map(([name, bit]) => [name.toLowerCase(), bit]))

export function isKeyword(text: string): boolean {
  return text.length <= MAX_KEYWORD_OCTETS && KEYWORD.test(text)
}

/**
 * Makes a set of the names as they stand in STORE or APPEND: system flags in any case, keywords.
 * @returns undefined where a name is `\Recent`, an unknown system flag, no atom, too long, or one too many.
 */
export function makeFlagSet(names: readonly string[]): FlagSet | undefined {
  if (names.length === 0) return NO_FLAGS
  let system = 0
  const keywords: string[] = []
  for (const name of names) {
    const bit = SYSTEM_BITS.get(name.toLowerCase())
    if (bit !== undefined) system |= bit
    else if (isKeyword(name)) keywords.push(name)
    else return undefined
  }
  const unique = sortKeywords(keywords)
  return unique.length > MAX_KEYWORDS_PER_MESSAGE ? undefined : { system, keywords: unique }
}

/** The names in the order in which they go on the wire, separated by spaces. */
export function formatFlagSet(flags: FlagSet): string {
  return flagNames(flags).join(' ')
}

export function flagNames(flags: FlagSet): string[] {
  const names: string[] = []
  for (const [name, bit] of SYSTEM_FLAGS) if ((flags.system & bit) !== 0) names.push(name)
  return names.concat(flags.keywords)
}

export function hasKeyword(flags: FlagSet, keyword: string): boolean {
  const wanted = keyword.toLowerCase()
  return flags.keywords.some((one) => one.toLowerCase() === wanted)
}

/** STORE +FLAGS. May hold more keywords than a message may have: see `tooManyKeywords`. */
export function addFlags(to: FlagSet, added: FlagSet): FlagSet {
  const keywords =
    added.keywords.length === 0 ? to.keywords : sortKeywords([...to.keywords, ...added.keywords])
  return { system: to.system | added.system, keywords }
}

/** STORE -FLAGS. */
export function removeFlags(from: FlagSet, removed: FlagSet): FlagSet {
  const keywords =
    removed.keywords.length === 0
      ? from.keywords
      : from.keywords.filter((keyword) => !hasKeyword(removed, keyword))
  return { system: from.system & ~removed.system, keywords }
}

export function equalFlags(a: FlagSet, b: FlagSet): boolean {
  return (
    a.system === b.system &&
    a.keywords.length === b.keywords.length &&
    a.keywords.every((keyword, i) => keyword.toLowerCase() === b.keywords[i]?.toLowerCase())
  )
}

export function tooManyKeywords(flags: FlagSet): boolean {
  return flags.keywords.length > MAX_KEYWORDS_PER_MESSAGE
}

function sortKeywords(keywords: readonly string[]): string[] {
  const byKey = new Map<string, string>()
  for (const keyword of keywords) {
    const key = keyword.toLowerCase()
    if (!byKey.has(key)) byKey.set(key, keyword)
  }
  const keys = [...byKey.keys()].sort()
  return keys.map((key) => byKey.get(key) as string)
}
