import { CONFIG_VERBS } from './cli/config.ts'
import { commandsPage, helpLines, usageLine } from './cli/help.ts'
import type { Io } from './cli/io.ts'
import { OPERATION_VERBS } from './cli/operations.ts'
import { SENDMAIL_VERB } from './cli/sendmail.ts'
import { SERVE_VERB } from './cli/serve.ts'
import { START_VERB } from './cli/start.ts'
import { TLS_VERBS } from './cli/tls.ts'
import { UsageError, type Verb } from './cli/verb.ts'

/** Every command, in the order in which help shows them. */
export const VERBS: readonly Verb[] = [
  START_VERB,
  SERVE_VERB,
  ...CONFIG_VERBS,
  ...OPERATION_VERBS,
  ...TLS_VERBS,
  SENDMAIL_VERB,
]

/** Takes `--config FILE` (or `--config=FILE`) out of the arguments, wherever it stands. */
function splitConfig(args: readonly string[]): {
  readonly rest: readonly string[]
  readonly configFile: string | undefined
} {
  const rest: string[] = []
  let configFile: string | undefined
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    if (word === '--config') configFile = args[++i]
    else if (word.startsWith('--config=')) configFile = word.slice('--config='.length)
    else rest.push(word)
  }
  return { rest, configFile }
}

/** The verb with the most words that the arguments begin with. */
function findVerb(
  args: readonly string[],
): { readonly verb: Verb; readonly rest: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    const verb = VERBS.find((candidate) => candidate.words === args.slice(0, words).join(' '))
    if (verb !== undefined) return { verb, rest: args.slice(words) }
  }
  return undefined
}

function help(args: readonly string[], io: Io): number {
  if (args.includes('--page')) {
    for (const line of commandsPage(VERBS).trimEnd().split('\n')) io.out(line)
    return 0
  }
  const found = VERBS.filter(({ words }) => args.length > 0 && `${words} `.startsWith(`${args.join(' ')} `))
  if (found.length === 0) for (const line of helpLines(VERBS)) io.out(line)
  for (const verb of found) {
    io.out(usageLine(verb))
    io.out(`  ${verb.says}`)
  }
  return 0
}

/** @returns the exit code. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const { rest: args, configFile } = splitConfig(argv)
  if (args.length === 0 || args[0] === 'help' || args[0] === '--help' || args[0] === '-h')
    return help(args.slice(1), io)
  const found = findVerb(args)
  if (found === undefined) {
    io.err(`There is no command "${args.slice(0, 2).join(' ')}"; \`hikyaku help\` lists those that are.`)
    return 2
  }
  try {
    return await found.verb.run(found.rest, { io, configFile })
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.err(`${error.message}. Usage: ${usageLine(found.verb)}`)
    return 2
  }
}
