import { accessSentence } from '../../config/access.ts'
import { formatProblem, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/settings.ts'
import { callControl } from '../../platform/control-client.ts'
import { checkOnce, repairOnce } from '../operations/check.ts'
import type { OperationResult } from '../operations/operation.ts'
import { controlPath } from '../server/control.ts'
import { becomeDataOwner } from '../server/data-folder.ts'
import { operationResult, printResult, watched } from './ask.ts'
import { configLine, findConfigFile } from './config-file.ts'
import { CommandFailure } from './failure.ts'
import { type CommandContext, parseCommandLine, type Verb } from './verb.ts'

/** It could not be checked. */
const EXIT_UNCHECKED = 2

export const CHECK_VERB: Verb = {
  words: 'check',
  usage: '[--quick] [--repair]',
  says: 'Looks at every row, counter, reference, checksum and file of the data, and says what is wrong.',
  details: [
    'A running server does it beside its work, and mail goes on. How far it is comes on standard error, what is wrong on standard output.',
    '`--quick` reads no contents of messages: rows, counters, references and sizes alone.',
    '`--repair` puts right what the rest of the data proves, in one transaction: counters, references, indexes, what is kept of the structure of messages; files that no message has go into the folder `stray`. No mail that can be read is lost by it. The server must be stopped.',
    'Exit code 0: nothing is wrong; 1: something is, also after a repair; 2: it could not be checked.',
  ],
  async run(args, context) {
    const parsed = parseCommandLine(args, { flags: ['quick', 'repair'] })
    const file = findConfigFile(context.configFile)
    const loaded = loadConfig(file)
    if (!loaded.ok) throw new CommandFailure(loaded.problems.map(formatProblem).join('\n'), EXIT_UNCHECKED)
    const deep = !parsed.flag('quick')
    const result = parsed.flag('repair')
      ? await repair(loaded.config, deep, context)
      : await check(loaded.config, deep, context)
    if (!result.ok) throw new CommandFailure(`${result.error}\n${configLine(file)}`, EXIT_UNCHECKED)
    return printResult(context, result)
  },
}

/** By the running server, which knows what is on its way in; else by ourselves. */
async function check(config: Config, deep: boolean, context: CommandContext): Promise<OperationResult> {
  const path = controlPath(config.server.data)
  const answer = await callControl(path, { verb: 'check', args: { quick: !deep } }, (line) =>
    context.io.err(line),
  )
  if (answer.kind === 'result') return operationResult(answer.result)
  if (answer.kind === 'not-allowed') {
    const error = `${accessSentence(path)}: run the command as the server's user or as root.`
    return { ok: false, error }
  }
  if (answer.kind === 'error') return { ok: false, error: answer.sentence }
  const stays = becomeDataOwner(config)
  if (stays !== undefined) return { ok: false, error: stays }
  const job = { folder: config.server.data, deep, held: 'job', work: 'check' } as const
  return watched(context, (progress) => checkOnce(job, progress))
}

/** What is left wrong is told by another check. */
async function repair(config: Config, deep: boolean, context: CommandContext): Promise<OperationResult> {
  const stays = becomeDataOwner(config)
  if (stays !== undefined) return { ok: false, error: stays }
  const job = { folder: config.server.data, deep, held: 'job' } as const
  return watched(context, async (progress) => {
    const repaired = await repairOnce({ ...job, work: 'repair' }, progress, (line) => context.io.out(line))
    if (!repaired.ok) return repaired
    const checked = await checkOnce({ ...job, work: 'check' }, progress)
    return checked.ok ? { ...checked, lines: [...repaired.lines, ...checked.lines] } : checked
  })
}
