import { userInfo } from 'node:os'
import { loadConfig } from '../../config/load.ts'
import { askLines, printResult } from './ask.ts'
import { findConfigFile } from './config-file.ts'
import { prepareMessage, type SendmailOptions } from './sendmail-message.ts'
import { type CommandContext, UsageError, type Verb } from './verb.ts'

/** Exit codes of sysexits(3): what programs that call `sendmail` look at. */
const EX_USAGE = 64
const EX_UNAVAILABLE = 69
const EX_TEMPFAIL = 75

/** What may be read from a program; the server's own limit is looked at too. */
const MAX_INPUT_BYTES = 100 * 1024 * 1024

interface Line {
  mode: 'send' | 'list' | 'flush'
  from: string | undefined
  fullName: string | undefined
  readRecipients: boolean
  ignoreDots: boolean
  recipients: string[]
}

export const SENDMAIL_VERB: Verb = {
  words: 'sendmail',
  usage: '[-t] [-f ADDRESS] [-F NAME] [-i] [-bp|-q] [ADDRESS…]',
  says: 'Takes a message from a program, as the classic sendmail command does; `-bp` lists the queue, `-q` tries it now.',
  async run(args, context) {
    let line: Line
    try {
      line = readLine(args)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      context.io.err(`sendmail: ${error.message}`)
      return EX_USAGE
    }
    if (line.mode === 'list') return printResult(context, await askLines(context, 'queue.list', {}))
    if (line.mode === 'flush')
      return printResult(context, await askLines(context, 'queue.retry', { id: 'all' }))
    return send(line, context)
  },
}

async function send(line: Line, context: CommandContext): Promise<number> {
  const { io } = context
  const loaded = loadConfig(findConfigFile(context.configFile))
  const domain = loaded.ok ? (loaded.config.domains.names[0] ?? loaded.config.server.hostname) : 'localhost'
  const user = userInfo().username
  const raw = await io.readAll(MAX_INPUT_BYTES)
  if (raw === undefined) {
    io.err('sendmail: the message is too large')
    return EX_UNAVAILABLE
  }
  const options: SendmailOptions = { ...line, caller: { local: user, domain } }
  const message = prepareMessage(raw, options)
  if (message.recipients.length === 0) {
    io.err('sendmail: there is no recipient; name one, or use -t with a To field')
    return EX_USAGE
  }
  const result = await askLines(context, 'submit', {
    from: message.from,
    recipients: message.recipients,
    contentBase64: message.content.toString('base64'),
    user,
  })
  if (result.ok) return 0
  io.err(`sendmail: ${result.error}`)
  return /\b4\d\d \d\.\d+\.\d+\b/.test(result.error) ? EX_TEMPFAIL : EX_UNAVAILABLE
}

/** The classic options, with their values behind them or in the next word. */
function readLine(args: readonly string[]): Line {
  const line: Line = {
    mode: 'send',
    from: undefined,
    fullName: undefined,
    readRecipients: false,
    ignoreDots: false,
    recipients: [],
  }
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string
    if (word === '--') {
      line.recipients.push(...args.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') line.recipients.push(word)
    else if (/^-[frF]/.test(word)) {
      const value = word.length > 2 ? word.slice(2) : args[++i]
      if (value === undefined) throw new UsageError(`${word} needs a value`)
      if (word[1] === 'F') line.fullName = value
      else line.from = value.replace(/^<(.*)>$/, '$1')
    } else if (!applyFlag(line, word)) {
      // Options that change nothing here (-oem, -N, -v, -B8BITMIME …) are taken, as callers give them by habit.
      if (/^-[NRVBLhO]$/.test(word)) i++
      else if (!/^-[oNRVBLhOvmGnU]/.test(word)) throw new UsageError(`the option ${word} is not known`)
    }
  }
  return line
}

function applyFlag(line: Line, word: string): boolean {
  if (word === '-t') line.readRecipients = true
  else if (word === '-i' || word === '-oi') line.ignoreDots = true
  else if (word === '-ti' || word === '-it') {
    line.readRecipients = true
    line.ignoreDots = true
  } else if (word === '-bp') line.mode = 'list'
  else if (/^-q/.test(word)) line.mode = 'flush'
  else return word === '-bm'
  return true
}
