import assert from 'node:assert/strict'
import test from 'node:test'
import { reply } from '../../mail/reply.ts'
import { bodyOf } from './dialogue.test-kit.ts'
import { friendly, LMTP, MX, OFFERS, playPipelined, playServer } from './server.test-kit.ts'
import type { ServerAsk } from './types.ts'

const EHLO = `
  S: 220 mx.test ESMTP
  C: EHLO client.test
  S: 250-mx.test
  S: 250-PIPELINING
  S: 250-SIZE 10000
  S: 250-8BITMIME
  S: 250-ENHANCEDSTATUSCODES
  S: 250-SMTPUTF8
  S: 250-STARTTLS
  S: 250-CHUNKING
  S: 250-DSN
  S: 250 LIMITS RCPTMAX=1000
`
const ENVELOPE = `
  C: MAIL FROM:<a@client.test>
  S: 250 2.1.0 Sender ok
  C: RCPT TO:<b@mx.test>
  S: 250 2.1.5 Recipient ok
`

test('a message with DATA, dots undone', () => {
  const { tells, asks } = playPipelined({
    text: `${EHLO}${ENVELOPE}
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: Subject: x
      C:
      C: ..two dots
      C: .one dot
      C: ...
      C: .
      S: 250 2.0.0 Kept
      C: QUIT
      S: 221 2.0.0 mx.test Bye
      --- close
    `,
  })
  assert.equal(bodyOf(tells), 'Subject: x\r\n\r\n.two dots\r\none dot\r\n..\r\n')
  const message = asks.find((ask) => ask.kind === 'message')
  assert.deepEqual(message?.facts, {
    sizeBytes: 38,
    lines: 5,
    headerBytes: 14,
    longestLineBytes: 12,
    bareLineFeeds: 0,
    hasNul: false,
    has8bit: false,
    endsWithNewline: true,
  })
  assert.deepEqual(tells.at(-1), { kind: 'closing', why: 'quit', reply: reply(221, '2.0.0', 'mx.test Bye') })
})

test('HELO gives one line, an empty message is a message', () => {
  const { tells } = playPipelined({
    text: `
      S: 220 mx.test ESMTP
      C: HELO client.test
      S: 250 mx.test
      ${ENVELOPE}
      C: data
      S: 354 Go ahead, end with a dot alone in a line
      C: .
      S: 250 2.0.0 Kept
    `,
  })
  assert.equal(bodyOf(tells), '')
})

test('a refused recipient costs nothing, DATA without a valid one is refused', () => {
  playPipelined({
    text: `${EHLO}
      C: MAIL FROM:<>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<nobody@mx.test>
      S: 550 5.1.1 No such user
      C: DATA
      S: 503 5.5.1 No valid recipient was given
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: .
      S: 250 2.0.0 Kept
    `,
  })
})

test('attack 5d: odd order of commands', () => {
  playPipelined({
    text: `
      S: 220 mx.test ESMTP
      C: MAIL FROM:<a@client.test>
      S: 503 5.5.1 Say hello first
      C: NOOP ignored words
      S: 250 2.0.0 Ok
      C: HELP
      S: 214 2.0.0 See rfc5321
      C: VRFY b
      S: 252 2.1.5 Send some mail, I will try my best
      C: EXPN list
      S: 502 5.5.1 Lists are not told
      C: HELO client.test
      S: 250 mx.test
      C: RCPT TO:<b@mx.test>
      S: 503 5.5.1 MAIL is needed first
      C: DATA
      S: 503 5.5.1 MAIL is needed first
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: MAIL FROM:<a@client.test>
      S: 503 5.5.1 A transaction is open already
      C: STARTTLS
      S: 503 5.5.1 A transaction is open already
      C: RSET
      S: 250 2.0.0 Reset
      C: LHLO client.test
      S: 500 5.5.1 Unknown command
      C: ETRN client.test
      S: 502 5.5.1 Not implemented
      C: constructor
      S: 500 5.5.1 Unknown command
      C:
      S: 500 5.5.1 Unknown command
      C: RSET now
      S: 501 5.5.4 RSET takes no argument
    `,
  })
})

test('EHLO within a transaction ends it', () => {
  const { tells } = playPipelined({
    text: `${EHLO}${ENVELOPE}
    C: HELO client.test
    S: 250 mx.test
    C: RCPT TO:<b@mx.test>
    S: 503 5.5.1 MAIL is needed first
  `,
  })
  assert.deepEqual(tells[0], { kind: 'reset', by: 'HELO' })
})

