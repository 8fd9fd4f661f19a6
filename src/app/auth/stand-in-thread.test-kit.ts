import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import type { Evaluation, EvaluationFacts, ReadableContent } from '../../ports/mail-auth.ts'
import type { Engine } from './engine.ts'
import { serveJobs } from './thread-serve.ts'

/*
 * A thread for tests whose engine does what HELO says: `hang`, `die`, `throw`, `exhaust`, `twice`, `first-piece`,
 * `lookups N`, `slow`, `under-way`, or only hash what it reads.
 */

/** `why` of the SPF finding carries what a test wants to see. */
function evaluation(why: string, peakBytes = 0): Evaluation {
  return {
    evidence: {
      spf: { result: 'none', domain: '', identity: 'helo', why },
      dkim: [],
      arc: { result: 'none', sealers: [] },
      dmarc: { result: 'none', domain: '', aligned: {} },
      dns: [],
      limits: [String(peakBytes)],
    },
    seal: '',
  }
}

async function digest(message: ReadableContent): Promise<{ hex: string; largest: number }> {
  const hash = createHash('sha256')
  let largest = 0
  for await (const piece of message.pieces()) {
    hash.update(piece)
    largest = Math.max(largest, piece.length)
  }
  return { hex: hash.digest('hex'), largest }
}

let underWay = 0

const engine: Engine = {
  async evaluate(message, facts, parts) {
    underWay++
    try {
      return await doWhatItSays(message, facts, parts)
    } finally {
      underWay--
    }
  },
  async sign(message, added, keys) {
    const [key] = keys
    if (key?.selector === 'throw') throw new Error(`cannot read ${key.privateKeyPem}`)
    const { hex } = await digest(message)
    return `${new TextDecoder().decode(added)}${keys.length} ${hex}`
  },
}

async function doWhatItSays(
  message: ReadableContent,
  { helo }: EvaluationFacts,
  { dns }: Parameters<Engine['evaluate']>[2],
): Promise<Evaluation> {
  const [what = '', count = '0'] = helo.split(' ')
  switch (what) {
    case 'hang':
      for (;;);
    case 'die':
      return process.exit(7)
    case 'throw':
      throw new TypeError('thrown by the\r\nstand-in')
    case 'exhaust': {
      const held: number[][] = []
      for (;;) held.push(new Array<number>(1_000_000).fill(1.5))
    }
    case 'twice': {
      const [one, two] = [await digest(message), await digest(message)]
      return evaluation(`${one.hex} ${two.hex}`, one.largest)
    }
    case 'first-piece':
      for await (const piece of message.pieces()) return evaluation(String(piece.length))
      return evaluation('empty')
    case 'slow':
      for await (const _ of message.pieces()) await new Promise((resolve) => setTimeout(resolve, 5))
      return evaluation('slow')
    case 'lookups': {
      const names = Array.from({ length: Number(count) }, (_, i) => `n${i}.example`)
      const answers = await Promise.all(names.map((name) => dns.txt(name)))
      return evaluation(answers.map(({ kind }) => kind).join(' '))
    }
    case 'under-way':
      return evaluation(String(underWay))
    case 'each-type': {
      const all = [dns.a('x.test'), dns.aaaa('x.test'), dns.mx('x.test'), dns.cname('x.test')]
      const answers = await Promise.all([...all, dns.ptr('192.0.2.1'), dns.a('X.test')])
      return evaluation(JSON.stringify(answers))
    }
    default: {
      const { hex, largest } = await digest(message)
      return evaluation(hex, largest)
    }
  }
}

assert(parentPort !== null, 'this file is a thread')
serveJobs(parentPort, engine)
