import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// How soon clients in IDLE hear of new mail: `node bench/idle.ts [CLIENTS…]`, 1, 100 and 1,000 unless said. The
// server runs in a process of its own; time counts from the 250 after the final dot to the EXISTS at the client.

const MAIN = join(import.meta.dirname, '..', 'src', 'app', 'main.ts')
const PASSWORD = 'bench-only-7-mugwort-lantern'
const MESSAGES = 20
const PORTS = { mx: 25_250, imap: 21_430 }

/** A line-wise client of either protocol. */
class Talk {
  readonly socket: Socket
  #waiting:
    | { readonly until: (line: string) => boolean; readonly resolve: (line: string) => void }
    | undefined
  #lines: string[] = []

  constructor(port: number) {
    this.socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
    this.socket.setEncoding('latin1')
    let rest = ''
    this.socket.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\r\n')
      rest = parts.pop() as string
      this.#lines.push(...parts)
      this.#settle()
    })
  }

  until(test: (line: string) => boolean): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = { until: test, resolve }
      this.#settle()
    })
  }

  async say(line: string, test: (line: string) => boolean): Promise<string> {
    this.socket.write(`${line}\r\n`)
    return this.until(test)
  }

  #settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const at = this.#lines.findIndex(waiting.until)
    if (at < 0) return
    const [line] = this.#lines.splice(0, at + 1).slice(-1) as [string]
    this.#waiting = undefined
    waiting.resolve(line)
  }
}

const starts = (prefix: string) => (line: string) => line.startsWith(prefix)

async function startServer(folder: string): Promise<() => Promise<void>> {
  const config = join(folder, 'hikyaku.toml')
  await writeFile(
    config,
    `[server]\nhostname = "localhost"\ndata = "data"\n[domains]\nnames = ["example.test"]\n[listen]\nmx = ["127.0.0.1:${PORTS.mx}"]\nimap = ["127.0.0.1:${PORTS.imap}"]\nimaps = []\nsubmission = []\nsubmissions = []\n[auth]\nplain_text_on_loopback = true\n[log]\nlevel = "error"\n`,
  )
  const add = spawn(
    process.execPath,
    [MAIN, '--config', config, 'account', 'add', 'me@example.test', '--password-stdin'],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  )
  add.stdin.end(`${PASSWORD}\n`)
  await new Promise((resolve) => add.once('close', resolve))
  const server = spawn(process.execPath, [MAIN, '--config', config, 'serve'], { stdio: 'inherit' })
  return () =>
    new Promise((resolve) => {
      server.once('close', () => resolve())
      server.kill('SIGTERM')
    })
}

async function connectWhenUp(port: number): Promise<Talk> {
  for (let tries = 0; tries < 100; tries++) {
    const talk = new Talk(port)
    const up = await new Promise<boolean>((resolve) => {
      talk.socket.once('connect', () => resolve(true))
      talk.socket.once('error', () => resolve(false))
    })
    if (up) return talk
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the server does not come up')
}

async function idleClient(): Promise<Talk> {
  const talk = await connectWhenUp(PORTS.imap)
  await talk.until(starts('* OK'))
  await talk.say(`a LOGIN me@example.test ${PASSWORD}`, starts('a OK'))
  await talk.say('b SELECT INBOX', starts('b OK'))
  await talk.say('c IDLE', starts('+'))
  return talk
}

/** @returns the moment of the 250. */
async function deliver(mx: Talk): Promise<number> {
  await mx.say('MAIL FROM:<a@far.test>', starts('250'))
  await mx.say('RCPT TO:<me@example.test>', starts('250'))
  await mx.say('DATA', starts('354'))
  await mx.say('Subject: bench\r\n\r\nhello\r\n.', starts('250'))
  return performance.now()
}

const percentile = (sorted: readonly number[], p: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] as number

async function measure(mx: Talk, clients: readonly Talk[]): Promise<number[]> {
  const delays: number[] = []
  for (let i = 0; i < MESSAGES; i++) {
    const told = clients.map((client) =>
      client.until((line) => / EXISTS$/.test(line)).then(() => performance.now()),
    )
    const accepted = await deliver(mx)
    for (const at of await Promise.all(told)) delays.push(Math.max(0, at - accepted))
  }
  return delays.sort((a, b) => a - b)
}

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 100, 1_000]
const folder = await mkdtemp(join(tmpdir(), 'hikyaku-bench-'))
const stop = await startServer(folder)
try {
  const mx = await connectWhenUp(PORTS.mx)
  await mx.until(starts('220'))
  await mx.say('EHLO bench.test', starts('250 '))
  const clients: Talk[] = []
  for (const count of counts) {
    while (clients.length < count) clients.push(await idleClient())
    const delays = await measure(mx, clients)
    console.log(
      `${count} idle clients, ${MESSAGES} messages: told after ${percentile(delays, 0.5).toFixed(1)} ms (median), ${percentile(delays, 0.99).toFixed(1)} ms (p99), ${percentile(delays, 1).toFixed(1)} ms (last)`,
    )
  }
  for (const talk of [mx, ...clients]) talk.socket.destroy()
} finally {
  await stop()
  await rm(folder, { recursive: true, force: true })
}
