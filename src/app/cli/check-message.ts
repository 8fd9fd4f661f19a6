import { askOperation } from './ask.ts'
import { CommandFailure } from './failure.ts'
import { type CommandContext, parseCommandLine, type Verb } from './verb.ts'
import { wholeFile } from './whole-file.ts'

/** No server takes more. */
const MAX_BYTES = 100 * 1024 * 1024

export const CHECK_MESSAGE_VERB: Verb = {
  words: 'check-message',
  usage: 'FILE --ip ADDRESS [--helo NAME] [--from ADDRESS] [--to ADDRESS]',
  says: 'Tells what would become of a message in a file, by the code that judges real mail, and stores nothing.',
  details: [
    'FILE is a whole message, header first; `-` is standard input.',
    '`--ip` is the address of the client that would hand it in, `--helo` what it would call itself, `--from` the envelope sender (`<>` for none), `--to` a recipient here.',
    'The DNS is asked as it is now: a message that came long ago may be judged otherwise today.',
  ],
  async run(args, context) {
    const parsed = parseCommandLine(args, { texts: ['ip', 'helo', 'from', 'to'], min: 1 })
    const content = await contentOf(parsed.positionals[0] ?? '-', context)
    return askOperation(context, 'check-message', {
      ip: parsed.text('ip'),
      helo: parsed.text('helo'),
      from: parsed.text('from'),
      to: parsed.text('to'),
      contentBase64: content.toString('base64'),
    })
  },
}

async function contentOf(file: string, { io }: CommandContext): Promise<Buffer> {
  const content = file === '-' ? await io.readAll(MAX_BYTES) : wholeFile(file, MAX_BYTES)
  if (content === undefined) throw new CommandFailure(`The message is larger than ${MAX_BYTES} octets.`, 1)
  return content
}
