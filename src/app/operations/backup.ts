import { isAbsolute } from 'node:path'
import { sizeText } from '../../mail/size-text.ts'
import type { BackupMade } from '../../ports/backups.ts'
import type { Log } from '../../ports/log.ts'
import { version } from '../version.ts'
import { filesBeside, inFolder } from './backup-files.ts'
import { type Operation, type OperationResult, refused, said, textArg } from './operation.ts'

/** Damaged messages that are named; the rest is counted. */
const MAX_NAMED = 10

/** `backup DIR [--keep N] [--quiet]`: the folder is absolute, since the server stands elsewhere than the command. */
export const backup: Operation = async (ports, args, progress) => {
  const { config, configFile, backups, clock, log } = ports
  const { server } = config()
  const into = textArg(args, 'folder') ?? ''
  if (!isAbsolute(into)) return refused('Say where to: `hikyaku backup DIR`.')
  if (into === server.data || inFolder(server.data, into) !== undefined)
    return refused(
      `${into} is in the data folder: what takes the mail would take the backup, too. Name another.`,
    )
  const keep = backupsToKeep(textArg(args, 'keep'))
  if (keep === 'wrong') return refused('--keep wants a number of backups, 1 or more.')
  const beside = filesBeside(config(), configFile)
  if (!beside.ok) return failed(log, beside.sentence)
  const { files, notes } = beside
  const about = { server: server.hostname, version: version(), nowMs: clock.now() }
  const isQuiet = args.quiet === true
  const shown = isQuiet ? { ...progress, line: () => Promise.resolve(true) } : progress
  const result = await backups.make({ into, keep, files, ...about }, shown)
  if (!result.ok) return failed(log, result.sentence)
  const { made } = result
  log.event('backup.made', { folder: made.folder, messages: made.messages, size: made.sizeBytes })
  // What stays out by the settings is told by hand, not every night; what went wrong is.
  if (isQuiet && made.damaged.length === 0) return said(...made.notes)
  const lines = [
    ...madeLines(made),
    ...notes,
    ...made.notes,
    ...made.removed.map((each) => `Removed ${each}.`),
  ]
  return made.damaged.length === 0
    ? said(...lines)
    : { ...said(...lines, ...damagedLines(made)), exitCode: 1 }
}

function failed(log: Log, sentence: string): OperationResult {
  log.event('backup.failed', { cause: sentence })
  return refused(sentence)
}

/** What `--keep` says; 'wrong' where that is no number of backups, 1 or more. */
export function backupsToKeep(text: string | undefined): number | undefined | 'wrong' {
  if (text === undefined) return undefined
  const keep = /^\d{1,6}$/.test(text) ? Number(text) : 0
  return keep >= 1 ? keep : 'wrong'
}

function madeLines(made: BackupMade): readonly string[] {
  const { folder, messages, sizeBytes, linkedFiles, linkedBytes } = made
  const linked =
    linkedFiles === 0
      ? []
      : [
          `Of these ${sizeText(linkedBytes)} are shared with the backup before: ${linkedFiles} large message${linkedFiles === 1 ? '' : 's'}, not changed.`,
        ]
  return [
    `${folder} holds ${messages} message${messages === 1 ? '' : 's'} in mailboxes and the queue, ${sizeText(sizeBytes)}; each message was looked at.`,
    ...linked,
  ]
}

function damagedLines({ damaged }: BackupMade): readonly string[] {
  const more = damaged.length - MAX_NAMED
  return [
    'Damaged in the mail store itself, and so in the backup:',
    ...damaged.slice(0, MAX_NAMED).map((one) => `  ${one}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'An older backup may have them whole: keep it. `hikyaku check` tells which messages they are.',
  ]
}
