// One raw IMAP connection of the load clients. It looks for the tagged reply at the end of what came and counts what
// lies before it; parsing 40 MB of bodies would measure us and not the server.

import { Buffer } from 'node:buffer'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface ImapPlace {
  readonly host: string
  readonly port: number
  /** The server's certificate is not verified: what is measured is its cost. */
  readonly tls?: boolean
}

export interface ImapAnswer {
  readonly ok: boolean
  /** The tagged line, or `+ …`. */
  readonly last: string
  /** The first 64 KiB of all lines, the last one too where it still fits. */
  readonly text: string
  readonly bytes: number
  /** Untagged FETCH responses. */
  readonly fetches: number
}

const tailBytes = 1024
const keptBytes = 64 * 1024
const fetchMark = ' FETCH ('

export class ImapWire {
  readonly #socket: Socket
  #waiting: ((answer: ImapAnswer) => void) | undefined
  #failed: ((error: Error) => void) | undefined
  #wanted = '* '
  #tail = ''
  #kept: Buffer[] = []
  #bytes = 0
  #fetches = 0
  #tags = 0
  #isClosed = false
  /** Called with every untagged EXISTS that comes while no command waits. */
  onExists: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece: Buffer) => this.#read(piece))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Resolves with the greeting read. Rejects when there is none. */
  static async open({ host, port, tls }: ImapPlace): Promise<ImapWire> {
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connectPlain({ host, port })
    socket.setNoDelay(true)
    const wire = new ImapWire(socket)
    await wire.#answer('* ')
    return wire
  }

  /** Sends one command, with non-synchronising literals at its end or none, and gives what came up to its tagged reply. */
  command(text: string, ...literals: readonly Uint8Array[]): Promise<ImapAnswer> {
    const tag = `b${++this.#tags}`
    const answer = this.#answer(`${tag} `)
    const pieces = literals.flatMap((literal) => [Buffer.from(` {${literal.length}+}\r\n`), literal])
    this.#socket.write(Buffer.concat([Buffer.from(`${tag} ${text}`, 'latin1'), ...pieces, crlf]))
    return answer
  }

  /** As `command`, but rejects unless the reply is OK. */
  async must(text: string, ...literals: readonly Uint8Array[]): Promise<ImapAnswer> {
    const answer = await this.command(text, ...literals)
    if (!answer.ok) throw new Error(`${text.slice(0, 60)}: ${answer.last}`)
    return answer
  }

  /** Sends a command that the server answers by a continuation request. */
  async continued(text: string): Promise<ImapAnswer> {
    const tag = `b${++this.#tags}`
    const answer = this.#answer('+')
    this.#socket.write(`${tag} ${text}\r\n`, 'latin1')
    return await answer
  }

  /** Sends a line that continues the last command; `until` is what the next awaited line starts with. */
  async line(text: string, until: 'tagged' | 'continued' = 'tagged'): Promise<ImapAnswer> {
    const answer = this.#answer(until === 'tagged' ? `b${this.#tags} ` : '+')
    this.#socket.write(`${text}\r\n`, 'latin1')
    return await answer
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #answer(wanted: string): Promise<ImapAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ImapAnswer>()
    if (this.#isClosed) reject(new Error('the connection is closed'))
    this.#wanted = wanted
    this.#waiting = resolve
    this.#failed = reject
    this.#tail = ''
    this.#kept = []
    this.#bytes = 0
    this.#fetches = 0
    return promise
  }

  #fail(error: Error): void {
    this.#isClosed = true
    this.#failed?.(error)
    this.#failed = undefined
    this.#waiting = undefined
  }

  #read(piece: Buffer): void {
    const before = this.#tail
    this.#tail = (
      piece.length < tailBytes
        ? before + piece.toString('latin1')
        : piece.toString('latin1', piece.length - tailBytes)
    ).slice(-tailBytes)
    if (this.#waiting === undefined) {
      this.#unasked()
      return
    }
    if (this.#bytes < keptBytes) this.#kept.push(piece)
    this.#bytes += piece.length
    // A mark may be cut between two pieces.
    const head = before.slice(1 - fetchMark.length) + piece.toString('latin1', 0, fetchMark.length - 1)
    if (head.includes(fetchMark)) this.#fetches++
    for (let at = piece.indexOf(fetchMark); at !== -1; at = piece.indexOf(fetchMark, at + 8)) this.#fetches++
    if (!this.#tail.endsWith('\r\n')) return
    const last = this.#tail.slice(this.#tail.lastIndexOf('\n', this.#tail.length - 3) + 1, -2)
    const isDone = last.startsWith(this.#wanted) || /^b\d+ (NO|BAD)/.test(last)
    if (isDone) this.#finish(last)
  }

  #finish(last: string): void {
    const resolve = this.#waiting
    const text = Buffer.concat(this.#kept).toString('latin1', 0, keptBytes)
    this.#waiting = undefined
    this.#failed = undefined
    this.#tail = ''
    this.#kept = []
    const ok = /^(b\d+|\*) OK|^\* PREAUTH|^\+/.test(last)
    resolve?.({ ok, last, text, bytes: this.#bytes, fetches: this.#fetches })
  }

  #unasked(): void {
    if (!this.#tail.endsWith('\r\n')) return
    if (/ EXISTS\r\n/.test(this.#tail)) this.onExists?.()
    this.#tail = ''
  }
}

const crlf = Buffer.from('\r\n')
