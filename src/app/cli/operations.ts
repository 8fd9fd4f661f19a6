import { resolve } from 'node:path'
import { backupsToKeep } from '../operations/backup.ts'
import { askOperation } from './ask.ts'
import { REPORT_SPECS } from './report-operations.ts'
import { at, type Spec } from './spec.ts'
import { TRUST_SPECS } from './trust-operations.ts'
import { type CommandContext, type Parsed, parseCommandLine, UsageError, type Verb } from './verb.ts'

const PASSWORD_DETAILS: readonly string[] = [
  '`--ask` asks for the password twice on the terminal, without showing it.',
  '`--password-stdin` takes the first line of standard input. A password is never an argument: every user of the machine could read it there.',
  'Without either a password is generated, and printed this once.',
]
const SIZE_DETAILS: readonly string[] = [
  'SIZE is a number with its unit, such as `500MiB` or "2 GiB" (B, KiB, MiB, GiB, TiB); `none` means no limit.',
]
const ALIAS_DETAILS: readonly string[] = [
  'ALIAS is an address in one of your domains, or `@DOMAIN` for all of its mail that has no mailbox. TARGET is an account, another alias or an address elsewhere.',
]

const SPECS: readonly Spec[] = [
  {
    words: 'account add',
    usage: 'ADDRESS [--quota SIZE|none] [--ask|--password-stdin]',
    says: 'Makes an account with its mailboxes; a password is generated and shown once unless one is given.',
    details: [
      ...PASSWORD_DETAILS,
      ...SIZE_DETAILS,
      'Without `--quota` the account gets `accounts.default_quota`.',
    ],
    operation: 'account.add',
    shape: { texts: ['quota'], min: 1 },
    args: (parsed) => ({ address: at(parsed, 0), quota: parsed.text('quota') }),
    password: true,
  },
  {
    words: 'account language',
    usage: 'ADDRESS en|ja',
    says: 'Sets the language of what the server writes to an account, such as the digest of held mail.',
    operation: 'account.language',
    shape: { min: 2 },
    args: (parsed) => ({ address: at(parsed, 0), language: at(parsed, 1) }),
  },
  {
    words: 'account list',
    usage: '',
    says: 'Lists the accounts with the room they take.',
    operation: 'account.list',
    shape: {},
    args: () => ({}),
  },
  {
    words: 'account password',
    usage: 'ADDRESS [--ask|--password-stdin]',
    says: 'Sets a new password; one is generated and shown once unless one is given.',
    details: PASSWORD_DETAILS,
    operation: 'account.password',
    shape: { min: 1 },
    args: (parsed) => ({ address: at(parsed, 0) }),
    password: true,
  },
  {
    words: 'account quota',
    usage: 'ADDRESS SIZE|none',
    says: 'Sets how much mail an account may keep.',
    details: SIZE_DETAILS,
    operation: 'account.quota',
    shape: { min: 2 },
    args: (parsed) => ({ address: at(parsed, 0), quota: at(parsed, 1) }),
  },
  {
    words: 'account remove',
    usage: 'ADDRESS --with-mail [--with-aliases]',
    says: 'Removes an account and all its mail.',
    details: [
      '`--with-mail` must be said, since the mail cannot be had back.',
      '`--with-aliases` takes the account out of the aliases that lead to it, and removes those that lead nowhere else; without it an account that an alias leads to stays.',
    ],
    operation: 'account.remove',
    shape: { flags: ['with-mail', 'with-aliases'], min: 1 },
    args: (parsed) => ({
      address: at(parsed, 0),
      withMail: parsed.flag('with-mail'),
      withAliases: parsed.flag('with-aliases'),
    }),
  },
  {
    words: 'alias add',
    usage: 'ALIAS TARGET…',
    says: 'Sends mail for an address to other addresses too; those that it leads to already stay.',
    details: ALIAS_DETAILS,
    operation: 'alias.add',
    shape: { min: 2, max: 100 },
    args: (parsed) => ({ alias: at(parsed, 0), targets: parsed.positionals.slice(1) }),
  },
  {
    words: 'alias set',
    usage: 'ALIAS TARGET…',
    says: 'Sends mail for an address to these addresses and no others.',
    details: ALIAS_DETAILS,
    operation: 'alias.set',
    shape: { min: 2, max: 100 },
    args: (parsed) => ({ alias: at(parsed, 0), targets: parsed.positionals.slice(1) }),
  },
  {
    words: 'alias list',
    usage: '',
    says: 'Lists the aliases.',
    operation: 'alias.list',
    shape: {},
    args: () => ({}),
  },
  {
    words: 'alias remove',
    usage: 'ALIAS [TARGET…]',
    says: 'Removes an alias, or only some of the addresses that it leads to.',
    operation: 'alias.remove',
    shape: { min: 1, max: 100 },
    args: (parsed) => ({ alias: at(parsed, 0), targets: parsed.positionals.slice(1) }),
  },
  {
    words: 'queue list',
    usage: '',
    says: 'Lists the messages that wait to go out.',
    operation: 'queue.list',
    shape: {},
    args: () => ({}),
  },
  {
    words: 'queue show',
    usage: 'ID',
    says: 'Shows one message of the queue.',
    operation: 'queue.show',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'queue retry',
    usage: 'ID|all',
    says: 'Tries to deliver now.',
    details: ['Without a running server the message is due when the server starts.'],
    operation: 'queue.retry',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'queue cancel',
    usage: 'ID',
    says: 'Takes a message out of the queue; nobody is told.',
    operation: 'queue.cancel',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'quarantine list',
    usage: '[--to ADDRESS]',
    says: 'Lists the messages that are held, newest first, each with why.',
    details: ['`--to` matches any part of a recipient.'],
    operation: 'quarantine.list',
    shape: { texts: ['to'] },
    args: (parsed) => ({ to: parsed.text('to') }),
  },
  {
    words: 'quarantine show',
    usage: 'ID',
    says: 'Shows a held message: every reason, what was found, what the DNS said, and a preview that opens nothing.',
    operation: 'quarantine.show',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'quarantine release',
    usage: 'ID',
    says: 'Delivers a held message to its recipients.',
    details: [
      'One message at a time, by its id: no command empties the quarantine into the mailboxes.',
      'Recipients whose account is gone are left out. Where a mailbox has no room the message stays held.',
    ],
    operation: 'quarantine.release',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'quarantine trust',
    usage: 'ID [--why TEXT] [--until DATE] [--dry-run]',
    says: 'Makes the narrowest exception that would have let a held or refused message pass, as `quarantine show` and `why` propose it.',
    details: [
      'For the next ones like it: the message itself stays held, or refused. `trust remove` takes the exception back.',
      'ID may be any that `why` knows: of a message that was refused its trace holds what is needed.',
      '`--why` and `--until` as with `trust add`; without `--why` the exception names the message.',
      '`--dry-run` makes nothing and prints the `trust add` that would make it.',
    ],
    operation: 'quarantine.trust',
    shape: { texts: ['why', 'until'], flags: ['dry-run'], min: 1 },
    args: (parsed) => ({
      id: at(parsed, 0),
      why: parsed.text('why'),
      until: parsed.text('until'),
      dryRun: parsed.flag('dry-run'),
    }),
  },
  {
    words: 'quarantine delete',
    usage: 'ID',
    says: 'Deletes a held message; nobody is told.',
    operation: 'quarantine.delete',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'why',
    usage: 'ID',
    says: 'Tells why a message was delivered, held or refused, with what was found and what the DNS said then.',
    operation: 'why',
    shape: { min: 1 },
    args: (parsed) => ({ id: at(parsed, 0) }),
  },
  {
    words: 'selftest',
    usage: '',
    says: 'Sends the running server genuine and forged mail through its own door, and shows what became of each.',
    details: [
      'The messages are a genuine one, three forged ones and one that a mailing list broke. Their names are under `selftest.hikyaku.test` and exist only for this test; no DNS is asked.',
      "They are judged as any stranger's mail is, wherever they come from, and thrown away then: only their traces remain. What is expected follows the settings.",
      'The exit code is 1 where a verdict is not the expected one.',
    ],
    operation: 'selftest',
    shape: {},
    args: () => ({}),
  },
  ...TRUST_SPECS,
  ...REPORT_SPECS,
  {
    words: 'trace',
    usage: 'ID|--from ADDRESS|--to ADDRESS',
    says: 'Tells in sentences what happened to a message, and why.',
    details: [
      'ID is the id of a message as the log, `queue list` and the reply to DATA name it.',
      '`--from` and `--to` match any part of the sender or a recipient, case does not matter: `--to example.org` finds all mail to that domain. `--to` finds mail by the alias and by the account that it reached.',
      'The newest 20 are shown.',
    ],
    operation: 'trace',
    shape: { texts: ['from', 'to'], max: 1 },
    args: (parsed) => ({ id: at(parsed, 0), from: parsed.text('from'), to: parsed.text('to') }),
  },
  {
    words: 'mail show',
    usage: 'ACCOUNT MAILBOX UID',
    says: 'Shows a stored message decoded, text only; no attachment is opened.',
    operation: 'mail.show',
    shape: { min: 3 },
    args: (parsed) => ({ account: at(parsed, 0), mailbox: at(parsed, 1), uid: at(parsed, 2) }),
  },
  {
    words: 'backup',
    usage: 'DIR [--keep N] [--quiet]',
    says: 'Copies everything into a new folder in DIR, while mail flows; see docs/backup.md.',
    details: [
      'Each backup is a folder of its own by the time (UTC), whole and checked, or not there at all. Large messages that the backup before has are shared with it by hard links.',
      '`--keep N` removes older backups of this server beyond the newest N, once the new one is there.',
      '`--quiet` says nothing unless something is wrong: for cron. Files that settings name elsewhere, which no backup holds, are not told then.',
      'The exit code is 1 where there is no backup, or where messages in it were damaged in the mail store already.',
      'With a running server it is the server that writes: its user must be allowed to write to DIR.',
    ],
    operation: 'backup',
    shape: { texts: ['keep'], flags: ['quiet'], min: 1 },
    args: (parsed) => ({
      folder: resolve(at(parsed, 0) ?? ''),
      keep: keepText(parsed.text('keep')),
      quiet: parsed.flag('quiet'),
    }),
  },
  {
    words: 'reload',
    usage: '',
    says: 'Makes the running server read its configuration and certificates again.',
    operation: 'reload',
    shape: {},
    args: () => ({}),
  },
]

