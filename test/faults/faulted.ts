// The program under a fault: what the suites of this folder say to it, and what it answers.

import type { TestContext } from 'node:test'
import { openWire, type PortName, type Wire } from '../../src/app/wire.test-kit.ts'
import {
  addAccount,
  configText,
  domain,
  ports,
  type Sections,
  type Server,
  type ServerOptions,
  startServer,
} from '../harness/hikyaku.ts'

export const me = `me@${domain}`
export const password = 'tide-Lantern-83-quorum-vex'

/** Loopback without TLS is enough here. */
export function faultedConfig(sections: Sections = {}): string {
  const { listen, ...others } = sections
  return configText({
    auth: { plain_text_on_loopback: true },
    smtp: { greeting_delay: '0 ms' },
    ...others,
    listen: {
      mx: [`127.0.0.1:${ports.mx}`],
      submission: [`127.0.0.1:${ports.submission}`],
      submissions: [],
      imap: [`127.0.0.1:${ports.imap}`],
      imaps: [],
      lmtp: [`127.0.0.1:${lmtpPort}`],
      ...listen,
    },
  })
}

export const lmtpPort = 2024
/** What must be open before such a server has started. */
export const faultedPorts = [ports.mx, ports.submission, ports.imap, lmtpPort] as const

/** Ended at the latest with the test, however that ends. */
export async function startFaulted(t: TestContext, options: ServerOptions): Promise<Server> {
  const server = await startServer({ waitFor: faultedPorts, config: faultedConfig(), ...options })
  t.after(() => server.process.kill('SIGKILL'))
  return server
}

export async function addMe(server: Server): Promise<void> {
  await addAccount(server, me, password)
}

function open(port: PortName): Promise<Wire> {
  const known: Readonly<Record<string, number>> = { ...ports, lmtp: lmtpPort }
  return openWire(port, { portOf: (name) => known[name] ?? 0, ca: '', serverName: domain })
}

/** A connection that speaks SMTP: gives the last line of each reply. */
export class Smtp {
  readonly wire: Wire

  private constructor(wire: Wire) {
    this.wire = wire
  }

  static async open(port: 'mx' | 'lmtp' | 'submission' = 'mx'): Promise<Smtp> {
    const smtp = new Smtp(await open(port))
    await smtp.reply()
    await smtp.say(port === 'lmtp' ? 'LHLO client.far.test' : 'EHLO client.far.test')
    return smtp
  }

  async reply(): Promise<string> {
    for (;;) {
      const line = await this.wire.line()
      if (line[3] !== '-') return line
    }
  }

  say(line: string): Promise<string> {
    this.wire.send(`${line}\r\n`)
    return this.reply()
  }

  /** One message; gives the reply that decided: of MAIL, of RCPT, or after the final dot. */
  async send(text: string, to = me): Promise<string> {
    const steps = [
      ['MAIL FROM:<someone@far.test>', '250'],
      [`RCPT TO:<${to}>`, '250'],
      ['DATA', '354'],
    ] as const
    for (const [line, code] of steps) {
      const reply = await this.say(line)
      if (reply.startsWith(code)) continue
      if (!reply.startsWith('421')) await this.say('RSET')
      return reply
    }
    this.wire.send(`${text}\r\n.\r\n`)
    return this.reply()
  }

  /** As the account: mail to others. */
  async submit(to: string): Promise<string> {
    await this.say(`AUTH PLAIN ${Buffer.from(`\0${me}\0${password}`).toString('base64')}`)
    await this.say(`MAIL FROM:<${me}>`)
    const reply = await this.say(`RCPT TO:<${to}>`)
    if (!reply.startsWith('250')) return reply
    await this.say('DATA')
    this.wire.send(`From: ${me}\r\nTo: ${to}\r\nSubject: to ${to}\r\n\r\nhello\r\n.\r\n`)
    return this.reply()
  }

  close(): void {
    this.wire.socket.destroy()
  }
}

/** One message on a connection of its own. */
export async function mail(text: string, port: 'mx' | 'lmtp' = 'mx'): Promise<string> {
  const smtp = await Smtp.open(port)
  try {
    return await smtp.send(text)
  } finally {
    smtp.close()
  }
}

export function letter(subject: string, sizeBytes = 500): string {
  const head = `From: someone@far.test\r\nSubject: ${subject}\r\n\r\n`
  const line = `${'x'.repeat(70)}\r\n`
  return `${head}${line.repeat(Math.max(1, Math.ceil((sizeBytes - head.length) / line.length)))}`.trimEnd()
}

/** A logged-in IMAP connection with INBOX open: gives all lines up to the tagged one. */
export class Imap {
  readonly #wire: Wire
  #count = 0

  private constructor(wire: Wire) {
    this.#wire = wire
  }

  static async open(): Promise<Imap> {
    const imap = new Imap(await open('imap'))
    await imap.#wire.line()
    const login = await imap.say(`LOGIN ${me} "${password}"`)
    if (!login.last.startsWith('OK')) throw new Error(`LOGIN: ${login.last}`)
    const select = await imap.say('SELECT INBOX')
    if (!select.last.startsWith('OK')) throw new Error(`SELECT: ${select.last}`)
    return imap
  }

  async say(command: string): Promise<{ readonly lines: readonly string[]; readonly last: string }> {
    const tag = `t${++this.#count}`
    this.#wire.send(`${tag} ${command}\r\n`)
    return this.#until(tag)
  }

  /** Gives the tagged answer's text, without the message where that is refused before. */
  async append(text: string): Promise<string> {
    const tag = `t${++this.#count}`
    this.#wire.send(`${tag} APPEND INBOX {${Buffer.byteLength(text)}}\r\n`)
    const first = await this.#wire.line()
    if (!first.startsWith('+')) return first.slice(tag.length + 1)
    this.#wire.send(`${text}\r\n`)
    return (await this.#until(tag)).last
  }

  /** Subjects of all that is there, in order. */
  async subjects(): Promise<readonly string[]> {
    await this.say('NOOP')
    const { lines, last } = await this.say('FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]')
    if (!last.startsWith('OK')) throw new Error(`FETCH: ${last}`)
    return lines.flatMap((line) => /^Subject: (.*)$/.exec(line)?.[1] ?? [])
  }

  close(): void {
    this.#wire.socket.destroy()
  }

  async #until(tag: string): Promise<{ readonly lines: readonly string[]; readonly last: string }> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#wire.line()
      if (line.startsWith(`${tag} `)) return { lines, last: line.slice(tag.length + 1) }
      lines.push(line)
    }
  }
}
