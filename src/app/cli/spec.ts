import type { Parsed, parseCommandLine } from './verb.ts'

/** A command that asks one operation. */
export interface Spec {
  readonly words: string
  readonly usage: string
  readonly says: string
  readonly details?: readonly string[] | undefined
  readonly operation: string
  readonly shape: Parameters<typeof parseCommandLine>[1]
  readonly args: (parsed: Parsed) => Readonly<Record<string, unknown>>
  /** Takes a password: from standard input with `--password-stdin`, from the terminal with `--ask`, else one is generated. */
  readonly password?: boolean
}

export const at = (parsed: Parsed, index: number): string | undefined => parsed.positionals[index]
