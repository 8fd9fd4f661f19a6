import { Bug } from '../src/mail/assert.ts'
import { reply } from '../src/mail/reply.ts'
import { smtpServer } from '../src/protocol/smtp/server.ts'
import type { ServerAnswer, ServerAsk, ServerOptions } from '../src/protocol/smtp/types.ts'

/**
 * A hostile client. The first octet picks the options and how the rest is cut. Whatever the cut, the server
 * says the same, tells the same content, and never gives out a bare CR or LF.
 */
export const name = 'smtp-server'

export const corpus: readonly string[] = [
  '\u0000EHLO x\r\nMAIL FROM:<a@x.test> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<b@x.test>\r\nDATA\r\n.x\r\n\r\n..\r\n.\r\nQUIT\r\n',
  '\u0001LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<b@x.test>\r\nBDAT 3\r\na\r\nBDAT 2 LAST\r\n\r\n',
  '\u0002EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\na\n.\nb\n.\r\n.\r\n',
  '\u0000EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\na\r.\rb\r\n.\r\nNOOP\r\n',
  '\u0000EHLO x\r\nAUTH PLAIN\r\nAHUAcA==\r\nAUTH LOGIN dQ==\r\n*\r\nMAIL FROM:<"a b"@[IPv6:::1]> ENVID=x+2By AUTH=<>\r\n',
  '\u0000EHLO x\r\nSTARTTLS\r\nEHLO x\r\nMAIL FROM:<@a,@b:\u00e9@x.test> SMTPUTF8 RET=HDRS\r\nRCPT TO:<b@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+40x\r\n',
  '\u0000GET / HTTP/1.1\r\n\r\n',
  '\u0000BDAT 5\r\nQUIT\r\nRSET\r\nVRFY x\r\nEXPN y\r\nHELP\r\nTURN\r\n',
]

export function fuzz(input: Uint8Array): void {
  const options = optionsOf(input[0] ?? 0)
  const rest = input.subarray(1)
  const whole = converse(options, [rest])
  const octets = converse(
    options,
    Array.from(rest, (octet) => Uint8Array.of(octet)),
  )
  if (whole.output !== octets.output)
    throw new Bug(`cut input is answered otherwise\n${whole.output}\n--\n${octets.output}`)
  if (whole.messages.join('\0') !== octets.messages.join('\0')) throw new Bug('cut input gives other content')
  for (const message of whole.messages)
    if (/\r(?!\n)|(?<!\r)\n/.test(message)) throw new Bug('a bare CR or LF was told')
  for (const line of whole.output.split('\r\n').slice(0, -1))
    if (!/^[2-5]\d\d[ -][ -~]*$/.test(line) || line.length > 510) throw new Bug(`not a reply: ${line}`)
}

function optionsOf(octet: number): ServerOptions {
  const protocol = (octet & 1) === 0 ? 'smtp' : 'lmtp'
  return {
    protocol,
    role: protocol === 'smtp' ? 'mx' : 'lmtp',
    hostname: 'mx.test',
    offers: {
      starttls: true,
      auth: { clear: ['PLAIN', 'LOGIN'], tls: ['PLAIN'] },
      sizeBytes: 200,
      smtputf8: false,
      chunking: true,
      dsn: true,
    },
    requireTls: false,
    requireAuth: false,
    bareNewlines: (octet & 2) === 0 ? 'refuse' : 'accept-lf',
    limits: { headerBytes: 60, textLineBytes: 40, commandLineBytes: 80, chunks: 5, discardBytes: 400 },
  }
}

interface Conversation {
  readonly output: string
  readonly messages: readonly string[]
}

function converse(options: ServerOptions, pieces: readonly Uint8Array[]): Conversation {
  const server = smtpServer(options)
  const messages: string[] = []
  let output = ''
  let body = ''
  const pump = (): void => {
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Bug('steps without end')
      const step = server.next()
      if (step.kind === 'need-input' || step.kind === 'close') return
      if (step.kind === 'write') output += Buffer.from(step.bytes).toString('latin1')
      else if (step.kind === 'start-tls') server.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
      else if (step.kind === 'ask') {
        if (step.ask.kind === 'message') {
          if (step.ask.facts.sizeBytes !== body.length) throw new Bug('the size is not that of the content')
          messages.push(body)
          body = ''
        }
        server.answer(answer(step.ask))
      } else if (step.tell.kind === 'body') body += Buffer.from(step.tell.bytes).toString('latin1')
      else if (step.tell.kind === 'body-aborted' || step.tell.kind === 'reset') body = ''
    }
  }
  pump()
  for (const piece of pieces) {
    server.push(piece)
    pump()
  }
  server.end()
  pump()
  // What stands behind STARTTLS in one piece is dropped, and cut it is not: only the part before is compared.
  const tls = output.indexOf('220 2.0.0 Ready')
  return { output: tls < 0 ? output : output.slice(0, tls), messages: tls < 0 ? messages : [] }
}

function answer(ask: ServerAsk): ServerAnswer {
  if (ask.kind === 'message') return { kind: 'reply', reply: reply(250, '2.0.0', 'Kept') }
  if (ask.kind === 'auth' && ask.initial === undefined) return { kind: 'challenge', bytes: Buffer.from('x') }
  if (ask.kind === 'auth' || ask.kind === 'auth-response')
    return { kind: 'reply', reply: reply(535, '5.7.8', 'Wrong') }
  return { kind: 'accept' }
}
