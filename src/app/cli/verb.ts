import { parseArgs } from 'node:util'
import type { Io } from './io.ts'

/** What a command needs to know of where it runs. */
export interface CommandContext {
  readonly io: Io
  /** `--config FILE`, wherever it stood. */
  readonly configFile: string | undefined
}

/** One command line, declared once: help and the page of commands print from it. */
export interface Verb {
  /** `account add`. */
  readonly words: string
  /** What follows it: `ADDRESS [--quota SIZE]`. */
  readonly usage: string
  /** One sentence. */
  readonly says: string
  /** More sentences, one a line: options, forms of values, exit codes. */
  readonly details?: readonly string[] | undefined
  /** @returns the exit code. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}

/** The command line does not fit; `message` says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** The index of the first word that is missing: its name stands in the usage. */
  readonly missing: number | undefined

  constructor(message: string, missing?: number) {
    super(message)
    this.missing = missing
  }
}

export interface Parsed {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  flag(name: string): boolean
}

/** Splits arguments; an option that is not named is a `UsageError`. */
export function parseCommandLine(
  args: readonly string[],
  options: {
    readonly texts?: readonly string[]
    readonly flags?: readonly string[]
    readonly min?: number
    readonly max?: number
  },
): Parsed {
  const { texts = [], flags = [], min = 0, max = min } = options
  const declared = Object.fromEntries([
    ...texts.map((name) => [name, { type: 'string' as const }]),
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
  ])
  const { positionals, tokens } = parseArgs({
    args: [...args],
    options: declared,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string>()
  const given = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (texts.includes(name)) {
      if (value === undefined || value === '' || (token.inlineValue !== true && value.startsWith('-')))
        throw new UsageError(`${rawName} needs a value`)
      values.set(name, value)
    } else if (!flags.includes(name)) throw new UsageError(`There is no option ${rawName}`)
    else if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    else given.add(name)
  }
  if (positionals.length < min) throw new UsageError('A word is missing', positionals.length)
  if (positionals.length > max) throw new UsageError(`"${positionals[max]}" is too much`)
  return { positionals, text: (name) => values.get(name), flag: (name) => given.has(name) }
}

/** The words of a usage that must be there: `ADDRESS SIZE|none` of `ADDRESS SIZE|none [--ask]`. */
export function requiredWords(usage: string): readonly string[] {
  return usage
    .replace(/\[[^\]]*\]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('-'))
    .map((word) => word.replace(/…$/, ''))
}
