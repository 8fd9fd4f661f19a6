// The server under test, as a person starts it: a process, its configuration, its output, its exit status.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Login } from './clients/login.ts'
import { projectRoot } from './programs.ts'
import { type Ran, type RunOptions, run, start } from './run.ts'
import { accepts, until, within } from './until.ts'

/** The ports that a start without configuration opens; the configurations of the suites use the same. */
export const ports = { mx: 2525, submission: 2587, submissions: 2465, imap: 2143, imaps: 2993 } as const

/** The name that the certificate carries beside those of the configuration. */
export const localName = 'localhost'
export const domain = 'example.test'

export interface ServerOptions {
  /** The folder of its data and its configuration file; empty, or left by an earlier start. */
  readonly folder: string
  /** The configuration file's text; none: `start`, which writes its own into the data folder. */
  readonly config?: string
  /** Runs as this user and group, by number; the folder is the caller's to hand over. */
  readonly runAs?: { readonly uid: number; readonly gid: number }
  /** Ports on loopback that must be open before the start counts as done. */
  readonly waitFor?: readonly number[]
  /** Beside the test's own: a library that is loaded before others, say. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Server {
  readonly folder: string
  readonly caFile: string
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
  /** Standard error, where the log goes unless told otherwise, and the file that `start` logs to. */
  log(): string
  /** What `start` printed at the first start. Throws when it did not. */
  firstAccount(): { readonly user: string; readonly password: string }
  /** The exit status, once it has ended; undefined: by a signal. */
  readonly ended: Promise<number | undefined>
  /** A `hikyaku` command against this server. */
  cli(args: readonly string[], options?: RunOptions): Promise<Ran>
  /** SIGTERM, then its exit status. Kills and rejects when it does not end. */
  stop(): Promise<number | undefined>
}

/** First start makes keys and hashes a password: seconds on a busy machine. */
const startTimeoutMs = 60_000
const stopTimeoutMs = 30_000
const main = join(projectRoot, 'src/app/main.ts')

/** Starts it and waits for its ports. Rejects, with all its output, when it ends instead. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = launchServer(options)
  const early = server.ended.then((code) => {
    throw new Error(
      `the server ended with ${code}\n--- stdout\n${server.stdout()}\n--- stderr\n${server.stderr()}`,
    )
  })
  // When it ends later, that is no error of the start.
  early.catch(() => {})
  const open = Promise.all([
    ...(options.waitFor ?? Object.values(ports)).map((port) =>
      until(`port ${port} of the server`, () => accepts(port), startTimeoutMs),
    ),
    // Ports are bound early; only then come privileges, keys and the store.
    until('the log of a finished start', () => /server\.started/.test(server.log()), startTimeoutMs),
    options.config !== undefined ||
      until('the screen', () => /^Account: /m.test(server.stdout()), startTimeoutMs),
  ])
  open.catch(() => {})
  try {
    await Promise.race([open, early])
  } catch (error) {
    server.process.kill('SIGKILL')
    throw new Error(
      `${error instanceof Error ? error.message : error}\n${server.stdout()}\n${server.stderr()}`,
    )
  }
  return server
}

/** Starts it and waits for nothing: for starts that must fail. */
export function launchServer(options: ServerOptions): Server {
  const { folder } = options
  const config = join(folder, options.config === undefined ? 'data/hikyaku.toml' : 'hikyaku.toml')
  if (options.config !== undefined) writeFileSync(config, options.config)
  const verb = options.config === undefined ? 'start' : 'serve'
  const child = startNode([main, verb, '--config', config], options)
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (piece: Buffer) => {
    said.stdout += piece.toString()
  })
  child.stderr?.on('data', (piece: Buffer) => {
    said.stderr += piece.toString()
  })
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : undefined))
  return {
    folder,
    caFile: join(folder, 'data/ca.pem'),
    process: child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    log: () => {
      const file = join(folder, 'data/hikyaku.log')
      return `${said.stderr}${existsSync(file) ? readFileSync(file, 'utf8') : ''}`
    },
    firstAccount: () => firstAccount(said.stdout),
    ended,
    cli: (args, how) => run(process.execPath, [main, ...args, '--config', config], { cwd: folder, ...how }),
    stop: () => stop(child, ended, () => `${said.stdout}\n${said.stderr}`),
  }
}

function startNode(args: readonly string[], { folder, runAs, env: more }: ServerOptions): ChildProcess {
  const env = { ...process.env, ...more }
  // Set inside a test run; programs that see it behave as tests.
  delete env.NODE_TEST_CONTEXT
  const how = { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[] }
  if (!runAs) return start(process.execPath, args, how)
  const identity = ['--reuid', String(runAs.uid), '--regid', String(runAs.gid), '--clear-groups']
  return start('setpriv', [...identity, '--', process.execPath, ...args], how)
}

function firstAccount(stdout: string): { user: string; password: string } {
  const user = /^\s*Account:\s+(\S+)\s*$/m.exec(stdout)?.[1]
  const password = /^\s*Password:\s+(\S+)\s*$/m.exec(stdout)?.[1]
  if (!user || !password) throw new Error(`no "Account:" and "Password:" lines in:\n${stdout}`)
  return { user, password }
}

async function stop(
  child: ChildProcess,
  ended: Promise<number | undefined>,
  said: () => string,
): Promise<number | undefined> {
  child.kill('SIGTERM')
  try {
    return await within('the end after SIGTERM', stopTimeoutMs, ended)
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    throw new Error(`the server did not end after SIGTERM; it said:\n${said()}`, { cause: error })
  }
}

/** How a client logs in at the server's own ports. */
export function loginAt(
  server: Server,
  account: { readonly user: string; readonly password: string },
  port: 'imap' | 'imaps' | 'submission' | 'submissions',
): Login {
  const tls = port === 'imaps' || port === 'submissions' ? 'implicit' : 'starttls'
  return { host: localName, port: ports[port], tls, caFile: server.caFile, ...account }
}

type Value = string | number | boolean | readonly string[]
export type Sections = Readonly<Record<string, Readonly<Record<string, Value>>>>

/** A configuration on the suites' ports and on loopback, with these settings over it. */
export function configText(sections: Sections = {}): string {
  const at = (port: number): string[] => [`127.0.0.1:${port}`, `[::1]:${port}`]
  const usual: Sections = {
    server: { hostname: `mail.${domain}`, data: 'data' },
    domains: { names: [domain] },
    listen: {
      mx: at(ports.mx),
      submission: at(ports.submission),
      submissions: at(ports.submissions),
      imap: at(ports.imap),
      imaps: at(ports.imaps),
    },
    tls: { names: [localName] },
  }
  const names = new Set([...Object.keys(usual), ...Object.keys(sections)])
  return [...names].map((name) => section(name, { ...usual[name], ...sections[name] })).join('\n')
}

function section(name: string, values: Readonly<Record<string, Value>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
  return `[${name}]\n${lines.join('')}`
}

/** Adds an account with this password, which must be good enough for the server. Rejects unless it exits with 0. */
export async function addAccount(server: Server, address: string, password: string): Promise<void> {
  const ran = await server.cli(['account', 'add', address, '--password-stdin'], { input: `${password}\n` })
  if (ran.code !== 0)
    throw new Error(`account add ended with ${ran.code}: ${ran.stdout.toString()}${ran.stderr}`)
}

/** The server's own CA certificate, PEM. */
export function caOf(server: Server): string {
  return readFileSync(server.caFile, 'utf8')
}

/** A folder below another, made. */
export function below(folder: string, name: string): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true, mode: 0o755 })
  return path
}
