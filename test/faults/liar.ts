// A resolver that does wrong, each name in its own way.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { createServer } from 'node:net'
import * as dns from 'dns-packet'

export interface Liar {
  readonly port: number
  stop(): Promise<void>
}

/** What is done with a question, by the first label of its name. */
export const lies = {
  servfail: 'says that it failed',
  refused: 'will not be asked',
  silent: 'never answers',
  'wrong-id': 'answers with another id',
  'wrong-question': 'answers another question',
  'wrong-port': 'answers from another port',
  'broken-tcp': 'cuts the answer and hangs up over TCP',
  'hanging-tcp': 'cuts the answer and says nothing over TCP',
  'alias-loop': 'answers with aliases in a circle',
  pointers: 'answers with a name that points at itself',
  garbage: 'answers with octets that are no message',
} as const

export async function startLiar(): Promise<Liar> {
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      const query = dns.decode(bytes.subarray(2))
      if (labelOf(query) !== 'hanging-tcp') socket.destroy()
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const { port } = tcp.address() as { port: number }
  const [udp, other] = [createSocket('udp4'), createSocket('udp4')]
  udp.on('message', (bytes, from) => {
    for (const [socket, answer] of answers(bytes, udp, other)) send(socket, answer, from)
  })
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve))
  return {
    port,
    stop: async () => {
      for (const socket of [udp, other]) socket.close()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

function send(socket: Socket, answer: Buffer, to: RemoteInfo): void {
  socket.send(answer, to.port, to.address)
}

function labelOf(query: dns.DecodedPacket): string {
  return (query.questions?.[0]?.name ?? '').toLowerCase().split('.')[0] ?? ''
}

function answers(bytes: Buffer, udp: Socket, other: Socket): readonly (readonly [Socket, Buffer])[] {
  const query = dns.decode(bytes)
  const name = query.questions?.[0]?.name ?? ''
  const reply = (more: Partial<dns.Packet>): Buffer =>
    dns.encode({ type: 'response', id: query.id, flags: 0x0180, questions: query.questions ?? [], ...more })
  const mx = { type: 'MX', name, ttl: 60, data: { preference: 1, exchange: 'mx.lie.test' } } as const
  switch (labelOf(query)) {
    case 'servfail':
      return [[udp, reply({ flags: 0x0182 })]]
    case 'refused':
      return [[udp, reply({ flags: 0x0185 })]]
    case 'wrong-id':
      return [[udp, reply({ id: ((query.id ?? 0) + 1) & 0xffff, answers: [mx] })]]
    case 'wrong-question':
      return [[udp, reply({ questions: [{ type: 'MX', name: 'else.test' }], answers: [mx] })]]
    case 'wrong-port':
      return [[other, reply({ answers: [mx] })]]
    case 'broken-tcp':
    case 'hanging-tcp':
      return [[udp, reply({ flags: 0x0180 | dns.TRUNCATED_RESPONSE })]]
    case 'alias-loop':
      return [[udp, reply({ answers: aliasLoop(name) })]]
    case 'pointers':
      return [[udp, pointerLoop(reply({}))]]
    case 'garbage':
      return [[udp, Buffer.from([query.id ?? 0, 1, 2, 3])]]
    default:
      return []
  }
}

function aliasLoop(name: string): dns.Answer[] {
  const other = `alias-loop.other.${name.split('.').slice(-1)[0]}`
  return [
    { type: 'CNAME', name, ttl: 60, data: other },
    { type: 'CNAME', name: other, ttl: 60, data: name },
  ]
}

/** One record whose name is a pointer to the pointer itself (rfc1035 §4.1.4 lets it point back only). */
function pointerLoop(reply: Buffer): Buffer {
  const record = Buffer.from([0xc0, reply.length, 0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 1, 0xc0, reply.length])
  const message = Buffer.concat([reply, record])
  message.writeUInt16BE(1, 6)
  return message
}
