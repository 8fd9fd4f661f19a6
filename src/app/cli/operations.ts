import { askOperation } from './ask.ts'
import { type CommandContext, type Parsed, parseCommandLine, UsageError, type Verb } from './verb.ts'

type Shape = Parameters<typeof parseCommandLine>[1]

interface Spec {
  readonly words: string
  readonly usage: string
  readonly says: string
  readonly operation: string
  readonly shape: Shape
  readonly args: (parsed: Parsed) => Readonly<Record<string, unknown>>
  /** Takes a password: from standard input with `--password-stdin`, from the terminal with `--ask`, else one is generated. */
  readonly password?: boolean
}

const at = (parsed: Parsed, index: number): string | undefined => parsed.positionals[index]

const SPECS: readonly Spec[] = [
  {
    words: 'account add',
    usage: 'ADDRESS [--quota SIZE|none] [--ask|--password-stdin]',
    says: 'Makes an account with its mailboxes; a password is generated and shown once unless one is given.',
    operation: 'account.add',
    shape: { texts: ['quota'], min: 1 },
    args: (parsed) => ({ address: at(parsed, 0), quota: parsed.text('quota') }),
    password: true,
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
    operation: 'account.password',
    shape: { min: 1 },
    args: (parsed) => ({ address: at(parsed, 0) }),
    password: true,
  },
  {
    words: 'account quota',
    usage: 'ADDRESS SIZE|none',
    says: 'Sets how much mail an account may keep.',
    operation: 'account.quota',
    shape: { min: 2 },
    args: (parsed) => ({ address: at(parsed, 0), quota: at(parsed, 1) }),
  },
  {
    words: 'account remove',
    usage: 'ADDRESS --with-mail',
    says: 'Removes an account and all its mail.',
    operation: 'account.remove',
    shape: { flags: ['with-mail'], min: 1 },
    args: (parsed) => ({ address: at(parsed, 0), withMail: parsed.flag('with-mail') }),
  },
  {
    words: 'alias add',
    usage: 'ALIAS TARGET…',
    says: 'Sends mail for an address (or for @DOMAIN: all that has no mailbox) to other addresses.',
    operation: 'alias.add',
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
    usage: 'ALIAS',
    says: 'Removes an alias.',
    operation: 'alias.remove',
    shape: { min: 1 },
    args: (parsed) => ({ alias: at(parsed, 0) }),
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
    words: 'trace',
    usage: 'ID|--from ADDRESS|--to ADDRESS',
    says: 'Tells in sentences what happened to a message, and why.',
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

/** undefined: generate one. A password never stands on the command line, where every user of the machine can read it. */
async function passwordOf(parsed: Parsed, context: CommandContext): Promise<string | undefined> {
  const { io } = context
  if (parsed.flag('password-stdin')) {
    const line = await io.readLine()
    if (line === undefined || line === '') throw new UsageError('no password came on standard input')
    return line
  }
  if (!parsed.flag('ask')) return undefined
  const first = await io.askSecret('New password: ')
  if (first === undefined) throw new UsageError('there is no terminal to ask on; use `--password-stdin`')
  if ((await io.askSecret('Once more: ')) !== first)
    throw new UsageError('the two passwords are not the same')
  return first
}
