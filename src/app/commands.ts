import { CHECK_VERB } from './cli/check.ts'
import { CHECK_MESSAGE_VERB } from './cli/check-message.ts'
import { CONFIG_VERBS } from './cli/config.ts'
import { CommandFailure } from './cli/failure.ts'
import { fileSentence } from './cli/file-error.ts'
import { commandsPage, helpLines, usageLine, verbHelp, verbLines } from './cli/help.ts'
import type { Io } from './cli/io.ts'
import { OPERATION_VERBS } from './cli/operations.ts'
import { RESTORE_VERB } from './cli/restore.ts'
import { SALVAGE_VERB } from './cli/salvage.ts'
import { SENDMAIL_VERB } from './cli/sendmail.ts'
import { SERVE_VERB } from './cli/serve.ts'
import { START_VERB } from './cli/start.ts'
import { TLS_VERBS } from './cli/tls.ts'
import { requiredWords, UsageError, type Verb } from './cli/verb.ts'
import { version } from './version.ts'

/** Every command, in the order in which help shows them. */
export const VERBS: readonly Verb[] = [
  START_VERB,
  SERVE_VERB,
  ...CONFIG_VERBS,
  ...OPERATION_VERBS,
  CHECK_MESSAGE_VERB,
  RESTORE_VERB,
  CHECK_VERB,
  SALVAGE_VERB,
  ...TLS_VERBS,
  SENDMAIL_VERB,
]

/** The command line is wrong. */
const EXIT_USAGE = 2

/** @returns the exit code. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const split = splitConfig(argv)
  if (split === undefined) {
    io.err('--config needs the path of a configuration file behind it.')
    return EXIT_USAGE
  }
  const { rest: args, configFile } = split
  const [first] = args
  if (first === undefined || first === 'help' || first === '--help' || first === '-h')
    return help(args.slice(1), io)
  if (first === '--version' || first === '-V') {
    io.out(`hikyaku ${version()}`)
    return 0
  }
  const found = findVerb(args)
  if (found === undefined) return unknownCommand(args, io)
  const { verb, rest } = found
  // Of sendmail every word is the caller's: `-h` and the like have their old meanings there.
  if (rest.includes('--help') && verb !== SENDMAIL_VERB) return help(verb.words.split(' '), io)
  try {
    return await verb.run(rest, { io, configFile })
  } catch (error) {
    return failed(verb, error, io)
  }
}

/** Takes `--config FILE` (or `--config=FILE`) out of the arguments, wherever it stands; undefined: it names no file. */
function splitConfig(
  args: readonly string[],
): { readonly rest: readonly string[]; readonly configFile: string | undefined } | undefined {
  const rest: string[] = []
  let configFile: string | undefined
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    const isOption = word === '--config' || word.startsWith('--config=')
    if (!isOption) {
      rest.push(word)
      continue
    }
    configFile = word === '--config' ? args[++i] : word.slice('--config='.length)
    if (configFile === undefined || configFile === '' || configFile.startsWith('--')) return undefined
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

/** The verbs that begin with these words. */
function verbsUnder(words: readonly string[]): readonly Verb[] {
  return VERBS.filter((verb) => `${verb.words} `.startsWith(`${words.join(' ')} `))
}

function help(args: readonly string[], io: Io): number {
  if (args.includes('--page')) {
    for (const line of commandsPage(VERBS).trimEnd().split('\n')) io.out(line)
    return 0
  }
  if (args.length === 0) {
    for (const line of helpLines(VERBS)) io.out(line)
    return 0
  }
  const found = verbsUnder(args)
  if (found.length === 0) return unknownCommand(args, io)
  for (const line of found.flatMap(verbHelp)) io.out(line)
  return 0
}

/** A word that begins several verbs lists them; any other is not known. */
function unknownCommand(args: readonly string[], io: Io): number {
  const group = verbsUnder(args.slice(0, 1))
  const words = args.slice(0, group.length === 0 ? 1 : 2).join(' ')
  if (group.length === 0) io.err(`There is no command "${words}"; \`hikyaku help\` lists those that are.`)
  else {
    io.err(args.length === 1 ? `"${words}" is one of these:` : `There is no command "${words}", but these:`)
    for (const line of verbLines(group)) io.err(line)
  }
  return EXIT_USAGE
}

/** What went wrong as a sentence; a fault of our own is thrown on. */
function failed(verb: Verb, error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    const missing = error.missing === undefined ? undefined : requiredWords(verb.usage)[error.missing]
    io.err(`${missing === undefined ? error.message : `${missing} is missing`}. Usage: ${usageLine(verb)}`)
    return EXIT_USAGE
  }
  if (error instanceof CommandFailure) {
    for (const line of error.message.split('\n')) io.err(line)
    return error.exitCode
  }
  const sentence = fileSentence(error)
  if (sentence === undefined) throw error
  io.err(sentence)
  return 1
}
