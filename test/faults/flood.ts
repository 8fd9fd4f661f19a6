// Very many clients in a process of their own: connects from many addresses, says what each is to say, and holds on.
// Run as: node flood.ts '{"port":2525,"host":"11.22.33.26","count":100,"addresses":10,"say":["EHLO x\r\n"],"reads":true}'
// Prints a line of JSON with the tally whenever its standard input gets a line; ends with its standard input.

import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface FloodOrder {
  readonly host: string
  readonly port: number
  readonly count: number
  /** They come from so many addresses of 11.23.0.0/16, in turn; 0: from loopback. */
  readonly addresses: number
  /** After the greeting each piece is sent when a reply to the one before it has come. */
  readonly say: readonly string[]
  /** Octets of `x` in lines, sent behind the last piece. */
  readonly fillBytes: number
  /** Once all is said it reads nothing any more. */
  readonly stopsReading: boolean
}

export interface FloodTally {
  readonly connected: number
  readonly closed: number
  /** First lines and replies by their first nine characters. */
  readonly replies: Readonly<Record<string, number>>
  /** Clients that have said all that they had to. */
  readonly done: number
}

const AT_ONCE = 500

class Flood {
  readonly #order: FloodOrder
  readonly #replies = new Map<string, number>()
  #connected = 0
  #closed = 0
  #done = 0
  #started = 0
  #opening = 0

  constructor(order: FloodOrder) {
    this.#order = order
    this.#more()
  }

  get tally(): FloodTally {
    const { done, closed, connected } = { done: this.#done, closed: this.#closed, connected: this.#connected }
    return { connected, closed, done, replies: Object.fromEntries(this.#replies) }
  }

  #more(): void {
    while (this.#opening < AT_ONCE && this.#started < this.#order.count) this.#open(this.#started++)
  }

  #open(index: number): void {
    const { host, port, addresses } = this.#order
    const n = index % Math.max(addresses, 1)
    const localAddress = addresses === 0 ? '127.0.0.1' : `11.23.${1 + (n >> 8)}.${n & 255}`
    const socket = connect({ host, port, localAddress })
    this.#opening++
    socket.once('connect', () => this.#connected++)
    const settled = () => {
      this.#opening--
      this.#more()
    }
    socket.once('data', settled)
    socket.once('close', () => {
      this.#closed++
      if (socket.bytesRead === 0) settled()
    })
    socket.on('error', () => socket.destroy())
    this.#converse(socket)
  }

  #converse(socket: Socket): void {
    let said = 0
    let text = ''
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1')
      const lines = text.split('\r\n')
      text = lines.pop() ?? ''
      const last = lines.filter((line) => !/^\d{3}-/.test(line)).at(-1)
      if (last === undefined) return
      const short = last.slice(0, 9)
      this.#replies.set(short, (this.#replies.get(short) ?? 0) + 1)
      const next = /^[45]/.test(last) ? undefined : this.#order.say[said++]
      if (next === undefined) return
      socket.write(next)
      if (said === this.#order.say.length) this.#allSaid(socket)
    })
  }

  #allSaid(socket: Socket): void {
    const { fillBytes, stopsReading } = this.#order
    this.#done++
    if (stopsReading) socket.pause()
    if (fillBytes > 0) setTimeout(() => socket.write(`${'x'.repeat(78)}\r\n`.repeat(fillBytes / 80)), 500)
  }
}

if (process.argv[2] !== undefined) {
  const flood = new Flood(JSON.parse(process.argv[2]) as FloodOrder)
  const input = createInterface({ input: process.stdin })
  input.on('line', () => console.log(JSON.stringify(flood.tally)))
  input.on('close', () => process.exit(0))
}
