import { existsSync } from 'node:fs'
import { accessSentence } from '../../config/access.ts'
import { dataFolderOf, formatProblem, loadConfig, type Problem } from '../../config/load.ts'
import { callControl } from '../../platform/control-client.ts'
import type { Log } from '../../ports/log.ts'
import type { Progress } from '../../ports/progress.ts'
import { directHasher } from '../../session/auth/direct-hasher.ts'
import { folderPaths } from '../../store/sqlite/folder.ts'
import { type OperationResult, refused } from '../operations/operation.ts'
import { OPERATIONS } from '../operations/table.ts'
import { controlPath } from '../server/control.ts'
import { becomeDataOwner } from '../server/data-folder.ts'
import { openHouse, readSmarthostPassword } from '../wire.ts'
import { configLine, findConfigFile } from './config-file.ts'
import type { CommandContext } from './verb.ts'

/**
 * What makes no sense on a store that it would first have to make: a nightly backup of a disk that is not there would
 * copy nothing, and with `--keep` push out what there was.
 */
const ONLY_OF_DATA: ReadonlySet<string> = new Set(['backup'])

/** What asks something of the server itself: nothing is opened for it where none runs. */
const ONLY_OF_SERVER: ReadonlySet<string> = new Set(['selftest'])

/** A command that works alone has its own output; the server's log is not its to write. */
const NO_LOG: Log = { event: () => undefined }

/** Has the running server do it, or does it on the data folder when no server runs. */
export async function askLines(
  context: CommandContext,
  operation: string,
  args: Readonly<Record<string, unknown>>,
): Promise<OperationResult> {
  const file = findConfigFile(context.configFile)
  const loaded = loadConfig(file)
  if (!loaded.ok) return askDespite(loaded.problems, file, operation)
  const { config } = loaded
  // What keeps the data from being reached is told with the file that named the folder: it may be the wrong one.
  const unreached = (sentence: string): OperationResult => refused(`${sentence}\n${configLine(file)}`)
  const answer = await callControl(controlPath(config.server.data), { verb: operation, args }, (line) =>
    context.io.err(line),
  )
  if (answer.kind === 'result') return operationResult(answer.result)
  if (answer.kind === 'not-allowed') {
    const whose = accessSentence(controlPath(config.server.data))
    return unreached(`${whose}: run the command as the server's user or as root.`)
  }
  if (answer.kind !== 'not-running') return unreached(answer.sentence)
  const run = ONLY_OF_SERVER.has(operation) ? undefined : OPERATIONS.get(operation)
  if (run === undefined) return unreached(answer.sentence)
  if (ONLY_OF_DATA.has(operation) && !existsSync(folderPaths(config.server.data).database))
    return unreached(`There is no mail store in ${config.server.data}: is its disk there? Nothing was done.`)
  const password = readSmarthostPassword(config)
  const current = { config, configFile: file, smarthostPassword: password.ok ? password.value : undefined }
  const stays = becomeDataOwner(config)
  if (stays !== undefined) return unreached(stays)
  const house = await openHouse(current, {
    log: NO_LOG,
    hasher: directHasher(),
    onFault: (cause) => context.io.err(`The mail store failed: ${cause}`),
  })
  if (!house.ok) return unreached(house.sentence)
  try {
    return await watched(context, (progress) => run(house.value.ports, args, progress))
  } finally {
    await house.value.close()
  }
}

/** With a mistake in the configuration only a reload is of use: the server that runs refuses it, and says and logs so. */
async function askDespite(
  problems: readonly Problem[],
  file: string,
  operation: string,
): Promise<OperationResult> {
  const folder = operation === 'reload' ? dataFolderOf(file) : undefined
  if (folder !== undefined) {
    const answer = await callControl(controlPath(folder), { verb: operation, args: {} })
    if (answer.kind === 'result') return operationResult(answer.result)
  }
  return refused(problems.map(formatProblem).join('\n'))
}

/** Progress goes to standard error; the first Ctrl-C asks the work to stop and clean up, the second ends it at once. */
export async function watched<Result>(
  { io }: CommandContext,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController()
  const stop = () => abort.abort()
  process.once('SIGINT', stop)
  try {
    return await work({
      signal: abort.signal,
      line: (text) => {
        io.err(text)
        return Promise.resolve(!abort.signal.aborted)
      },
    })
  } finally {
    process.off('SIGINT', stop)
  }
}

/** @returns the exit code. */
export function printResult({ io }: CommandContext, result: OperationResult): number {
  if (result.ok) for (const line of result.lines) io.out(line)
  else for (const line of result.error.split('\n')) io.err(line)
  return result.ok ? (result.exitCode ?? 0) : 1
}

export async function askOperation(
  context: CommandContext,
  operation: string,
  args: Readonly<Record<string, unknown>>,
): Promise<number> {
  return printResult(context, await askLines(context, operation, args))
}

/** What came over the socket, looked at: the server may be of another version. */
export function operationResult(value: unknown): OperationResult {
  const { ok, lines, error, exitCode } = (value ?? {}) as {
    readonly ok?: unknown
    readonly lines?: unknown
    readonly error?: unknown
    readonly exitCode?: unknown
  }
  if (ok === true && Array.isArray(lines))
    return { ok: true, lines: lines.map(String), exitCode: typeof exitCode === 'number' ? exitCode : 0 }
  return refused(
    typeof error === 'string' ? error : 'The server answered in a form unknown here; is it another version?',
  )
}
