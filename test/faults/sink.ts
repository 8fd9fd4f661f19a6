// The host that mail for elsewhere goes to: takes it, refuses it or puts it off, and remembers what it answered.
// Beside it a DNS in which no name is: the server learns so at once when it judges mail.

import { createServer, type Server, type Socket } from 'node:net'
import { type DnsServer, startDns } from '../harness/dns.ts'
import type { Chance } from './chance.ts'
import { Deliveries, refusing } from './deliveries.ts'

export class Sink {
  readonly #server: Server
  readonly #dns: DnsServer
  readonly #chance: Chance
  readonly #sockets = new Set<Socket>()
  readonly deliveries: Deliveries
  run = 0

  private constructor(
    { server, dns }: { readonly server: Server; readonly dns: DnsServer },
    chance: Chance,
    deliveries: Deliveries,
  ) {
    this.#server = server
    this.#dns = dns
    this.#chance = chance
    this.deliveries = deliveries
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      new SinkSession(this, socket, this.#chance)
    })
  }

  static async listen(chance: Chance, deliveries = new Deliveries()): Promise<Sink> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Sink({ server, dns: await startDns({ zone: '' }) }, chance, deliveries)
  }

  get port(): number {
    const at = this.#server.address()
    return typeof at === 'object' && at !== null ? at.port : 0
  }

  get dnsPort(): number {
    return this.#dns.port
  }

  async close(): Promise<void> {
    await this.#dns.stop()
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

class SinkSession {
  readonly #sink: Sink
  readonly #socket: Socket
  readonly #chance: Chance
  #buffer = Buffer.alloc(0)
  #recipients: string[] = []
  #isData = false
  #isWorking = false
  readonly #run: number

  constructor(sink: Sink, socket: Socket, chance: Chance) {
    this.#sink = sink
    this.#socket = socket
    this.#chance = chance
    this.#run = sink.run
    socket.write('220 sink.test ready\r\n')
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      void this.#work()
    })
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    for (let went = true; went && !this.#socket.destroyed; )
      went = this.#isData ? await this.#data() : this.#line()
    this.#isWorking = false
  }

  #line(): boolean {
    const end = this.#buffer.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#buffer.subarray(0, end).toString('latin1')
    this.#buffer = this.#buffer.subarray(end + 2)
    this.#socket.write(this.#answer(line))
    return true
  }

  #answer(line: string): string {
    const verb = line.split(/[ :]/)[0]?.toUpperCase()
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO') return '250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n'
    if (verb === 'MAIL' || verb === 'RSET') this.#recipients = []
    if (verb === 'RCPT') {
      if (address.endsWith(`@${refusing}`)) return '550 5.1.1 nobody of that name\r\n'
      if (this.#chance.is(0.05)) return '451 4.3.0 not now\r\n'
      this.#recipients.push(address)
    }
    if (verb === 'DATA') {
      if (this.#recipients.length === 0) return '554 5.5.1 no recipients\r\n'
      this.#isData = true
      return '354 go on\r\n'
    }
    if (verb === 'QUIT') {
      setImmediate(() => this.#socket.end())
      return '221 bye\r\n'
    }
    return '250 2.0.0 well\r\n'
  }

  async #data(): Promise<boolean> {
    const end = this.#buffer.indexOf('\r\n.\r\n')
    if (end < 0) return false
    const text = this.#buffer.subarray(0, end + 2).toString('latin1')
    this.#buffer = this.#buffer.subarray(end + 5)
    this.#isData = false
    // Time for the server to be killed while it waits, and right after the answer.
    if (this.#chance.is(0.3)) await new Promise((resolve) => setTimeout(resolve, this.#chance.within(1, 30)))
    if (this.#socket.destroyed) return false
    if (this.#chance.is(0.1)) this.#socket.write('451 4.3.0 not now\r\n')
    else {
      this.#sink.deliveries.take(
        this.#recipients,
        Buffer.from(text.replace(/^\.\./gm, '.'), 'latin1'),
        this.#run,
      )
      this.#socket.write('250 2.0.0 taken\r\n')
    }
    return true
  }
}
