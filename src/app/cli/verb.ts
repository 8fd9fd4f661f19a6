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
  /** @returns the exit code. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}

/** The command line does not fit; `message` says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
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
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...args], options: declared, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { positionals, values } = parsed
  if (positionals.length < min || positionals.length > max)
    throw new UsageError(
      positionals.length < min ? 'something is missing' : `"${positionals[max]}" is too much`,
    )
  return {
    positionals,
    text(name) {
      const value = values[name]
      return typeof value === 'string' ? value : undefined
    },
    flag: (name) => values[name] === true,
  }
}