/** The verbs that ask one operation and print what it says. */
export const OPERATION_VERBS: readonly Verb[] = SPECS.map((spec) => ({
  words: spec.words,
  usage: spec.usage,
  says: spec.says,
  details: spec.details,
  async run(args, context) {
    const shape =
      spec.password === true
        ? { ...spec.shape, flags: [...(spec.shape.flags ?? []), 'ask', 'password-stdin'] }
        : spec.shape
    const parsed = parseCommandLine(args, shape)
    const password = spec.password === true ? await passwordOf(parsed, context) : undefined
    return askOperation(context, spec.operation, {
      ...spec.args(parsed),
      ...(password === undefined ? {} : { password }),
    })
  },
}))

/** The operation says no to it as well: told here, it is wrong usage. */
function keepText(text: string | undefined): string | undefined {
  if (backupsToKeep(text) === 'wrong') throw new UsageError('--keep needs a number of backups, 1 or more')
  return text
}

/** undefined: generate one. A password never stands on the command line, where every user of the machine can read it. */
async function passwordOf(parsed: Parsed, context: CommandContext): Promise<string | undefined> {
  const { io } = context
  if (parsed.flag('password-stdin')) {
    const line = await io.readLine()
    if (line === undefined || line === '') throw new UsageError('No password came on standard input')
    return line
  }
  if (!parsed.flag('ask')) return undefined
  const typed = await io.askSecrets(['New password: ', 'Once more: '])
  if (typed === undefined) throw new UsageError('There is no terminal to ask on; use `--password-stdin`')
  const [first, second] = typed
  if (first !== second) throw new UsageError('The two passwords are not the same; nothing was changed')
  return first
}
