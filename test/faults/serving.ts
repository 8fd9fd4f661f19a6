// The real server as a process of its own, on ports that the system picks, to be killed.

import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { controlPath } from '../../src/app/server/control.ts'
import { openWire, type Wire, type WireTo } from '../../src/app/wire.test-kit.ts'
import { callControl } from '../../src/platform/control-client.ts'
import { projectRoot } from '../harness/programs.ts'
import { start } from '../harness/run.ts'
import { until } from '../harness/until.ts'
import { domain } from './letter.ts'

const main = join(projectRoot, 'src/app/main.ts')
/** A start on a busy machine, with keys to be made and a log to be recovered. */
const startTimeoutMs = 60_000

export interface ServingOptions {
  /** Holds the configuration and, in `data`, everything that is kept. */
  readonly folder: string
  /** Where mail for elsewhere goes. */
  readonly sinkPort: number
  /** Who answers for all names, on loopback. */
  readonly dnsPort: number
  /** For the shim: see shimEnv. */
  readonly env?: Readonly<Record<string, string>>
}

export const dataFolder = (folder: string): string => join(folder, 'data')

/** One run of the program. */
export class Serving {
  readonly folder: string
  readonly #child: ReturnType<typeof start>
  readonly #ended: Promise<unknown>
  #log = ''
  #ports: ReadonlyMap<string, number> | undefined
  #wake: () => void = () => {}
  #isGone = false

  constructor({ folder, sinkPort, dnsPort, env }: ServingOptions) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    const config = join(folder, 'hikyaku.toml')
    writeFileSync(config, configText(sinkPort, dnsPort))
    const all: NodeJS.ProcessEnv = {
      ...process.env,
      NODE_COMPILE_CACHE: join(projectRoot, '.cache/compile'),
      ...env,
    }
    delete all.NODE_TEST_CONTEXT
    this.#child = start(process.execPath, [main, 'serve', '--config', config], {
      cwd: folder,
      env: all,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.#ended = once(this.#child, 'close').then(() => {
      this.#isGone = true
      this.#wake()
    })
  }

  /** Resolves once it serves. Rejects with its log when it ends instead. */
  async started(): Promise<void> {
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), startTimeoutMs)
    while (this.#ports === undefined && !this.#isGone)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    clearTimeout(giveUp)
    if (this.#ports === undefined) throw new Error(`the server does not start:\n${this.#log}`)
    // The operator's socket comes last.
    await until('the control socket', () => this.#isGone || this.#hasControl(), startTimeoutMs)
  }

  async #hasControl(): Promise<boolean> {
    const answer = await callControl(controlPath(this.dataFolder), { verb: 'account.list', args: {} })
    return answer.kind === 'result'
  }

  /** Resolves when its process is gone. */
  get ended(): Promise<unknown> {
    return this.#ended
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** The end of what it logged. */
  get log(): string {
    return this.#log
  }

  get dataFolder(): string {
    return dataFolder(this.folder)
  }

  open(port: WireTo): Promise<Wire> {
    const env = { portOf: (name: string) => this.#ports?.get(name) ?? 0, ca: '', serverName: domain }
    return openWire(port, env)
  }

  /** An operator's command; gives its lines. Rejects where it is refused or the server is gone. */
  async control(verb: string, args: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
    const lines: string[] = []
    const answer = await callControl(controlPath(this.dataFolder), { verb, args }, (line) => lines.push(line))
    if (answer.kind !== 'result') throw new Error(`${verb}: ${answer.sentence}`)
    const result = answer.result as { ok: boolean; lines?: readonly string[]; error?: string }
    if (!result.ok) throw new Refused(`${verb}: ${result.error}`)
    return [...lines, ...(result.lines ?? [])]
  }

  /** SIGSTOP: resolves when no thread can do anything any more; one within a call to the disk ends in it. */
  async freeze(): Promise<void> {
    this.#child.kill('SIGSTOP')
    const tasks = `/proc/${this.#child.pid}/task`
    const stands = (task: string): boolean =>
      /\) [TtDZX] /.test(readFileSync(join(tasks, task, 'stat'), 'latin1'))
    await until('the server to stand still', () => this.#isGone || readdirSync(tasks).every(stands))
  }

  /** No warning: as if the machine had gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
  }

  #take(text: string): void {
    this.#log = `${this.#log}${text}`.slice(-200_000)
    const ports = this.#ports === undefined && /server\.started .*ports="([^"]*)"/.exec(this.#log)?.[1]
    if (!ports) return
    this.#ports = new Map(
      ports.split(' ').map((port) => [port.split('=')[0] ?? '', Number(port.split(':').at(-1))]),
    )
    this.#wake()
  }
}

/** A backup server of ours: what is wrong with its mail is held, not refused. */
export const secondaryAddress = '127.0.0.2'

/** The server answered, and said no. */
export class Refused extends Error {}

function configText(sinkPort: number, dnsPort: number): string {
  return `[server]
hostname = "mail.${domain}"
data = "data"
[domains]
names = ["${domain}"]
[listen]
mx = ["127.0.0.1:0"]
submission = ["127.0.0.1:0"]
submissions = []
imap = ["127.0.0.1:0"]
imaps = []
lmtp = ["127.0.0.1:0"]
[smtp]
greeting_delay = "0 ms"
[auth]
plain_text_on_loopback = true
[policy]
exempt_networks = ["127.0.0.1/32"]
secondaries = ["${secondaryAddress}/32"]
[quarantine]
digest = false
[outbound]
smarthost = "127.0.0.1:${sinkPort}"
smarthost_tls = "opportunistic"
retry_after = ["100 ms"]
[dns]
servers = ["127.0.0.1:${dnsPort}"]
`
}