test('STARTTLS: everything said before is forgotten', () => {
  const { tells } = playServer({
    options: { ...MX, requireTls: true, offers: { ...OFFERS, auth: { clear: [], tls: ['PLAIN'] } } },
    text: `${EHLO}
      C: MAIL FROM:<a@client.test>
      S: 530 5.7.0 Must issue a STARTTLS command first
      C: AUTH PLAIN
      S: 530 5.7.0 Must issue a STARTTLS command first
      C: STARTTLS
      S: 220 2.0.0 Ready to start TLS
      --- tls
      C: MAIL FROM:<a@client.test>
      S: 503 5.5.1 Say hello first
      C: STARTTLS
      S: 503 5.5.1 Say hello first
      C: EHLO client.test
      S: 250-mx.test
      S: 250-PIPELINING
      S: 250-SIZE 10000
      S: 250-8BITMIME
      S: 250-ENHANCEDSTATUSCODES
      S: 250-SMTPUTF8
      S: 250-AUTH PLAIN
      S: 250-CHUNKING
      S: 250-DSN
      S: 250 LIMITS RCPTMAX=1000
      C: STARTTLS
      S: 503 5.5.1 TLS stands already
    `,
  })
  assert.ok(tells.some((tell) => tell.kind === 'tls'))
})

const SUBMISSION = {
  ...MX,
  role: 'submission' as const,
  requireAuth: true,
  tls: { version: 'TLSv1.3', cipher: 'x' },
  offers: { ...OFFERS, auth: { clear: [], tls: ['PLAIN', 'LOGIN', 'SCRAM-SHA-256'] } },
}

function sasl(ask: ServerAsk) {
  const ok = { kind: 'reply', reply: reply(235, '2.7.0', 'Welcome') } as const
  const no = { kind: 'reply', reply: reply(535, '5.7.8', 'Wrong') } as const
  if (ask.kind === 'auth') {
    if (ask.mechanism === 'LOGIN') return { kind: 'challenge', bytes: Buffer.from('Username:') } as const
    if (ask.initial === undefined) return { kind: 'challenge', bytes: Buffer.alloc(0) } as const
    return ask.initial.toString() === '\0u\0p' ? ok : no
  }
  if (ask.kind === 'auth-response') {
    if (Buffer.from(ask.response).toString() === 'u')
      return { kind: 'challenge', bytes: Buffer.from('Password:') } as const
    return ['p', '\0u\0p'].includes(Buffer.from(ask.response).toString()) ? ok : no
  }
  return friendly(ask)
}

const HELLO = `
  S: 220 mx.test ESMTP
  C: HELO client.test
  S: 250 mx.test
`

test('AUTH: initial response, challenges, cancelling', () => {
  playServer({
    options: SUBMISSION,
    answer: sasl,
    text: `${HELLO}
      C: MAIL FROM:<a@client.test>
      S: 530 5.7.0 Authentication required
      C: AUTH GSSAPI
      S: 504 5.5.4 Unknown mechanism
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: *
      S: 501 5.7.0 Cancelled
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: dQ==
      S: 334 UGFzc3dvcmQ6
      C: cA==
      S: 235 2.7.0 Welcome
      C: AUTH PLAIN AHUAcA==
      S: 503 5.5.1 Authenticated already
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
    `,
  })
  playServer({
    options: SUBMISSION,
    answer: sasl,
    text: `${HELLO}
      C: AUTH PLAIN
      S: 334 
      C: AHUAcA==
      S: 235 2.7.0 Welcome
    `,
  })
})

test('attack 7a: AUTH: bad base64 is refused, failures are counted', () => {
  for (const bad of ['A', 'AHU*', 'AHUAcA', 'AHUAcB==', 'AHU AcA==', 'A==='])
    playServer({
      options: SUBMISSION,
      answer: sasl,
      text: `${HELLO}
        C: AUTH PLAIN
        S: 334 
        C: ${bad}
        S: 501 5.5.2 That is no base64
      `,
    })
  playServer({
    options: SUBMISSION,
    answer: sasl,
    text: `${HELLO}
      C: AUTH PLAIN AHUAeA==
      S: 535 5.7.8 Wrong
      C: AUTH PLAIN AHUAeA==
      S: 535 5.7.8 Wrong
      C: AUTH PLAIN AHUAeA==
      S: 535 5.7.8 Wrong
      S: 421 4.7.0 Too many failed attempts
      --- close
    `,
  })
})

