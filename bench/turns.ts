import { Worker } from 'node:worker_threads'
import { startHouse } from '../src/app/house.test-kit.ts'

// How long the longest turns of the main thread's event loop are, by CPU time, so that a busy machine says the same as a
// quiet one: long answers, large changes, and input that is dear to look at. `node bench/turns.ts [PATTERN]` measures
// those workloads whose names fit.

const MESSAGES = 10_000
const COPIES = 10
const MESSAGE_BYTES = 25_000_000
const SHOWN = 5

interface Said {
  readonly piece?: string
  readonly times?: number
  readonly until: string
}

class Client {
  readonly #worker: Worker
  #tags = 0

  constructor(port: number) {
    this.#worker = new Worker(new URL('./turns-client.ts', import.meta.url), { workerData: { port } })
  }

  say(text: string, { piece = '', times = 0, until }: Said): Promise<string> {
    this.#worker.postMessage({ text, piece, times, until })
    return new Promise((resolve) => this.#worker.once('message', resolve))
  }

  command(text: string): Promise<string> {
    const tag = `t${++this.#tags}x`
    return this.say(`${tag} ${text}\r\n`, { until: `^${tag} (OK|NO|BAD).*\\r\\n` })
  }

  end(): Promise<number> {
    return this.#worker.terminate()
  }
}

/** Runs the work and prints the CPU time of the longest turns while it ran. */
async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  if (!wanted.test(name)) return
  const turnsMs: number[] = []
  let running = true
  let before = process.threadCpuUsage()
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before)
    turnsMs.push((user + system) / 1000)
    before = process.threadCpuUsage()
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  const startMs = performance.now()
  await work()
  running = false
  const longest = turnsMs.sort((a, b) => b - a).slice(0, SHOWN)
  const took = Math.round(performance.now() - startMs)
  console.log(
    `${name.padEnd(28)} ${longest.map((ms) => ms.toFixed(1).padStart(6)).join('')} ms, in ${took} ms`,
  )
}

const wanted = new RegExp(process.argv[2] ?? '')
const house = await startHouse({ auth: { plain_text_on_loopback: true }, smtp: { greeting_delay: '0 s' } })
const account = await house.account()
const portOf = (name: string): number => house.server.portOf(name) ?? 0

async function loggedIn(): Promise<Client> {
  const client = new Client(portOf('imap'))
  await client.say('', { until: '^\\* OK' })
  await client.command(`LOGIN ${account.login} ${account.password}`)
  return client
}

async function fill(client: Client): Promise<void> {
  await client.command('CREATE few')
  await client.command('CREATE many')
  const content =
    'From: a@far.test\r\nSubject: one of many\r\nDate: Tue, 2 Jan 2024 10:00:00 +0900\r\n\r\nText\r\n'
  const piece = `a APPEND few {${content.length}+}\r\n${content}\r\n`
  await client.say('', { piece, times: MESSAGES, until: `\\s${MESSAGES}\\] APPEND` })
  await client.command('SELECT few')
  for (let i = 0; i < COPIES; i++) await client.command('COPY 1:* many')
}

async function mailboxes(client: Client): Promise<void> {
  await measure('SELECT', () => client.command('SELECT many'))
  await client.command('SELECT many')
  for (const items of ['(FLAGS)', '(UID FLAGS)', '(ENVELOPE)', '(BODY.PEEK[])'])
    await measure(`FETCH ${items}`, () => client.command(`FETCH 1:* ${items}`))
  await measure('SEARCH ALL', () => client.command('SEARCH ALL'))
  await measure('SEARCH SUBJECT', () => client.command('SEARCH SUBJECT nowhere'))
  await measure('STORE', () => client.command('STORE 1:* +FLAGS (\\Seen)'))
  await measure('COPY', () => client.command('COPY 1:* few'))
  await measure('EXPUNGE', async () => {
    await client.command('STORE 1:* +FLAGS.SILENT (\\Deleted)')
    await client.command('EXPUNGE')
  })
  const each = (verb: string): string =>
    Array.from({ length: 2_000 }, (_, i) => `a ${verb} "f/${i}"\r\n`).join('')
  for (const verb of ['CREATE', 'DELETE'])
    await measure(`2,000 ${verb}`, () => client.say(`${each(verb)}z NOOP\r\n`, { until: '^z OK' }))
  for (const verb of ['NOOP', 'CAPABILITY'])
    await measure(`100,000 ${verb}`, () =>
      client.say(`a ${verb}\r\n`.repeat(100_000), { piece: 'z NOOP\r\n', times: 1, until: '^z OK' }),
    )
}

const TOP = 'From: <a@b.test>\r\nSubject: x\r\nMIME-Version: 1.0\r\n'
const MULTIPART = `${TOP}Content-Type: multipart/mixed; boundary=b\r\n\r\n`
const DEEP = Array.from(
  { length: 50 },
  (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
).join('')
/** What may be dear to look at: the beginning, and what is repeated. */
const CONTENTS: Readonly<Record<string, readonly [head: string, repeated: string]>> = {
  text: [`${TOP}\r\n`, `${'x'.repeat(76)}\r\n`],
  'empty lines': [`${TOP}\r\n`, '\r\n'],
  dots: [`${TOP}\r\n`, '..\r\n'],
  dashes: [MULTIPART, '--\r\n'],
  parts: [MULTIPART, '--b\r\n\r\n'],
  'parts with headers': [MULTIPART, '--b\r\nContent-Type: text/plain; a=b; c=d\r\n\r\n'],
  'header fields': [TOP, 'A: b\r\n'],
  'nested boundaries': [TOP + DEEP, '--bxx\r\n'],
}

async function messages(): Promise<void> {
  for (const [name, [head, repeated]] of Object.entries(CONTENTS)) {
    const piece = repeated.repeat(Math.ceil(60_000 / repeated.length))
    const times = Math.ceil(MESSAGE_BYTES / piece.length)
    await measure(`content: ${name}`, async () => {
      const client = new Client(portOf('mx'))
      await client.say('', { until: '^220 ' })
      for (const line of ['EHLO x', 'MAIL FROM:<a@far.test>', `RCPT TO:<${account.login}>`, 'DATA'])
        await client.say(`${line}\r\n`, { until: '^(250|354) ' })
      const over = client.say(head, { piece, times, until: '^[245]\\d\\d ' })
      void client.say('.\r\n', { until: '^[245]\\d\\d ' })
      await over
      await client.end()
    })
  }
}

const client = await loggedIn()
await fill(client)
await mailboxes(client)
await messages()
await client.end()
await house.stop()
