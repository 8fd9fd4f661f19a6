import { INBOX, MAX_NAME_OCTETS, SEPARATOR } from './mailbox-name.ts'

/**
 * Patterns of LIST (rfc3501 §6.3.8): `*` stands for anything, `%` for anything without a separator. No regular
 * expression and no backtracking: all ways through the pattern are followed at once, one bit each, so that
 * `*%*%*%` costs what `a` costs (James CVE-2021-40110).
 */
export type MatchMailbox = (name: string) => boolean

const SEPARATOR_CODE = SEPARATOR.charCodeAt(0)

/** Whether `name` (canonical) matches; for many names compile the pattern once. */
export function matchPattern(pattern: string, name: string): boolean {
  return compilePattern(pattern)(name)
}

/** Makes the test for one pattern. INBOX matches in any case (rfc3501 §5.1). A pattern that is too long matches nothing. */
export function compilePattern(pattern: string): MatchMailbox {
  // Before the normal form: to put very many combining marks in order takes the square of their number.
  if (pattern.length > MAX_NAME_OCTETS * 4) return () => false
  const text = pattern.normalize('NFC')
  if (text === '*') return () => true
  if (text.length > MAX_NAME_OCTETS * 2) return () => false
  const program = compile(text)
  return (name) => run(program, name)
}

/** State i says: the first i literals are matched. Bit sets of states, 32 a word. */
interface Program {
  readonly literals: number
  readonly words: number
  /** By UTF-16 unit: states whose next literal it is. */
  readonly next: ReadonlyMap<number, Uint32Array>
  /** States where `*` stands, states where `%` stands. */
  readonly any: Uint32Array
  readonly anyButSeparator: Uint32Array
}

function compile(pattern: string): Program {
  let literals = 0
  for (let i = 0; i < pattern.length; i++) if (pattern[i] !== '*' && pattern[i] !== '%') literals++
  const words = (literals >>> 5) + 1
  const any = new Uint32Array(words)
  const anyButSeparator = new Uint32Array(words)
  const next = new Map<number, Uint32Array>()
  let state = 0
  for (let i = 0; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i)
    if (pattern[i] === '*') setBit(any, state)
    else if (pattern[i] === '%') setBit(anyButSeparator, state)
    else {
      const states = next.get(unit) ?? new Uint32Array(words)
      setBit(states, state++)
      next.set(unit, states)
    }
  }
  return { literals, words, next, any, anyButSeparator }
}

function run(program: Program, name: string): boolean {
  if (name.length < program.literals) return false
  const inboxLength = isInbox(name) ? INBOX.length : 0
  const live = new Uint32Array(program.words)
  live[0] = 1
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    const other = i < inboxLength ? program.next.get(unit | 0x20) : undefined
    if (!step(program, live, unit, other)) return false
  }
  return ((live[program.literals >>> 5] as number) & (1 << (program.literals & 31))) !== 0
}

/** Moves all live states over one unit; false when none is left. */
function step(program: Program, live: Uint32Array, unit: number, other: Uint32Array | undefined): boolean {
  const next = program.next.get(unit)
  let carry = 0
  let alive = 0
  for (let w = 0; w < live.length; w++) {
    const now = live[w] as number
    const advance = now & ((next?.[w] ?? 0) | (other?.[w] ?? 0))
    const loops =
      (program.any[w] as number) | (unit === SEPARATOR_CODE ? 0 : (program.anyButSeparator[w] as number))
    const then = (advance << 1) | carry | (now & loops)
    carry = advance >>> 31
    live[w] = then
    alive |= then
  }
  return alive !== 0
}

function isInbox(name: string): boolean {
  return name.startsWith(INBOX) && (name.length === INBOX.length || name[INBOX.length] === SEPARATOR)
}

function setBit(set: Uint32Array, bit: number): void {
  set[bit >>> 5] = (set[bit >>> 5] as number) | (1 << (bit & 31))
}
