// One connection of the SMTP and LMTP load client: callbacks on a raw socket and nothing between, so that on a machine
// of two cores the server gets most of both.

import { Buffer } from 'node:buffer'
import { connect, type Socket } from 'node:net'
import { type Author, signatureBytes, signMessage } from '../signed.ts'
import { makeMessage, stampId } from './message.ts'

export interface SmtpLoad {
  readonly host: string
  readonly port: number
  readonly protocol: 'smtp' | 'lmtp'
  readonly connections: number
  readonly sizeBytes: number
  /** MAIL, RCPT and DATA in one piece; otherwise each waits for the reply before it. */
  readonly pipelining: boolean
  /** Messages of one connection, then QUIT and a new one; servers set a limit of their own. */
  readonly perConnection: number
  /** Envelope recipients, taken in turn; one for each message. */
  readonly recipients: readonly string[]
  /** Signs what is sent; its signature is a part of the size. */
  readonly author?: Author | undefined
  /** Different messages of each connection; four unless said. */
  readonly bodies?: number | undefined
  /** Between a reply and the next message. */
  readonly pauseMs?: number | undefined
}

/** What all connections of one load share. */
export interface SmtpTally {
  /** The number of the next message, or undefined when no more are to be sent. */
  claim(): number | undefined
  /** Whether `claim` may still give one: then a connection that ends is followed by another. */
  isOpen(): boolean
  accepted(latencyMs: number): void
  refused(reply: string): void
  /** A connection has ended for good; `problem` where that was not planned. */
  ended(problem?: string): void
}

type Step = 'greeting' | 'hello' | 'mail' | 'rcpt' | 'data' | 'body' | 'quit'

const dot = '\r\n.\r\n'
const readBytes = 16 * 1024

export class SmtpHand {
  readonly #load: SmtpLoad
  readonly #tally: SmtpTally
  /** Its own copy: it is written into while others are on their way. */
  readonly #bodies: readonly Buffer[]
  #socket: Socket | undefined
  #step: Step = 'greeting'
  #sentHere = 0
  #number = 0
  #finalDotAt = 0
  /** Start of the reply line that has not ended yet. */
  #partial = ''

  constructor(load: SmtpLoad, tally: SmtpTally, seed: number) {
    this.#load = load
    this.#tally = tally
    this.#bodies = Array.from({ length: load.bodies ?? 4 }, (_, index) => {
      const message = bodyOf(load, seed * 16 + index)
      return Buffer.concat([message.subarray(0, -2), Buffer.from(dot)])
    })
  }

  /** Opens the connection and goes on until nothing more is to be claimed. */
  start(): void {
    const { host, port } = this.#load
    this.#step = 'greeting'
    this.#sentHere = 0
    this.#partial = ''
    const buffer = Buffer.allocUnsafe(readBytes)
    const callback = (length: number) => {
      this.#read(buffer, length)
      return true
    }
    const socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
    this.#socket = socket
    socket.once('error', (error) => this.#end(`the connection failed: ${error.message}`))
    socket.once('close', () => this.#closed(socket))
  }

  #closed(socket: Socket): void {
    if (this.#socket !== socket) return
    if (this.#step !== 'quit') {
      this.#end(`the server closed the connection after ${this.#step}`)
      return
    }
    if (this.#tally.isOpen()) this.start()
    else this.#end()
  }

  #end(problem?: string): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#socket = undefined
    socket.destroy()
    this.#tally.ended(problem)
  }

  #read(buffer: Buffer, length: number): void {
    let from = 0
    while (from < length) {
      const end = buffer.indexOf(10, from)
      if (end === -1 || end >= length) {
        this.#partial += buffer.toString('latin1', from, length)
        return
      }
      const line = this.#partial + buffer.toString('latin1', from, end)
      this.#partial = ''
      from = end + 1
      if (line.charCodeAt(3) !== 0x2d) this.#reply(line)
    }
  }

  #reply(line: string): void {
    if (this.#socket === undefined) return
    const good = line.charCodeAt(0) === (this.#step === 'data' ? 0x33 : 0x32)
    if (!good) {
      this.#bad(line)
      return
    }
    const { protocol, pipelining } = this.#load
    switch (this.#step) {
      case 'greeting':
        this.#say('hello', `${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} bench.test\r\n`)
        break
      case 'mail':
        if (pipelining) this.#step = 'rcpt'
        else this.#say('rcpt', this.#rcpt())
        break
      case 'rcpt':
        if (pipelining) this.#step = 'data'
        else this.#say('data', 'DATA\r\n')
        break
      case 'data':
        this.#body()
        break
      case 'body':
        this.#tally.accepted(performance.now() - this.#finalDotAt)
        if (this.#load.pauseMs === undefined) this.#next()
        else setTimeout(() => this.#next(), this.#load.pauseMs)
        break
      case 'hello':
        this.#next()
        break
      case 'quit':
        // Our side closes first, as clients do that have said QUIT.
        this.#socket.destroy()
        break
    }
  }

  #bad(line: string): void {
    this.#tally.refused(`${this.#step}: ${line.trimEnd()}`)
    // What follows a refusal depends on the server and on pipelining; a new connection is a known state.
    this.#step = 'quit'
    this.#socket?.destroy()
  }

  #next(): void {
    const claimed = this.#sentHere < this.#load.perConnection ? this.#tally.claim() : undefined
    if (claimed === undefined) {
      this.#say('quit', 'QUIT\r\n')
      return
    }
    this.#number = claimed
    this.#sentHere++
    const mail = 'MAIL FROM:<sender@far.example>\r\n'
    this.#say('mail', this.#load.pipelining ? `${mail}${this.#rcpt()}DATA\r\n` : mail)
  }

  #rcpt(): string {
    const { recipients } = this.#load
    return `RCPT TO:<${recipients[this.#number % recipients.length]}>\r\n`
  }

  #body(): void {
    const body = this.#bodies[this.#number % this.#bodies.length] as Buffer
    stampId(body, this.#number)
    this.#step = 'body'
    this.#socket?.write(body)
    this.#finalDotAt = performance.now()
  }

  #say(step: Step, text: string): void {
    this.#step = step
    this.#socket?.write(text, 'latin1')
  }
}

function bodyOf({ author, sizeBytes }: SmtpLoad, seed: number): Buffer {
  return author === undefined
    ? makeMessage(seed, sizeBytes)
    : signMessage(makeMessage(seed, sizeBytes - signatureBytes(author)), author)
}
