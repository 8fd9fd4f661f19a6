import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import * as dns from 'dns-packet'

export type RecordText = readonly [type: 'TXT' | 'A' | 'CNAME' | 'MX' | 'PTR', value: string]

/** What a name's server does instead of answering: octets to send in turn, or undefined for ever. */
export type Misbehaviour = (
  query: dns.DecodedPacket,
  over: 'udp' | 'tcp',
) => readonly Buffer[] | undefined | Promise<readonly Buffer[] | undefined>

export interface HostileDns {
  readonly server: string
  /** `TXT name`, in lower case, each question as often as it came. */
  readonly asked: string[]
  /** Adds records; a value that is a function stands for all names that end in the key. */
  set(names: Readonly<Record<string, readonly RecordText[] | Misbehaviour>>): void
  stop(): Promise<void>
}

const RESPONSE_FLAGS = 0x0180

/** A resolver on loopback, UDP and TCP, that answers for some names as it should and for others as a test likes. */
export async function startHostileDns(): Promise<HostileDns> {
  const records = new Map<string, readonly RecordText[]>()
  const odd = new Map<string, Misbehaviour>()
  const asked: string[] = []
  let isOpen = true
  const answers = async (message: Buffer, over: 'udp' | 'tcp'): Promise<readonly Buffer[]> => {
    const query = dns.decode(message)
    const question = query.questions?.[0]
    assert.ok(question)
    const name = question.name.toLowerCase()
    asked.push(`${question.type} ${name}`)
    for (const [suffix, behave] of odd)
      if (name === suffix || name.endsWith(`.${suffix}`)) return (await behave(query, over)) ?? []
    return [
      answerOf(
        query,
        records.get(name),
        [...records.keys()].some((other) => other.endsWith(`.${name}`)),
      ),
    ]
  }
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', async (data: Buffer) => {
      for (const octets of await answers(data.subarray(2), 'tcp')) socket.write(octets)
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as { port: number }
  const udp = createSocket('udp4')
  udp.on('message', async (message, from) => {
    for (const octets of await answers(message, 'udp')) if (isOpen) udp.send(octets, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  return {
    server: `127.0.0.1:${port}`,
    asked,
    set: (names) => {
      for (const [name, value] of Object.entries(names))
        if (typeof value === 'function') odd.set(name, value)
        else records.set(name, value)
    },
    stop: async () => {
      isOpen = false
      for (const socket of sockets) socket.destroy()
      udp.close()
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
}

/** A response to the query with what is given; over TCP it wants its length in front (`framed`). */
export function response(query: dns.DecodedPacket, of: Partial<dns.Packet>, rcode = 0): Buffer {
  return dns.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: RESPONSE_FLAGS | rcode,
    questions: query.questions ?? [],
    ...of,
  })
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function answerOf(
  query: dns.DecodedPacket,
  here: readonly RecordText[] | undefined,
  isAbove: boolean,
): Buffer {
  const question = query.questions?.[0]
  assert.ok(question)
  const { name, type } = question
  const wanted = (here ?? []).filter(([of]) => of === type || of === 'CNAME')
  const authorities: dns.Answer[] = [
    {
      type: 'SOA',
      name: 'test',
      ttl: 60,
      data: { mname: 'ns.test', rname: 'h.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 },
    },
  ]
  if (here === undefined && !isAbove) return response(query, { authorities }, 3)
  if (wanted.length === 0) return response(query, { authorities })
  return response(query, { answers: wanted.map(([of, value]) => recordOf(name, of, value)) })
}

function recordOf(name: string, type: RecordText[0], value: string): dns.Answer {
  const common = { name, ttl: 60 }
  if (type === 'TXT') return { ...common, type, data: value.match(/.{1,255}/gs) ?? [''] }
  if (type === 'MX') return { ...common, type, data: { preference: 10, exchange: value } }
  return { ...common, type, data: value }
}
