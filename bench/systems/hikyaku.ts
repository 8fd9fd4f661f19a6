// Our server, as an operator runs it: the real program as a child, its defaults but for loopback ports.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { start as launch, run, runWell } from '../../test/harness/run.ts'
import { until } from '../../test/harness/until.ts'
import type { Account } from '../load/imap-login.ts'
import { processTree } from '../processes.ts'
import type { Author } from '../signed.ts'
import {
  accountsOf,
  diskBytesOf,
  domain,
  freePorts,
  type Host,
  type LoopDelay,
  type MailSystem,
} from './system.ts'

/** As the script `hikyaku` starts it. */
const NODE_FLAGS = ['--max-semi-space-size=4']

const root = join(import.meta.dirname, '..', '..')
const built = join(root, 'dist/src/app/main.js')
/** Keys are made and the store is opened; a busy machine takes its time. */
const startTimeoutMs = 60_000
const stopTimeoutMs = 60_000

export interface HikyakuOptions {
  /** Empty; the data, the configuration and the log go there. */
  readonly folder: string
  /** The program's main file. */
  readonly program: string
  /** Without: the event loop is not watched, which costs a MiB or two. */
  readonly watchesLoop: boolean
  /**
   * Runs on a copy of Node, so that no other process, such as we ourselves, shares pages with it and makes it look
   * small. Not needed where memory is not measured.
   */
  readonly copiesNode: boolean
  /** That mail comes to; ten unless said. */
  readonly mailboxes?: number
  /** Judges mail, also that of this machine; the domain of this author is asked about at its name server. */
  readonly author?: Author
}

/** The program in the source, its types stripped by Node at each start. */
export const sourceProgram = join(root, 'src/app/main.ts')

/** The built package's program; built first where it is missing or older than the source. The source's, where that fails. */
export async function builtProgram(tell: (line: string) => void): Promise<string> {
  if (isFresh()) return built
  tell('building the package, since dist/ is missing or older than the source')
  const { code, stdout, stderr } = await run(process.execPath, [join(root, 'tools/build.ts')], { cwd: root })
  if (code === 0 && isFresh()) return built
  tell(`  ! the package can't be built, so the source is measured: ${stdout}${stderr}`.trimEnd())
  return sourceProgram
}

/** Starts it with all its accounts. Rejects with what it said when it does not come up. */
export async function startHikyaku(options: HikyakuOptions): Promise<Host> {
  const { folder, program } = options
  const ports = await freePorts(4)
  const [smtp = 0, lmtp = 0, imap = 0, imaps = 0] = ports
  const config = join(folder, 'hikyaku.toml')
  writeFileSync(config, configText({ smtp, lmtp, imap, imaps }) + judgingText(options.author))
  const node = options.copiesNode ? join(folder, 'node') : process.execPath
  if (options.copiesNode) copyFileSync(process.execPath, node)
  let child = await start(node, options, config)
  const accounts = accountsOf('', options.mailboxes)
  await addAccounts(options, config, [...accounts.many, accounts.reader, accounts.idler])
  const system: MailSystem = {
    name: 'hikyaku',
    title: 'Hikyaku',
    ports: { smtp, lmtp, imap, imaps },
    ...accounts,
    author: options.author,
    processes: () => processTree(child.pid ?? 0),
    diskBytes: () => diskBytesOf(join(folder, 'data')),
    ...(options.watchesLoop ? { loopDelay: () => askLoop(loopSocket(folder)) } : {}),
    lastFault: () => /.*server\.fault.*/.exec(reversed(join(folder, 'hikyaku.log')))?.[0],
    about: `${origin(program)}; its defaults, but no greeting delay, and passwords without TLS on loopback; its log goes to a file`,
  }
  return {
    systems: [system],
    restart: async () => {
      await stop(child)
      child = await start(node, options, config)
    },
    stop: () => stop(child),
  }
}

/** The lines of a log, the last one first. */
function reversed(file: string): string {
  return readFileSync(file, 'latin1').split('\n').reverse().join('\n')
}

function origin(program: string): string {
  if (program === built) return 'the built package'
  return program === sourceProgram
    ? 'from its source, types stripped by Node at the start'
    : 'the program that was given'
}

/** Whether nothing in the source was written after the package was built. */
function isFresh(): boolean {
  const builtAtMs = statSync(built, { throwIfNoEntry: false })?.mtimeMs
  if (builtAtMs === undefined) return false
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  return files.every(
    (file) =>
      !/(?<!\.test|test-kit)\.ts$/.test(file.name) ||
      statSync(join(file.parentPath, file.name)).mtimeMs <= builtAtMs,
  )
}

/** A few at once: each is a process of its own that asks the running server. */
async function addAccounts(
  { program }: HikyakuOptions,
  config: string,
  accounts: readonly Account[],
): Promise<void> {
  const left = [...accounts]
  const hand = async () => {
    for (let account = left.pop(); account !== undefined; account = left.pop()) {
      const args = [program, 'account', 'add', account.user, '--password-stdin', '--config', config]
      await runWell(process.execPath, args, { input: `${account.password}\n` })
    }
  }
  await Promise.all([hand(), hand(), hand()])
}

function configText({ smtp, lmtp, imap, imaps }: Readonly<Record<string, number>>): string {
  const at = (port = 0) => `["127.0.0.1:${port}"]`
  return [
    '[server]\nhostname = "localhost"\ndata = "data"',
    `[domains]\nnames = ["${domain}"]`,
    `[listen]\nmx = ${at(smtp)}\nlmtp = ${at(lmtp)}\nimap = ${at(imap)}\nimaps = ${at(imaps)}`,
    'submission = []\nsubmissions = []',
    '[smtp]\ngreeting_delay = "0 ms"',
    '[auth]\nplain_text_on_loopback = true',
    '[log]\nto = "hikyaku.log"\n',
  ].join('\n')
}

function judgingText(author: Author | undefined): string {
  if (author === undefined) return ''
  return `[policy]\nexempt_networks = []\n[dns]\nservers = ["127.0.0.1:${author.dnsPort}"]\n`
}

async function start(node: string, options: HikyakuOptions, config: string): Promise<ChildProcess> {
  const { folder, program, watchesLoop } = options
  const env: NodeJS.ProcessEnv = { ...process.env }
  delete env.NODE_TEST_CONTEXT
  if (watchesLoop) {
    env.NODE_OPTIONS = `--import=${join(import.meta.dirname, 'loop-delay.mjs')}`
    env.HIKYAKU_BENCH_LOOP = loopSocket(folder)
  }
  rmSync(loopSocket(folder), { force: true })
  const child = launch(node, [...NODE_FLAGS, program, 'serve', '--config', config], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const hear = (piece: Buffer) => {
    said += piece.toString()
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  const log = join(folder, 'hikyaku.log')
  const seen = existsSync(log) ? readFileSync(log).length : 0
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const isUp = () => existsSync(log) && readFileSync(log).subarray(seen).includes('server.started')
  await until('the start of the server', () => hasEnded() || isUp(), startTimeoutMs)
  if (hasEnded()) throw new Error(`the server ended at its start: ${said}`)
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  child.kill('SIGTERM')
  await closed
  clearTimeout(timer)
}

function loopSocket(folder: string): string {
  return join(folder, 'loop.sock')
}

function askLoop(path: string): Promise<LoopDelay> {
  const { promise, resolve, reject } = Promise.withResolvers<LoopDelay>()
  let text = ''
  const socket = connect(path)
  socket.on('data', (piece) => (text += piece))
  socket.once('error', reject)
  socket.once('end', () => resolve(JSON.parse(text) as LoopDelay))
  return promise
}
