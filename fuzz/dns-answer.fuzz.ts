import { encode } from 'dns-packet'
import { readAnswer } from '../src/protocol/dns/answer.ts'
import type { DnsQuestion, QueryType } from '../src/protocol/dns/query.ts'

export const name = 'dns-answer'

const TYPES: readonly QueryType[] = ['MX', 'TXT', 'A', 'AAAA', 'PTR']
const question = { id: 0x4711, name: 'a.test', type: 'MX' } as const

const head = { type: 'response', id: question.id, flags: 0x0180 } as const
const asked = (type: QueryType) => [{ type, name: question.name, class: 'IN' as const }]

export const corpus: readonly Uint8Array[] = [
  encode({
    ...head,
    questions: asked('MX'),
    answers: [
      { type: 'CNAME', name: 'a.test', ttl: 1, data: 'b.test' },
      { type: 'MX', name: 'b.test', ttl: 1, data: { preference: 1, exchange: 'mx.b.test' } },
    ],
  }),
  encode({
    ...head,
    questions: asked('TXT'),
    answers: [{ type: 'TXT', name: 'a.test', ttl: 1, data: ['a', 'b'] }],
  }),
  encode({
    ...head,
    questions: asked('AAAA'),
    answers: [{ type: 'AAAA', name: 'a.test', ttl: 1, data: '::1' }],
  }),
  encode({
    ...head,
    flags: 0x0183,
    questions: asked('PTR'),
    authorities: [
      {
        type: 'SOA',
        name: 'test',
        ttl: 9,
        data: { mname: 'n.test', rname: 'h.test', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
      },
    ],
  }),
  // A pointer to itself.
  Buffer.concat([
    encode({ ...head, questions: asked('MX') }).fill(1, 7, 8),
    Buffer.from([0xc0, 24, 0, 15, 0, 1, 0, 0, 0, 1, 0, 0]),
  ]),
]

export function fuzz(input: Uint8Array): void {
  const answers = TYPES.map((type) => readAnswer(input, { ...question, type } as DnsQuestion))
  for (const answer of answers) {
    if (answer.kind === 'records' && answer.records.length === 0)
      throw new Error('found nothing and called it found')
    if ('ttlSeconds' in answer && !(answer.ttlSeconds >= 0 && answer.ttlSeconds <= 0x7fff_ffff))
      throw new Error(`a TTL of ${answer.ttlSeconds}`)
  }
}
