// A dialogue written as text and held with a real server, over plain TCP, STARTTLS or implicit TLS.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { within } from './until.ts'

export interface Place {
  readonly port: number
  readonly host?: string
  /** PEM of the CA that the server's certificate must verify against; used by `TLS` lines and `implicit`. */
  readonly ca?: string
  /** The name that the certificate must carry. */
  readonly name?: string
  readonly implicit?: boolean
}

const stepTimeoutMs = 30_000

/**
 * Holds a dialogue and answers all that the server said. Lines:
 *   C: text            is sent with CRLF, `C:` alone an empty line; `\r`, `\n`, `\0` and `\xHH` inside mean those octets
 *   S: prefix | other  the next whole reply's last line must begin with one of these
 *   TLS                the handshake, after the server agreed to STARTTLS
 *   END                the server must close the connection
 */
export async function converse(place: Place, dialogue: string): Promise<string[]> {
  const wire = new Wire(place)
  const said: string[] = []
  try {
    await within('connecting', stepTimeoutMs, wire.open())
    for (const line of dialogue.split('\n').map((text) => text.trim())) {
      if (line === '') continue
      await step(wire, line, said)
    }
  } catch (error) {
    throw new Error(
      `${error instanceof Error ? error.message : error}\nThe dialogue so far:\n${said.join('\n')}`,
      {
        cause: error,
      },
    )
  } finally {
    wire.close()
  }
  return said.filter((line) => line.startsWith('S: '))
}

async function step(wire: Wire, line: string, said: string[]): Promise<void> {
  if (line === 'TLS') {
    await within('the TLS handshake', stepTimeoutMs, wire.secure())
    said.push('(TLS)')
  } else if (line === 'END') {
    const rest = await within('the end of the connection', stepTimeoutMs, wire.untilEnd())
    assert.equal(rest, '', 'the server said more before it closed')
  } else if (line.startsWith('C:')) {
    said.push(line)
    wire.send(octets(line.slice(2).replace(/^ /, '')))
  } else if (line.startsWith('S: ')) {
    const wanted = line.slice(3).split(' | ')
    const reply = await within(`a reply like ${wanted.join(' or ')}`, stepTimeoutMs, wire.reply())
    said.push(...reply.map((text) => `S: ${text}`))
    const last = reply.at(-1) ?? ''
    assert.ok(
      wanted.some((prefix) => last.startsWith(prefix)),
      `the server said "${last}", not "${wanted.join('" or "')}"`,
    )
  } else throw new Error(`not a dialogue line: ${line}`)
}

function octets(text: string): Buffer {
  const raw = Buffer.from(text).toString('latin1')
  const plain = raw.replace(/\\(r|n|0|x[0-9a-f]{2})/gi, (_, code: string) => {
    if (code === 'r') return '\r'
    if (code === 'n') return '\n'
    return code === '0' ? '\0' : String.fromCharCode(Number.parseInt(code.slice(1), 16))
  })
  return Buffer.from(`${plain}\r\n`, 'latin1')
}

/** One connection that gives whole SMTP replies. */
class Wire {
  readonly #place: Place
  #socket: Socket | undefined
  #buffered = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(place: Place) {
    this.#place = place
  }

  async open(): Promise<void> {
    const socket = connect({ port: this.#place.port, host: this.#place.host ?? '127.0.0.1' })
    this.#adopt(socket)
    await once(socket, 'connect')
    if (this.#place.implicit) await this.secure()
  }

  async secure(): Promise<void> {
    const plain = this.#now()
    plain.removeAllListeners('data')
    const socket = connectTls({
      socket: plain,
      ca: this.#place.ca,
      servername: this.#place.name ?? 'localhost',
      // Replies in the clear behind the 220 would be an injection (rfc3207 §4.2); there must be none left over.
    })
    assert.equal(this.#buffered, '', 'the server said more in the clear before the handshake')
    this.#adopt(socket)
    await once(socket, 'secureConnect')
  }

  send(bytes: Uint8Array): void {
    this.#now().write(bytes)
  }

  async reply(): Promise<string[]> {
    const lines: string[] = []
    while (true) {
      const end = this.#buffered.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#buffered.slice(0, end)
        this.#buffered = this.#buffered.slice(end + 2)
        lines.push(line)
        if (line[3] !== '-') return lines
      } else if (this.#ended)
        throw new Error(`the server closed the connection${lines.length > 0 ? ` amid ${lines}` : ''}`)
      else await this.#more()
    }
  }

  async untilEnd(): Promise<string> {
    while (!this.#ended) await this.#more()
    return this.#buffered
  }

  close(): void {
    this.#socket?.destroy()
  }

  #now(): Socket {
    if (!this.#socket) throw new Error('not connected')
    return this.#socket
  }

  #adopt(socket: Socket): void {
    this.#socket = socket
    const end = () => {
      this.#ended = true
      this.#wake()
    }
    socket.on('data', (piece: Buffer) => {
      this.#buffered += piece.toString('latin1')
      this.#wake()
    })
    socket.on('end', end)
    // The reason shows as the closed connection; a handshake's error rejects `once` above as well.
    socket.on('error', end)
    socket.on('close', end)
  }

  #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    return promise
  }
}

/** The initial response of AUTH PLAIN (rfc4616 §2). */
export function plainResponse(user: string, password: string, authorizeAs = ''): string {
  return Buffer.from(`${authorizeAs}\0${user}\0${password}`).toString('base64')
}