test('attack 5a: AUTH: a line without end, an empty initial response, too many steps', () => {
  const { tells } = playServer({
    options: SUBMISSION,
    answer: sasl,
    text: `${HELLO}
      C: AUTH PLAIN =
      S: 535 5.7.8 Wrong
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C| ${'A'.repeat(12_288)}
      S: 421 4.5.6 Line too long
      --- close
    `,
  })
  assert.ok(tells.some((tell) => tell.kind === 'auth-aborted'))
  const endless = (ask: ServerAsk) =>
    ask.kind === 'auth' || ask.kind === 'auth-response'
      ? ({ kind: 'challenge', bytes: Buffer.from('x') } as const)
      : friendly(ask)
  playServer({
    options: { ...SUBMISSION, limits: { authRounds: 2 } },
    answer: endless,
    text: `${HELLO}
      C: AUTH PLAIN
      S: 334 eA==
      C: eA==
      S: 334 eA==
      C: eA==
      S: 501 5.7.0 Too many steps
    `,
  })
})

test('replies of 4xx are not the client’s errors', () => {
  const later = (ask: ServerAsk) =>
    ask.kind === 'rcpt' ? ({ kind: 'reply', reply: reply(450, '4.2.0', 'Later') } as const) : friendly(ask)
  playPipelined({
    options: { ...MX, limits: { errors: 2 } },
    answer: later,
    text: `${HELLO}
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<b@mx.test>
      S: 450 4.2.0 Later
      C: RCPT TO:<c@mx.test>
      S: 450 4.2.0 Later
      C: RCPT TO:<d@mx.test>
      S: 450 4.2.0 Later
    `,
  })
})

test('AUTH on the MX port is not there', () => {
  playServer({
    text: `${HELLO}
      C: AUTH PLAIN AHUAcA==
      S: 502 5.5.1 AUTH is not offered here
    `,
  })
})

test('LMTP answers the end of data once for each accepted recipient', () => {
  const answer = (ask: ServerAsk) =>
    ask.kind === 'message'
      ? ({
          kind: 'replies',
          replies: [reply(250, '2.1.5', 'Kept for b'), reply(452, '4.2.2', 'Mailbox full')],
        } as const)
      : friendly(ask)
  playPipelined({
    options: LMTP,
    answer,
    text: `
      S: 220 mx.test LMTP
      C: EHLO client.test
      S: 500 5.5.1 This is LMTP: say LHLO
      C: LHLO client.test
      ${EHLO.split('\n').slice(3).join('\n')}
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<nobody@mx.test>
      S: 550 5.1.1 No such user
      C: RCPT TO:<c@mx.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: x
      C: .
      S: 250 2.1.5 Kept for b
      S: 452 4.2.2 Mailbox full
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
    `,
  })
})

test('LMTP refuses the last chunk once for each accepted recipient, another one once', () => {
  playServer({
    options: LMTP,
    answer: (ask) =>
      ask.kind === 'data' ? { kind: 'reply', reply: reply(451, '4.3.0', 'Not now') } : friendly(ask),
    text: `
      S: 220 mx.test LMTP
      C: LHLO client.test
      ${EHLO.split('\n').slice(3).join('\n')}
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<c@mx.test>
      S: 250 2.1.5 Recipient ok
      C: BDAT 3 LAST
      C: x
      S: 451 4.3.0 Not now
      S: 451 4.3.0 Not now
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<c@mx.test>
      S: 250 2.1.5 Recipient ok
      C: BDAT 3
      C: x
      S: 451 4.3.0 Not now
      C: BDAT 3 LAST
      C: x
      S: 503 5.5.1 MAIL is needed first
    `,
  })
})

test('LMTP refuses content itself once for each accepted recipient', () => {
  playPipelined({
    options: LMTP,
    text: `
      S: 220 mx.test LMTP
      C: LHLO client.test
      ${EHLO.split('\n').slice(3).join('\n')}
      ${ENVELOPE}
      C: RCPT TO:<c@mx.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C| a\\nb\\r\\n
      C: .
      S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
      S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
      C: NOOP
      S: 250 2.0.0 Ok
    `,
  })
})

