import type { CommandFault } from './fault.ts'
import { type ImapLimits, LITERAL_MINUS_OCTETS, MAX_NUMBER } from './limits.ts'

/** The announcement of a literal at the end of a line (rfc3501 §4.3, rfc7888 §3). */
export interface LiteralMark {
  /** The line before it. */
  readonly text: string
  /** Infinity where the number is none that IMAP has. */
  readonly sizeBytes: number
  /** The client sends the octets only after our continuation. */
  readonly waits: boolean
  /** `~{5}`: rfc3516 §4.4, for BINARY only. */
  readonly binary: boolean
}

const MARK = /\{(\d{1,20})(\+?)\}$/

export function literalMark(line: string): LiteralMark | undefined {
  if (!line.endsWith('}')) return undefined
  const match = MARK.exec(line)
  if (match === null) return undefined
  const size = Number(match[1])
  const text = line.slice(0, match.index)
  return {
    text,
    sizeBytes: size > MAX_NUMBER ? Number.POSITIVE_INFINITY : size,
    waits: match[2] === '',
    binary: text.endsWith('~'),
  }
}

export interface LiteralContext {
  readonly limits: ImapLimits
  readonly literals: 'LITERAL+' | 'LITERAL-'
  readonly loggedIn: boolean
  /** Literals of this command so far. */
  readonly count: number
  /** Octets of this command so far, text and literals. */
  readonly octets: number
}

/** Why an ordinary literal is not let in, or undefined. */
export function literalFault(mark: LiteralMark, context: LiteralContext): CommandFault | undefined {
  const { limits, loggedIn } = context
  const count = loggedIn ? limits.literalsPerCommand : limits.literalsPerCommandBeforeLogin
  if (context.count >= count) return { status: 'BAD', code: 'LIMIT', text: 'too many literals' }
  const one = loggedIn ? limits.literalOctets : limits.literalOctetsBeforeLogin
  const all = loggedIn ? limits.commandOctets : limits.commandOctetsBeforeLogin
  if (mark.sizeBytes > one || context.octets + mark.sizeBytes > all)
    return { status: 'BAD', code: 'TOOBIG', text: 'literal too big' }
  return formFault(mark, context.literals)
}

/** Faults of a literal's form, whatever it holds. */
export function formFault(mark: LiteralMark, literals: 'LITERAL+' | 'LITERAL-'): CommandFault | undefined {
  if (mark.binary) return { status: 'BAD', text: 'literal8 is not supported' }
  // rfc7888 §5.
  if (literals === 'LITERAL-' && !mark.waits && mark.sizeBytes > LITERAL_MINUS_OCTETS)
    return { status: 'BAD', code: 'TOOBIG', text: `literal above ${LITERAL_MINUS_OCTETS} octets must wait` }
  return undefined
}
