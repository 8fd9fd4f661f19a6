import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, relative, resolve, sep } from 'node:path'
import { makeFolders } from '../../store/sqlite/make-folders.ts'
import { caFilePath } from '../server/certificates.ts'
import type { Server } from '../server/server.ts'
import { DEMO_CONFIG_FILE, isThere } from './config-file.ts'
import { CommandFailure } from './failure.ts'
import { runServer } from './serve.ts'
import { parseCommandLine, type Verb } from './verb.ts'

const DEMO_DOMAIN = 'example.test'

export const START_VERB: Verb = {
  words: 'start',
  usage: '[--config FILE]',
  says: 'Starts a server to try: loopback ports, the domain example.test, a data folder `data/`, a first account; nothing needs to be set up.',
  async run(args, context) {
    parseCommandLine(args, {})
    const file = context.configFile ?? DEMO_CONFIG_FILE
    if (!isThere(file)) writeDemoConfig(file)
    return runServer({ ...context, configFile: file }, async (server) => {
      const first = await firstAccount(server)
      for (const line of screen(server, file, first)) context.io.out(line)
    })
  },
}

interface FirstAccount {
  readonly login: string
  /** Only when it was made just now. */
  readonly password: string | undefined
}

async function firstAccount(server: Server): Promise<FirstAccount> {
  const accounts = await server.house.ports.accounts.listAccounts()
  const known = accounts.toSorted((a, b) => a.id - b.id)[0]
  if (known !== undefined) return { login: known.login, password: undefined }
  const login = `me@${server.config.domains.names[0] ?? DEMO_DOMAIN}`
  const made = await server.run('account.add', { address: login })
  if (!made.ok) throw new CommandFailure(made.error)
  const password = made.lines.find((line) => line.startsWith('Password: '))?.slice('Password: '.length)
  return { login, password }
}

function screen(server: Server, file: string, first: FirstAccount): readonly string[] {
  const { config } = server
  const port = (name: string): number => server.portOf(name) ?? 0
  const ca = here(caFilePath(config))
  const again = first.password === undefined
  return [
    '',
    `Hikyaku is running${again ? ' again, with the mail and accounts that were there' : ''}. Stop it with Ctrl-C; the data stays in ${here(config.server.data)}${sep}.`,
    '',
    `  Mail from others comes in   SMTP  localhost:${port('mx')}`,
    `  Your programs send          SMTP  localhost:${port('submission')} (STARTTLS), localhost:${port('submissions')} (TLS)`,
    `  Your programs read          IMAP  localhost:${port('imap')} (STARTTLS), localhost:${port('imaps')} (TLS)`,
    `  They trust this CA                ${ca}`,
    `  Settings                          ${here(file)}`,
    `  Log                               ${logPlace(config.log.to, file)}`,
    '',
    `Account: ${first.login}`,
    ...(first.password === undefined
      ? [`  (a new password: ./hikyaku account password ${first.login})`]
      : [`Password: ${first.password}`, '  (shown this once)']),
    '',
    'To try, send a message and read it:',
    `  swaks --server 127.0.0.1:${port('mx')} --to ${first.login} --header "Subject: Hello"`,
    `  curl --cacert ${ca} --user ${first.login} "imaps://localhost:${port('imaps')}/INBOX;MAILINDEX=1"`,
    'To see forged mail stopped and genuine mail let in: ./hikyaku selftest',
    ...testDomainLines(config.domains.test_domain),
    '',
  ]
}

/** As one would type it from here. */
function here(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

function logPlace(to: string, file: string): string {
  return to === 'stderr' || to === 'syslog' ? to : here(resolve(dirname(file), to))
}

function testDomainLines(domain: string | undefined): readonly string[] {
  return domain === undefined
    ? []
    : [`What else may happen to mail: send to accept@, defer@, refuse@, full@ or timeout@${domain}.`]
}

function writeDemoConfig(file: string): void {
  makeFolders(dirname(file), 0o700)
  writeFileSync(file, demoConfig(), { mode: 0o600 })
}

/** A machine without IPv6 has no ::1 to listen on. */
function demoConfig(): string {
  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  )
  const at = (port: number): string =>
    [`"127.0.0.1:${port}"`, ...(hasIpv6 ? [`"[::1]:${port}"`] : [])].join(', ')
  return `# Made by \`npm start\`, for trying things out on this machine. \`hikyaku config sample\` shows every setting.

[server]
hostname = "localhost"
data = "."

[domains]
names = ["${DEMO_DOMAIN}"]
# accept@, defer@, refuse@, full@ and timeout@ of this domain do what they say.
test_domain = "try.test"

[listen]
mx = [${at(2525)}]
submission = [${at(2587)}]
submissions = [${at(2465)}]
imap = [${at(2143)}]
imaps = [${at(2993)}]

[tls]
names = ["127.0.0.1", "::1"]

[log]
to = "hikyaku.log"
`
}
