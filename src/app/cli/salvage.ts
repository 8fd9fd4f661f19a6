import { dataFolderOf } from '../../config/load.ts'
import { salvage } from '../../store/sqlite/salvage/salvage.ts'
import { printResult, watched } from './ask.ts'
import { configLine, findConfigFile } from './config-file.ts'
import { type CommandContext, parseCommandLine, UsageError, type Verb } from './verb.ts'

export const SALVAGE_VERB: Verb = {
  words: 'salvage',
  usage: 'OUT [--folder DATA]',
  says: 'Takes every message that can still be read out of a damaged data folder into the new folder OUT.',
  details: [
    'The server must be stopped. The data folder is only read; without `--folder` it is that of the configuration. Of a backup it is the folder `data` in it. OUT must not be there yet, and needs room for all mail: best on another disk.',
    'OUT gets a Maildir for each account (Maildir++), the mail of the queue with its envelopes, lists of accounts, aliases and mailboxes, and REPORT.txt. What no checksum proves goes into `doubtful`, what belongs to no mailbox any more into `lost+found`, and what could not be read is named in damage.tsv.',
    'Exit code 0: all came out, and all of it is proved; 1: something is missing or doubtful; 2: nothing was done.',
  ],
  async run(args, context) {
    const parsed = parseCommandLine(args, { texts: ['folder'], min: 1 })
    const [out] = parsed.positionals as readonly [string]
    const file = findConfigFile(context.configFile)
    const folder = parsed.text('folder') ?? dataFolderOf(file)
    // A configuration that can't be read must not keep anybody from their mail.
    if (folder === undefined)
      throw new UsageError(`${file} does not tell where the data is: say it with --folder`)
    return run(context, { folder, out, file })
  },
}

async function run(
  context: CommandContext,
  from: { readonly folder: string; readonly out: string; readonly file: string },
): Promise<number> {
  const { file, folder, out } = from
  const result = await watched(context, (progress) => salvage({ folder, out }, progress))
  if (!result.ok) {
    printResult(context, { ok: false, error: `${result.sentence}\n${configLine(file)}` })
    return EXIT_NOTHING
  }
  printResult(context, { ok: true, lines: result.lines })
  const { doubtful, lost, unreadable } = result.counts
  return doubtful + lost + unreadable === 0 ? 0 : 1
}

/** Nothing was salvaged. */
const EXIT_NOTHING = 2
