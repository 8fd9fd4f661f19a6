// A small authoritative DNS server for tests, on UDP and TCP, with its zone written in the test.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type RecordType,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet'

export interface DnsOptions {
  /**
   * One line each: `name TYPE value`, or `name FAULT`. Types: A, AAAA, MX, CNAME, TXT, PTR, NS.
   * A name that has no line does not exist (NXDOMAIN); one that lacks the asked type has no such data. Faults:
   * SERVFAIL, REFUSED, TIMEOUT (no answer at all), TRUNCATED (over UDP only: the answer is to be had over TCP).
   * A fault may name a type, `name MX SERVFAIL`, and then holds for that type alone.
   */
  readonly zone: string
  readonly address?: string
  /** 0 or none: a free one. */
  readonly port?: number
}

export interface DnsServer {
  readonly address: string
  readonly port: number
  /** What was asked, in order: `name TYPE udp` or `name TYPE tcp`, names in lower case. */
  readonly asked: readonly string[]
  /** Adds lines to the zone, or with `instead` replaces it. */
  change(zone: string, instead?: boolean): void
  stop(): Promise<void>
}

type Fault = 'SERVFAIL' | 'REFUSED' | 'TIMEOUT' | 'TRUNCATED'
type Carrier = 'udp' | 'tcp'

interface Line {
  readonly name: string
  readonly type: RecordType | '*'
  readonly fault?: Fault
  readonly answer?: Answer
}

const faults: readonly string[] = ['SERVFAIL', 'REFUSED', 'TIMEOUT', 'TRUNCATED']
const ttlSeconds = 60
const rcodes: Partial<Record<Fault | 'NXDOMAIN', number>> = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }

/** Starts it on one port for both carriers. Throws on a zone line that it does not understand. */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const address = options.address ?? '127.0.0.1'
  let lines = parseZone(options.zone)
  const asked: string[] = []
  const answer = (query: DecodedPacket, carrier: Carrier): Packet | undefined => {
    const question = query.questions?.[0]
    if (!question) return undefined
    asked.push(`${question.name.toLowerCase()} ${question.type} ${carrier}`)
    return respond(lines, query, carrier)
  }
  const tcp = createServer((socket) => serveTcp(socket, answer))
  const sockets = new Set<Socket>()
  tcp.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await listenTcp(tcp, options.port ?? 0, address)
  const bound = tcp.address()
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener without a port')
  const udp = await listenUdp(bound.port, address, answer)
  return {
    address,
    port: bound.port,
    asked,
    change: (zone, instead = false) => {
      lines = [...(instead ? [] : lines), ...parseZone(zone)]
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

function listenTcp(server: Server, port: number, address: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, address, resolve)
  return promise
}

function listenUdp(
  port: number,
  address: string,
  answer: (query: DecodedPacket, carrier: Carrier) => Packet | undefined,
): Promise<UdpSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<UdpSocket>()
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.once('error', reject)
  socket.on('message', (bytes, peer) => {
    const reply = answer(decode(bytes), 'udp')
    if (reply) socket.send(encode(reply), peer.port, peer.address)
  })
  socket.bind(port, address, () => resolve(socket))
  return promise
}

function serveTcp(
  socket: Socket,
  answer: (query: DecodedPacket, carrier: Carrier) => Packet | undefined,
): void {
  let waiting = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    waiting = Buffer.concat([waiting, piece])
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0)
      const reply = answer(decode(waiting.subarray(2, end)), 'tcp')
      waiting = waiting.subarray(end)
      if (reply) socket.write(streamEncode(reply))
    }
  })
}

function respond(lines: readonly Line[], query: DecodedPacket, carrier: Carrier): Packet | undefined {
  const question = query.questions?.[0]
  if (!question) return undefined
  const reply: Packet = { type: 'response', id: query.id ?? 0, questions: [question] }
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED)
  const here = lines.filter((line) => line.name === question.name.toLowerCase())
  const wanted = here.filter((line) => line.type === question.type || line.type === '*')
  const fault = wanted.find((line) => line.fault)?.fault
  if (fault === 'TIMEOUT') return undefined
  if (fault === 'TRUNCATED' && carrier === 'udp') return { ...reply, flags: flags | TRUNCATED_RESPONSE }
  if (fault && fault !== 'TRUNCATED') return { ...reply, flags: flags | (rcodes[fault] ?? 0) }
  if (here.length === 0)
    return { ...reply, flags: flags | (rcodes.NXDOMAIN ?? 0), authorities: [soa(question.name)] }
  const answers = follow(lines, question.name.toLowerCase(), question.type)
  return answers.length > 0
    ? { ...reply, flags, answers }
    : { ...reply, flags, authorities: [soa(question.name)] }
}

/** The records asked for, behind the CNAMEs that lead to them (at most 8: a loop is somebody's test). */
function follow(lines: readonly Line[], name: string, type: RecordType): Answer[] {
  const found: Answer[] = []
  let at = name
  for (let steps = 0; steps < 8; steps++) {
    const answers = lines.flatMap((line) => (line.name === at && line.answer ? [line.answer] : []))
    const wanted = answers.filter((answer) => answer.type === type)
    if (wanted.length > 0) return [...found, ...wanted]
    const alias = answers.find((answer) => answer.type === 'CNAME')
    if (alias?.type !== 'CNAME') return found
    found.push(alias)
    at = alias.data.toLowerCase()
  }
  return found
}

function soa(name: string): Answer {
  const zone = name.split('.').slice(-2).join('.') || '.'
  return {
    ...{ type: 'SOA', name: zone, ttl: ttlSeconds },
    data: {
      ...{ mname: `ns.${zone}`, rname: `hostmaster.${zone}` },
      ...{ serial: 1, refresh: 3600, retry: 600, expire: 86400, minimum: ttlSeconds },
    },
  }
}

function parseZone(zone: string): Line[] {
  const lines: Line[] = []
  for (const text of zone.split('\n')) {
    const line = text.replace(/(^|\s);.*$/, '').trim()
    if (line !== '') lines.push(parseLine(line))
  }
  return lines
}

function parseLine(text: string): Line {
  const [rawName = '', word = '', ...rest] = text.split(/\s+/)
  const name = rawName.toLowerCase()
  if (isFault(word)) return { name, type: '*', fault: word }
  if (rest.length === 1 && isFault(rest[0] ?? ''))
    return { name, type: word as RecordType, fault: rest[0] as Fault }
  const value = rest.join(' ')
  const common = { name, ttl: ttlSeconds }
  switch (word) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'PTR':
    case 'NS':
      if (rest.length !== 1) break
      return { name, type: word, answer: { ...common, type: word, data: value } }
    case 'MX': {
      const [preference = '', exchange] = rest
      if (!/^\d+$/.test(preference) || exchange === undefined) break
      return {
        name,
        type: word,
        answer: { ...common, type: word, data: { preference: Number(preference), exchange } },
      }
    }
    case 'TXT':
      return {
        name,
        type: word,
        answer: { ...common, type: word, data: strings(value.replace(/^"(.*)"$/, '$1')) },
      }
  }
  throw new Error(`not a zone line: ${text}`)
}

/** rfc1035 §3.3: a character string has at most 255 octets; a key of 2,048 bits needs two. */
function strings(text: string): string[] {
  return text.match(/.{1,255}/g) ?? ['']
}

function isFault(word: string): word is Fault {
  return faults.includes(word)
}
