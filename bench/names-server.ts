// A name server for the benchmark, a process of its own: answers TXT questions for the names it was given, over UDP on
// loopback; all other names do not exist. `node bench/names-server.ts ADDRESS:PORT[,ADDRESS:PORT…] RECORDS-AS-JSON`

import { createSocket } from 'node:dgram'
import * as dns from 'dns-packet'

const [places = '', records = '{}'] = process.argv.slice(2)
const texts = new Map(Object.entries(JSON.parse(records) as Record<string, string>))
const ttl = 3600
const soa: dns.Answer = {
  type: 'SOA',
  name: 'example',
  ttl,
  data: { mname: 'ns.test', rname: 'h.test', serial: 1, refresh: ttl, retry: ttl, expire: ttl, minimum: ttl },
}
const nxdomain = 3

for (const place of places.split(',')) {
  const [address = '', port] = place.split(':')
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const answer = answerTo(message)
    if (answer !== undefined) socket.send(answer, from.port, from.address)
  })
  socket.bind(Number(port), address, () => process.send?.('open'))
}
process.on('disconnect', () => process.exit())

function answerTo(message: Buffer): Buffer | undefined {
  let query: dns.DecodedPacket
  try {
    query = dns.decode(message)
  } catch {
    // Nobody here asks like that; a reply would go to a forged address.
    return undefined
  }
  const question = query.questions?.[0]
  const name = question?.name.toLowerCase() ?? ''
  const text = texts.get(name)
  const isBelow = [...texts.keys()].some((each) => each === name || each.endsWith(`.${name}`))
  const found = text !== undefined && question?.type === 'TXT'
  return dns.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: 0x0580 | (isBelow ? 0 : nxdomain),
    questions: query.questions ?? [],
    // A string of a TXT record has 255 octets at most.
    answers: found ? [{ type: 'TXT', name, ttl, data: text.match(/.{1,255}/g) ?? [''] }] : [],
    authorities: found ? [] : [soa],
  })
}