test('CHUNKING: a message in chunks, dots and lone CR LF at their borders', () => {
  const { tells, asks } = playPipelined({
    text: `${EHLO}${ENVELOPE}
      C: BDAT 7
      C| .\\r\\nab\\r\\n
      S: 250 2.0.0 7 octets received
      C: BDAT 4
      C| .\\r\\nx
      S: 250 2.0.0 4 octets received
      C: BDAT 1
      C| \\r
      S: 250 2.0.0 1 octets received
      C: BDAT 1 LAST
      C| \\n
      S: 250 2.0.0 Kept
      C: NOOP
      S: 250 2.0.0 Ok
    `,
  })
  assert.equal(bodyOf(tells), '.\r\nab\r\n.\r\nx\r\n')
  assert.equal(asks.filter((ask) => ask.kind === 'data').length, 1)
})

test('a message too large is read to its end and refused', () => {
  const { tells } = playPipelined({
    options: { ...MX, offers: { ...OFFERS, sizeBytes: 100 } },
    text: `${EHLO.replace('10000', '100')}
      C: MAIL FROM:<a@client.test> SIZE=101
      S: 552 5.3.4 A message may have 100 octets
      C: MAIL FROM:<a@client.test> SIZE=100
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: ${'x'.repeat(99)}
      C: .
      S: 552 5.3.4 A message may have 100 octets
      C: NOOP
      S: 250 2.0.0 Ok
    `,
  })
  const aborted = tells.findIndex((tell) => tell.kind === 'body-aborted')
  assert.deepEqual(tells[aborted + 1], { kind: 'reset', by: 'refused' })
})

test('a session refuses the connection: 554 waits for QUIT, 421 closes', () => {
  const refuse = (code: number) => (ask: ServerAsk) =>
    ask.kind === 'connect'
      ? ({ kind: 'reply', reply: reply(code, undefined, 'Not today') } as const)
      : friendly(ask)
  playServer({
    answer: refuse(554),
    text: `
      S: 554 Not today
      C: EHLO client.test
      S: 503 5.7.1 No service for you: QUIT
      C: QUIT
      S: 221 2.0.0 mx.test Bye
      --- close
    `,
  })
  playServer({ answer: refuse(421), text: 'S: 421 Not today\n--- close' })
})

test('a recipient limit that was told is kept', () => {
  playPipelined({
    options: { ...MX, offers: { ...OFFERS, rcptMax: 1 } },
    text: `${EHLO.replace('RCPTMAX=1000', 'RCPTMAX=1')}${ENVELOPE}
      C: RCPT TO:<c@mx.test>
      S: 452 4.5.3 Too many recipients
    `,
  })
})

test('SMTPUTF8: replies carry UTF-8 only to who asked for it', () => {
  const answer = (ask: ServerAsk) =>
    ask.kind === 'message'
      ? ({ kind: 'reply', reply: reply(250, '2.0.0', 'für dich') } as const)
      : friendly(ask)
  playPipelined({
    answer,
    text: `${EHLO}
      C: MAIL FROM:<é@client.test>
      S: 553 5.6.7 A non-ASCII address needs SMTPUTF8
      C: MAIL FROM:<é@client.test> SMTPUTF8
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<ü@bücher.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: .
      S| 250 2.0.0 für dich\\r\\n
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<ü@mx.test>
      S: 553 5.6.7 A non-ASCII address needs SMTPUTF8
      C: RCPT TO:<b@mx.test>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C: .
      S: 250 2.0.0 f?r dich
    `,
  })
})

test('lines of dots alone are handed on together, however many come in one piece', () => {
  const lines = 2_000
  const { tells } = playPipelined({
    text: `${EHLO.replace('10000', '1000000')}${ENVELOPE}
      C: DATA
      S: 354 Go ahead, end with a dot alone in a line
      C| ${'..\\r\\n'.repeat(lines)}.\\r\\n
      S: 250 2.0.0 Kept
    `,
    options: { ...MX, offers: { ...OFFERS, sizeBytes: 1_000_000 } },
  })
  assert.equal(bodyOf(tells), '.\r\n'.repeat(lines))
  assert.equal(tells.filter((tell) => tell.kind === 'body').length, 1)
})
