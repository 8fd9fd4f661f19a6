import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatProblem, loadConfig } from '../../config/load.ts'
import { formatLocalTime } from '../../mail/local-time.ts'
import { systemClock } from '../../platform/clock.ts'
import { type Restored, restoreBackup } from '../../store/sqlite/backup/restore.ts'
import { namedInData } from '../operations/backup-files.ts'
import { type OperationResult, refused, said } from '../operations/operation.ts'
import { becomeDataOwner } from '../server/data-folder.ts'
import { runningSentence } from '../server/running.ts'
import { printResult, watched } from './ask.ts'
import { configLine, findConfigFile } from './config-file.ts'
import { type CommandContext, parseCommandLine, type Verb } from './verb.ts'

export const RESTORE_VERB: Verb = {
  words: 'restore',
  usage: 'DIR',
  says: 'Puts a backup in the place of what is in the data folder; see docs/backup.md. The server must be stopped.',
  details: [
    'DIR is one backup, or the folder that `hikyaku backup` was given: then the newest in it is taken.',
    'All of the backup is looked at before anything is changed. What was in the data folder is not deleted: it goes into the folder `replaced-…` in it.',
    'Messages of the queue are held, since they may have gone out already: `hikyaku queue list` shows them, `hikyaku queue retry` sends them.',
    'Mail programs read the mailboxes that may have changed since the backup anew.',
  ],
  async run(args, context) {
    const from = resolve(parseCommandLine(args, { min: 1 }).positionals[0] ?? '')
    return printResult(context, await restore(from, context))
  },
}

async function restore(from: string, context: CommandContext): Promise<OperationResult> {
  const file = findConfigFile(context.configFile)
  const loaded = loadConfig(file)
  if (!loaded.ok) return refused(loaded.problems.map(formatProblem).join('\n'))
  const { config } = loaded
  const folder = config.server.data
  if ((await runningSentence(folder)) !== undefined)
    return refused(`The server runs on ${folder}: stop it, then restore.\n${configLine(file)}`)
  const stays = becomeDataOwner(config)
  if (stays !== undefined) return refused(stays)
  const clock = systemClock()
  const result = await watched(context, (progress) =>
    restoreBackup({ from, folder, nowMs: clock.now(), named: namedInData(config) }, progress),
  )
  if (!result.ok) return refused(`${result.sentence}\n${configLine(file)}`)
  const { restored } = result
  const madeAt = formatLocalTime(restored.info.createdMs, clock.zoneMinutes(restored.info.createdMs))
  return said(...restoredLines(restored, folder, madeAt))
}

function restoredLines(restored: Restored, folder: string, madeAt: string): readonly string[] {
  const { findings, from, held, info, kept, keptKeys, mailboxes, renewed } = restored
  const config = join(from, 'config')
  return [
    `${folder} holds ${info.messages} message${info.messages === 1 ? '' : 's'} in mailboxes as they were at ${madeAt} (${from}). Start the server.`,
    ...(kept === undefined ? [] : [`What was there before is in ${kept}; delete it when you miss nothing.`]),
    ...(keptKeys
      ? ['Keys and certificates stayed as they were: they are of the same server, and newer.']
      : []),
    ...(renewed === 0
      ? []
      : [
          `Mail programs will read ${renewed} of ${mailboxes} mailboxes anew: they may have changed since the backup.`,
        ]),
    ...(held === 0
      ? []
      : [
          `${held === 1 ? '1 message in the queue is' : `${held} messages in the queue are`} held: what a backup has may have gone out already. \`hikyaku queue list\` shows it, \`hikyaku queue retry ID\` sends it.`,
        ]),
    ...(existsSync(config)
      ? [`The configuration of that time is in ${config}; the one in force was not touched.`]
      : []),
    ...(findings.length === 0
      ? []
      : ['Not in order, as in the backup:', ...findings.map((one) => `  ${one}`)]),
  ]
}
