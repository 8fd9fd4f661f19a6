// An SMTP client that says exactly what it is told, in the name of any address.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { within } from '../harness/until.ts'

/** By a PROXY header (loopback is the proxy), or really, from an address that this machine has. */
export type Origin =
  | { readonly by: 'proxy'; readonly client: string; readonly port: number }
  | { readonly by: 'address'; readonly client: string; readonly host: string; readonly port: number }

/** What goes by the name `said`: the lines of one reply; empty where the connection ended instead. */
export interface Exchange {
  readonly sent: string
  readonly said: readonly string[]
}

const replyTimeoutMs = 30_000

export class SmtpSession {
  readonly exchanges: Exchange[] = []
  readonly #socket: Socket
  #heard = ''
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece: Buffer) => {
      this.#heard += piece.toString('latin1')
      this.#wake()
    })
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    // A reset is an end as well: which of the two comes is the network's affair.
    socket.on('error', end)
    socket.on('close', end)
  }

  /** @param early sent at once, before the greeting. */
  static async open(origin: Origin, early = ''): Promise<SmtpSession> {
    const socket = connect(
      origin.by === 'proxy'
        ? { host: '127.0.0.1', port: origin.port }
        : { host: origin.host, port: origin.port, localAddress: origin.client },
    )
    const session = new SmtpSession(socket)
    await within('connecting', replyTimeoutMs, once(socket, 'connect'))
    const header = origin.by === 'proxy' ? proxyHeader(origin.client) : ''
    if (header + early !== '') session.send(header + early)
    await session.#note('')
    return session
  }

  send(octets: string): void {
    this.#socket.write(Buffer.from(octets, 'latin1'))
  }

  /** Sends a command and answers the reply, its lines joined by LF; empty where the connection ended. */
  async command(line: string): Promise<string> {
    this.send(`${line}\r\n`)
    return await this.#note(line)
  }

  /** The message, lines ended by LF, dot-stuffed, and its end. */
  async message(text: string): Promise<string> {
    this.send(`${text.replaceAll('\n', '\r\n').replace(/^\./gm, '..')}.\r\n`)
    return await this.#note('(message)')
  }

  get greeting(): string {
    return this.exchanges[0]?.said.join('\n') ?? ''
  }

  close(): void {
    this.#socket.destroy()
  }

  transcript(): string {
    return this.exchanges
      .flatMap(({ sent, said }) => [`C: ${sent.slice(0, 200)}`, ...said.map((line) => `S: ${line}`)])
      .join('\n')
  }

  async #note(sent: string): Promise<string> {
    const said = await within(`a reply to ${sent || 'the connection'}`, replyTimeoutMs, this.#reply())
    this.exchanges.push({ sent, said })
    return said.join('\n')
  }

  async #reply(): Promise<string[]> {
    const lines: string[] = []
    while (true) {
      const end = this.#heard.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#heard.slice(0, end)
        this.#heard = this.#heard.slice(end + 2)
        lines.push(line)
        if (line[3] !== '-') return lines
      } else if (this.#ended) return lines
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
    }
  }
}

function proxyHeader(client: string): string {
  return client.includes(':')
    ? `PROXY TCP6 ${client} 2001:db8:100::25 40000 25\r\n`
    : `PROXY TCP4 ${client} 198.51.100.25 40000 25\r\n`
}

export interface Letter {
  readonly client: string
  readonly helo: string
  /** Behind `MAIL FROM:`, with its parameters. */
  readonly mail: string
  readonly recipients: readonly string[]
  /** Lines end in LF. */
  readonly message: string
}

export interface Sent {
  /** The reply that decided: to the message, or to what was refused before it. */
  readonly reply: string
  readonly recipientReplies: readonly string[]
  readonly transcript: string
}

/** One message, by one connection. Ends early where everything is refused before DATA. */
export async function sendLetter(origin: Origin, letter: Letter): Promise<Sent> {
  const session = await SmtpSession.open(origin)
  const recipientReplies: string[] = []
  const sent = (reply: string): Sent => ({ reply, recipientReplies, transcript: session.transcript() })
  try {
    const hello = await session.command(`EHLO ${letter.helo}`)
    if (!hello.startsWith('250')) return sent(hello)
    const mail = await session.command(`MAIL FROM:${letter.mail}`)
    if (!mail.startsWith('250')) return sent(mail)
    for (const recipient of letter.recipients)
      recipientReplies.push(await session.command(`RCPT TO:${recipient}`))
    if (!recipientReplies.some((reply) => reply.startsWith('25'))) return sent(recipientReplies.at(-1) ?? '')
    const data = await session.command('DATA')
    const reply = data.startsWith('354') ? await session.message(letter.message) : data
    await session.command('QUIT')
    return sent(reply)
  } finally {
    session.close()
  }
}
