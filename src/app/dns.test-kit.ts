import { createSocket } from 'node:dgram'
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
} from 'dns-packet'

/** Names with what their TXT records say; nothing else exists. */
export type Texts = Readonly<Record<string, string>>

export interface TestDns {
  /** For `dns.servers`. */
  readonly at: string
  stop(): Promise<void>
}

const NXDOMAIN = 3
const STRING_OCTETS = 255

/** A name server on a port of its own, over UDP alone. A name above one that exists exists too (rfc8020 §2). */
export async function startDns(texts: Texts): Promise<TestDns> {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, { port, address }) =>
    socket.send(encode(answered(decode(bytes), texts)), port, address),
  )
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    at: `127.0.0.1:${socket.address().port}`,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function answered({ id = 0, questions = [] }: DecodedPacket, texts: Texts): Packet {
  const [question] = questions
  const name = question?.name ?? ''
  const text = texts[name.toLowerCase()]
  const isThere =
    text !== undefined || Object.keys(texts).some((one) => one.endsWith(`.${name.toLowerCase()}`))
  const base = {
    type: 'response',
    id,
    questions,
    flags: AUTHORITATIVE_ANSWER | (isThere ? 0 : NXDOMAIN),
  } as const
  if (text === undefined || question?.type !== 'TXT') return { ...base, authorities: [soa()] }
  return { ...base, answers: [{ type: 'TXT', name, ttl: 60, data: strings(text) }] }
}

function strings(text: string): string[] {
  return text.match(new RegExp(`.{1,${STRING_OCTETS}}`, 'g')) ?? []
}

const soa = (): Answer => ({
  type: 'SOA',
  name: 'test',
  ttl: 60,
  data: {
    ...{ mname: 'ns.test', rname: 'hostmaster.test', serial: 1 },
    ...{ refresh: 3_600, retry: 600, expire: 86_400, minimum: 60 },
  },
})
