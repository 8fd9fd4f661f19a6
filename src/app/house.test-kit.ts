import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import type { Hasher } from '../ports/credentials.ts'
import type { Log } from '../ports/log.ts'
import { deriveScramKeys, hashArgon2id, matchArgon2id } from '../protocol/sasl/password-hash.ts'
import { type Connections, playDialogue } from './dialogue.test-kit.ts'
import type { OperationResult } from './operations/operation.ts'
import { caFilePath } from './server/certificates.ts'
import { openPorts } from './server/listeners.ts'
import { Server } from './server/server.ts'
import { openWire, PROXY_ADDRESS, type WireTo } from './wire.test-kit.ts'

/*
 * A whole server for tests: its real store in a folder of its own, its own CA, real sockets on loopback. Only
 * the hashes of passwords are cheap ones.
 */

export interface Account {
  readonly login: string
  readonly password: string
}

export interface Logged {
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
}

export const HOSTNAME = 'mail.example.test'

/** Tables of TOML as one likes to write them in a test: `{ smtp: { max_message: '1 MiB' } }`. */
export type ConfigTables = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export class House {
  readonly folder: string
  readonly configFile: string
  readonly events: readonly Logged[]
  readonly server: Server
  readonly ca: string
  #accounts = 0

  constructor(made: {
    readonly folder: string
    readonly configFile: string
    readonly events: readonly Logged[]
    readonly server: Server
  }) {
    this.folder = made.folder
    this.configFile = made.configFile
    this.events = made.events
    this.server = made.server
    this.ca = readFileSync(caFilePath(made.server.config), 'utf8')
  }

  /** A new account with a generated password; without a name one that no other test has. */
  async account(
    name = `u${++this.#accounts}`,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Account> {
    const login = name.includes('@') ? name : `${name}@example.test`
    const lines = said(await this.server.run('account.add', { address: login, ...more }))
    const password = lines.find((line) => line.startsWith('Password: '))?.slice('Password: '.length)
    return { login, password: password ?? String(more.password) }
  }

  async run(operation: string, args: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
    return said(await this.server.run(operation, args))
  }

  /** Opens a connection; with implicit TLS the handshake is done. */
  open(to: WireTo) {
    return openWire(to, {
      portOf: (name) => this.server.portOf(name) ?? assert.fail(`no port ${name}`),
      ca: this.ca,
      serverName: HOSTNAME,
    })
  }

  /** @param connections a single one for lines without a name, or those that the names of lines stand for. */
  play(connections: WireTo | Connections, text: string, values: Readonly<Record<string, string>> = {}) {
    return playDialogue((to) => this.open(to), connections, text, values)
  }

  /** Plays a dialogue on port imaps, each connection logged in as the account. */
  imap(account: Account, text: string, values: Readonly<Record<string, string>> = {}) {
    const names = [...new Set([...text.matchAll(/^\s*([ABDEF]): /gm)].map((match) => match[1] as string))]
    const login = (prefix: string): string => `
      ${prefix}S: * OK <*>
      ${prefix}C: x LOGIN ${account.login} ${account.password}
      ${prefix}S: x OK <*>
      ${prefix}--- forget
    `
    if (names.length === 0) return this.play('imaps', login('') + text, values)
    const connections = Object.fromEntries(names.map((name) => [name, 'imaps' as const]))
    return this.play(connections, names.map((name) => login(`${name}: `)).join('') + text, values)
  }

  /** Sends a message to the MX port, as another server would. */
  async deliver(to: string, content: string, from = 'sender@remote.test'): Promise<void> {
    const wire = await this.open('mx')
    await wire.line()
    wire.send('EHLO sender.remote.test\r\n')
    while (!/^250 /.test(await wire.line()));
    for (const [command, code] of [
      [`MAIL FROM:<${from}>`, '250'],
      [`RCPT TO:<${to}>`, '250'],
      ['DATA', '354'],
    ]) {
      wire.send(`${command}\r\n`)
      const line = await wire.line()
      assert.ok(line.startsWith(code as string), line)
    }
    wire.send(`${content.replace(/^\./gm, '..')}${content.endsWith('\r\n') ? '' : '\r\n'}.\r\n`)
    const line = await wire.line()
    assert.ok(line.startsWith('250'), line)
    wire.socket.destroy()
  }

  logged(name: string): readonly Logged[] {
    return this.events.filter((event) => event.name === name)
  }

  async stop(): Promise<void> {
    await this.server.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts a server; `stop` it afterwards. */
export async function startHouse(tables: ConfigTables = {}): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-house-'))
  const configFile = join(folder, 'hikyaku.toml')
  writeFileSync(configFile, configText(tables))
  const loaded = loadConfig(configFile)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  const events: Logged[] = []
  const log: Log = { event: (name, fields) => void events.push({ name, fields }) }
  const ports = await openPorts(loaded.config, log)
  assert.ok(ports.ok, JSON.stringify(ports))
  const server = await Server.start({
    current: { config: loaded.config, smarthostPassword: undefined },
    configFile,
    ports: ports.ports,
    log,
    hasher: quickHasher(),
    reopenLog: () => {},
    onFault: (cause) => assert.fail(cause),
  })
  assert.ok(server.ok, JSON.stringify(server))
  return new House({ folder, configFile, events, server: server.value })
}

/** The configuration file of a test's server. */
export function configText(tables: ConfigTables): string {
  const merged = new Map<string, Readonly<Record<string, unknown>>>()
  for (const [section, values] of [...Object.entries(BASE), ...Object.entries(tables)])
    merged.set(section, { ...merged.get(section), ...values })
  return [...merged]
    .map(
      ([section, values]) =>
        `[${section}]\n${Object.entries(values)
          .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
          .join('')}`,
    )
    .join('\n')
}

const ANY_PORT = ['127.0.0.1:0']
const BASE: ConfigTables = {
  server: { hostname: HOSTNAME, data: 'data' },
  domains: { names: ['example.test'], test_domain: 'try.test' },
  listen: {
    mx: ANY_PORT,
    submission: ANY_PORT,
    submissions: ANY_PORT,
    imap: ANY_PORT,
    imaps: ANY_PORT,
    lmtp: ANY_PORT,
    proxy_from: [PROXY_ADDRESS],
  },
  tls: { names: ['127.0.0.1'] },
  // Nobody answers there: what goes out waits in the queue.
  dns: { servers: ['127.0.0.1:1'], timeout: '100 ms' },
}

function said(result: OperationResult): readonly string[] {
  assert.ok(result.ok, JSON.stringify(result))
  return result.lines
}

/** As cheap as the algorithms allow; what is stored has the same form. */
export function quickHasher(): Hasher {
  return {
    argon2id: async (password, salt) =>
      hashArgon2id(password, { salt, params: { memoryKib: 64, passes: 1, parallelism: 1 } }),
    matchArgon2id: async (phcs, password) => matchArgon2id(phcs, password),
    scramKeys: async (password, how) =>
      deriveScramKeys(password, { ...how, iterations: Math.min(how.iterations, 4_096) }),
  }
}
