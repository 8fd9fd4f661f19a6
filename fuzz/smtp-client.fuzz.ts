import { Bug } from '../src/mail/assert.ts'
import { smtpClient } from '../src/protocol/smtp/client.ts'
import type { ClientAnswer, ClientAsk, ClientOptions } from '../src/protocol/smtp/client-types.ts'

/** A hostile server. The first octet picks the options; LF ends a piece that is pushed at once. */
export const name = 'smtp-client'

export const corpus: readonly string[] = [
  '\u0000220 x\r\n250-x\r\n250-SIZE 9\r\n250-DSN\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n250 kept\r\n221 x\r\n',
  '\u0001220 x\r\n250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n221 x\r\n',
  '\u0002220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n450 4.2.0 no\r\n354 go\r\n250 a\r\n221 x\r\n',
  '\u0004220 x\r\n250-x\r\n250-AUTH PLAIN SCRAM-SHA-256\r\n250 STARTTLS\r\n220 go\r\n250-x\r\n250 AUTH LOGIN\r\n334 YQ==\r\n235 ok\r\n',
  '\u0000554 no\r\n',
  '\u0000220-x\r\n220 y\r\n502 what\r\n250 x\r\n421 4.3.2 bye\r\n',
]

export function fuzz(input: Uint8Array): void {
  const client = smtpClient(optionsOf(input[0] ?? 0))
  const answer = answers()
  let asked = 0
  let results = 0
  let sent = 0
  let closing = 0
  let written = ''
  const pump = (): boolean => {
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Bug('steps without end')
      const step = client.next()
      if (step.kind === 'close') return true
      if (step.kind === 'need-input') return false
      if (closing > 0 && step.kind !== 'write') throw new Bug('a step after the last tell')
      if (step.kind === 'write') written += Buffer.from(step.bytes).toString('latin1')
      else if (step.kind === 'start-tls') client.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
      else if (step.kind === 'ask') {
        if (++asked > 10_000) throw new Bug('asks without end')
        const answered = answer(step.ask)
        if (answered.kind === 'send') sent++
        client.answer(answered)
      } else if (step.tell.kind === 'result') {
        results++
        if (step.tell.result.recipients.length !== 2) throw new Bug('a recipient without an outcome')
      } else if (step.tell.kind === 'closing') closing++
    }
  }
  let closed = pump()
  for (const piece of pieces(input.subarray(1))) {
    client.push(piece)
    closed = pump()
  }
  client.end()
  closed = pump() || closed
  if (!closed || closing !== 1) throw new Bug('the connection did not close with one last tell')
  if (results !== sent) throw new Bug(`${sent} messages, ${results} results`)
  if (/\r(?!\n)|(?<!\r)\n/.test(written)) throw new Bug('a bare CR or LF was written')
}

function optionsOf(octet: number): ClientOptions {
  return {
    protocol: (octet & 2) === 0 ? 'smtp' : 'lmtp',
    heloName: 'client.test',
    starttls: 'may',
    auth: (octet & 4) === 0 ? 'none' : 'may',
    chunking: (octet & 1) !== 0,
    pipelining: true,
    limits: { replyLineBytes: 200, replyLines: 20, chunkBytes: 4 },
  }
}

function answers(): (ask: ClientAsk) => ClientAnswer {
  const body = ['.a\r', '\nb\n.\n', '\r.\r\n.\r\n', '..']
  let messages = 0
  let at = 0
  return (ask) => {
    if (ask.kind === 'auth') return { kind: 'sasl', mechanism: ask.mechanisms[0] ?? 'PLAIN' }
    if (ask.kind === 'auth-challenge') return { kind: 'response', bytes: ask.challenge }
    if (ask.kind === 'next') {
      at = 0
      return messages++ < 2 ? { kind: 'send', transaction } : { kind: 'quit' }
    }
    const piece = body[at++]
    return piece === undefined ? { kind: 'end' } : { kind: 'bytes', bytes: Buffer.from(piece) }
  }
}

const transaction = {
  sender: { reversePath: { local: 'a', domain: 'x.test' }, bodyType: '7BIT', smtputf8: false, envid: 'x' },
  recipients: [
    { address: { local: 'b', domain: 'x.test' }, notify: 'NEVER' },
    { address: { local: 'c d', domain: 'x.test' }, orcpt: 'rfc822;c' },
  ],
  sizeBytes: 20,
} as const

function* pieces(input: Uint8Array): Generator<Uint8Array> {
  let from = 0
  for (let i = 0; i <= input.length; i++)
    if (i === input.length || input[i] === 0x0a) {
      yield input.slice(from, i + 1)
      from = i + 1
    }
}
