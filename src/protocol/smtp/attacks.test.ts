import assert from 'node:assert/strict'
import test from 'node:test'
import { bodyOf } from './dialogue.test-kit.ts'
import { SERVER_LIMITS } from './limits.ts'
import { friendly, LMTP, MX, OFFERS, playPipelined, playServer } from './server.test-kit.ts'
import { smtpServer } from './server.ts'
import type { ServerAsk, ServerTell } from './types.ts'

/* What broke other people's mail servers, tried on the server core. */

const HELLO = `
  S: 220 mx.test ESMTP
  C: HELO client.test
  S: 250 mx.test
`
const ENVELOPE = `
  C: MAIL FROM:<a@client.test>
  S: 250 2.1.0 Sender ok
  C: RCPT TO:<b@mx.test>
  S: 250 2.1.5 Recipient ok
`
const DATA = `
  C: DATA
  S: 354 Go ahead, end with a dot alone in a line
`
const attacks = (tells: readonly ServerTell[]): string[] =>
  tells.flatMap((tell) => (tell.kind === 'attack' ? [tell.attack] : []))

/** Lone dots between line ends of which one is wrong, as smuggling tools send them. */
const WRONG_ENDS = [
  ['<LF>.<LF>', '\\n.\\n'],
  ['<LF>.<CR><LF>', '\\n.\\r\\n'],
  ['<CR><LF>.<LF>', '\\r\\n.\\n'],
  ['<CR>.<CR>', '\\r.\\r'],
  ['<CR>.<CR><LF>', '\\r.\\r\\n'],
  ['<CR>.<LF>', '\\r.\\n'],
  ['<LF>.<CR>', '\\n.\\rX'],
  ['<CR><LF>.<CR>', '\\r\\n.\\rX'],
  ['<CR><LF>.<CR><CR><LF>', '\\r\\n.\\r\\r\\n'],
  ['<CR><CR>.<CR><LF>', '\\r\\r.\\r\\n'],
] as const

for (const [name, octets] of WRONG_ENDS)
  test(`attack 1a, 1b: smuggling by ${name}: no end of data, nothing behind it is read`, () => {
    for (const options of [MX, LMTP]) {
      const { tells, asks } = playServer({
        options,
        text: `${options === MX ? HELLO : lmtpHello()}${ENVELOPE}${DATA}
          C: Subject: x
          C| hello${octets}MAIL FROM:<evil@client.test>\\r\\nRCPT TO:<b@mx.test>\\r\\nDATA\\r\\nsmuggled\\r\\n.\\r\\n
          S: 554 5.6.0 A lone dot between bare CR or LF: ambiguous end of message
          --- close
        `,
      })
      assert.deepEqual(attacks(tells), ['smuggling'])
      assert.equal(asks.filter((ask) => ask.kind === 'mail').length, 1)
      assert.equal(asks.filter((ask) => ask.kind === 'message').length, 0)
      assert.deepEqual(
        tells.filter(({ kind }) => kind === 'body-aborted' || kind === 'reset').map(({ kind }) => kind),
        ['body-aborted', 'reset'],
      )
    }
  })

function lmtpHello(): string {
  return `
    S: 220 mx.test LMTP
    C: LHLO client.test
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
}

for (const [name, octets] of [
  ['NUL before the dot', '\\r\\n\\0.\\r\\n'],
  ['NUL behind the dot', '\\r\\n.\\0\\r\\n'],
  ['a space behind the dot', '\\r\\n. \\r\\n'],
  ['two dots', '\\r\\n..\\r\\n'],
] as const)
  test(`attack 1a, 1b: smuggling by ${name}: it is a line of text`, () => {
    const { tells, asks } = playPipelined({
      text: `${HELLO}${ENVELOPE}${DATA}
        C| hello${octets}MAIL FROM:<evil@client.test>\\r\\n
        C: .
        S: 250 2.0.0 Kept
      `,
    })
    assert.equal(asks.filter((ask) => ask.kind === 'mail').length, 1)
    assert.match(bodyOf(tells), /MAIL FROM:<evil@client\.test>\r\n$/)
  })

for (const [name, octets] of [
  ['LF', 'a\\nb'],
  ['CR', 'a\\rb'],
  ['CR CR LF', 'a\\r\\r\\n'],
  ['LF CR', 'a\\n\\rb'],
  ['CR before the end', 'a\\r'],
] as const)
  test(`attack 1a: a bare ${name} in DATA or BDAT: refused once the real end is there`, () => {
    const { tells } = playPipelined({
      text: `${HELLO}${ENVELOPE}${DATA}
        C| ${octets}\\r\\n.\\r\\n
        S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
        C: NOOP
        S: 250 2.0.0 Ok
      `,
    })
    assert.deepEqual(attacks(tells), ['bare-newline'])
    const size = octets.replaceAll(/\\./g, '.').length + 2
    const chunked = playPipelined({
      text: `${HELLO}${ENVELOPE}
        C: BDAT ${size} LAST
        C| ${octets}\\r\\n
        S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
        C: NOOP
        S: 250 2.0.0 Ok
      `,
    })
    assert.deepEqual(attacks(chunked.tells), ['bare-newline'])
  })

test('attack 1a: a chunked message that ends with a bare CR is refused', () => {
  playPipelined({
    text: `${HELLO}${ENVELOPE}
      C: BDAT 2 LAST
      C| a\\r
      S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
    `,
  })
})

test('attack 1a: leniency accept-lf: a bare LF becomes CR LF and still never ends a message', () => {
  const { tells, asks } = playPipelined({
    options: { ...MX, bareNewlines: 'accept-lf' },
    text: `${HELLO}${ENVELOPE}${DATA}
      C| one\\n..two\\n.\\nthree\\r\\n.\\n.\\r\\nMAIL FROM:<evil@client.test>\\n\\r\\n.\\r\\n
      S: 250 2.0.0 Kept
      C| NOOP\\n
      S: 250 2.0.0 Ok
    `,
  })
  assert.equal(bodyOf(tells), 'one\r\n.two\r\n.\r\nthree\r\n.\r\n.\r\nMAIL FROM:<evil@client.test>\r\n\r\n')
  const message = asks.find((ask) => ask.kind === 'message')
  assert.equal(message?.facts.bareLineFeeds, 5)
  assert.equal(message?.facts.sizeBytes, bodyOf(tells).length)
  playPipelined({
    options: { ...MX, bareNewlines: 'accept-lf' },
    text: `${HELLO}${ENVELOPE}${DATA}
      C| one\\rtwo\\r\\n.\\r\\n
      S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
    `,
  })
})

test('attack 1a: a command that ends with a bare LF, or holds a CR, is refused', () => {
  const { tells } = playPipelined({
    text: `
      S: 220 mx.test ESMTP
      C| HELO client.test\\n
      S: 500 5.5.2 A command ends with CR LF (rfc5321 section 2.3.8)
      C| HELO client.test\\rRSET\\r\\n
      S: 500 5.5.2 A command ends with CR LF (rfc5321 section 2.3.8)
    `,
  })
  assert.deepEqual(attacks(tells), ['bare-newline', 'bare-newline'])
})

test('attack 2a: STARTTLS command injection: what is behind it is dropped', () => {
  const { tells, asks } = playInjected('STARTTLS\r\nMAIL FROM:<evil@client.test>\r\nRCPT TO:<b@mx.test>\r\n')
  assert.deepEqual(attacks(tells), ['behind-starttls'])
  assert.equal(asks.filter((ask) => ask.kind === 'mail').length, 0)
})

test('attack 2a: STARTTLS command injection: half a command is dropped too', () => {
  assert.deepEqual(attacks(playInjected('STARTTLS\r\nEH').tells), ['behind-starttls'])
})

/** Speaks `clear` in one piece, then TLS starts and the client goes on as a good one does. */
function playInjected(clear: string): { tells: ServerTell[]; asks: ServerAsk[] } {
  const server = smtpServer({ ...MX, offers: { ...OFFERS, auth: { clear: [], tls: ['PLAIN'] } } })
  const tells: ServerTell[] = []
  const asks: ServerAsk[] = []
  let output = ''
  const pump = (): string => {
    for (;;) {
      const step = server.next()
      if (step.kind === 'write') output += Buffer.from(step.bytes).toString()
      else if (step.kind === 'tell') tells.push(step.tell)
      else if (step.kind === 'ask') {
        asks.push(step.ask)
        server.answer(friendly(step.ask))
      } else return step.kind
    }
  }
  pump()
  server.push(Buffer.from('EHLO client.test\r\n'))
  pump()
  server.push(Buffer.from(clear))
  assert.equal(pump(), 'start-tls')
  // Clear text that the driver had read already when TLS began.
  server.push(Buffer.from('RCPT TO:<c@mx.test>\r\n'))
  server.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
  output = ''
  pump()
  assert.equal(output, '', 'nothing is answered before the client speaks under TLS')
  server.push(Buffer.from('MAIL FROM:<a@client.test>\r\nEHLO client.test\r\n'))
  pump()
  assert.match(output, /^503 5\.5\.1 Say hello first\r\n250-mx\.test\r\n(?:250-.*\r\n)*250-AUTH PLAIN\r\n/)
  return { tells, asks }
}

test('attack 2c: STARTTLS takes no parameter', () => {
  const { asks } = playPipelined({
    text: `${HELLO}
      C: STARTTLS now
      S: 501 5.5.4 STARTTLS takes no argument
      C| STARTTLS\\0\\r\\n
      S: 500 5.5.2 A command holds no control characters and only UTF-8 beyond ASCII
    `,
  })
  assert.ok(!asks.some((ask) => ask.kind === 'starttls'))
})

test('attack 3a: state after a rejected end of data: the next transaction starts from nothing', () => {
  const answer = (ask: ServerAsk) =>
    ask.kind === 'message'
      ? ({ kind: 'reply', reply: { code: 550, enhanced: '5.7.1', lines: ['no'] } } as const)
      : friendly(ask)
  const { asks } = playPipelined({
    answer,
    text: `${HELLO}${ENVELOPE}${DATA}
      C: .
      S: 550 5.7.1 no
      C: RCPT TO:<b@mx.test>
      S: 503 5.5.1 MAIL is needed first
      C: DATA
      S: 503 5.5.1 MAIL is needed first
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: DATA
      S: 503 5.5.1 No valid recipient was given
      C: RCPT TO:<c@mx.test>
      S: 250 2.1.5 Recipient ok
    `,
  })
  assert.deepEqual(
    asks.flatMap((ask) => (ask.kind === 'rcpt' ? [ask.accepted] : [])),
    [0, 0],
  )
})

test('attack 4a, 4c: BDAT without MAIL, after an error, and reset in between: octets are never commands', () => {
  const { asks, tells } = playPipelined({
    text: `${HELLO}
      C: BDAT 6
      C| QUIT\\r\\n
      S: 503 5.5.1 MAIL is needed first
      ${ENVELOPE}
      C: BDAT 3
      C| a\\nb
      S: 554 5.6.0 Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)
      C: BDAT 6 LAST
      C| QUIT\\r\\n
      S: 503 5.5.1 MAIL is needed first
      ${ENVELOPE}
      C: BDAT 3
      C| x\\r\\n
      S: 250 2.0.0 3 octets received
      C: DATA
      S: 503 5.5.1 BDAT has begun: more BDAT or RSET
      C: MAIL FROM:<a@client.test>
      S: 503 5.5.1 A transaction is open already
      C: RSET
      S: 250 2.0.0 Reset
      C: BDAT 0 LAST
      S: 503 5.5.1 MAIL is needed first
    `,
  })
  assert.ok(!asks.some((ask) => ask.kind === 'message'))
  assert.deepEqual(
    tells.flatMap((tell) => (tell.kind === 'body-aborted' ? [tell.why] : [])),
    ['refused', 'reset'],
  )
})

test('attack 4b: BDAT whose number can not be read closes: nobody knows where commands go on', () => {
  for (const bad of ['BDAT', 'BDAT x', 'BDAT -1', 'BDAT 1 2', 'BDAT 1 LAST LAST', 'BDAT 9999999999999999'])
    playServer({
      text: `${HELLO}${ENVELOPE}
        C: ${bad}
        S: 501 5.5.4 BDAT needs a number of octets
        --- close
      `,
    })
})

test('attack 4a: BDAT refused by the session, or not offered: the chunk is skipped', () => {
  const answer = (ask: ServerAsk) =>
    ask.kind === 'data'
      ? ({ kind: 'reply', reply: { code: 451, enhanced: '4.3.0', lines: ['later'] } } as const)
      : friendly(ask)
  playPipelined({
    answer,
    text: `${HELLO}${ENVELOPE}
      C: BDAT 6
      C| QUIT\\r\\n
      S: 451 4.3.0 later
      C: BDAT 6 LAST
      C| QUIT\\r\\n
      S: 503 5.5.1 MAIL is needed first
    `,
  })
  playPipelined({
    options: { ...MX, offers: { ...OFFERS, chunking: false } },
    text: `${HELLO}${ENVELOPE}
      C: BDAT 6 LAST
      C| QUIT\\r\\n
      S: 502 5.5.1 CHUNKING is not offered
    `,
  })
})

test('attack 4b: thousands of tiny chunks end the connection', () => {
  const chunks = (count: number) => `C| ${'BDAT 1\\r\\nx'.repeat(count)}\n`
  const { tells } = playServer({
    options: { ...MX, limits: { chunks: 3 } },
    text: `${HELLO}${ENVELOPE}${chunks(4)}
      S: 250 2.0.0 1 octets received
      S: 250 2.0.0 1 octets received
      S: 250 2.0.0 1 octets received
      S: 421 4.7.0 Too many chunks
      --- close
    `,
  })
  assert.deepEqual(attacks(tells), ['flood'])
})

test('attack 4b: a chunk of more octets than are worth skipping closes', () => {
  for (const before of ['', 'C: BDAT 3\n C: x\n S: 250 2.0.0 3 octets received\n']) {
    const { tells } = playServer({
      text: `${HELLO}${ENVELOPE}
        ${before}
        C: BDAT 999999999999999
        S: 552 5.3.4 A message may have 10000 octets
        --- close
      `,
    })
    assert.deepEqual(
      tells.filter(({ kind }) => kind === 'refused').map((tell) => 'verb' in tell && tell.verb),
      ['BDAT'],
    )
  }
})

test('attack 5a: over-long command, with and without its line end', () => {
  const long = 'x'.repeat(SERVER_LIMITS.commandLineBytes)
  for (const line of [`C| ${long}`, `C: ${long}`]) {
    const { tells } = playServer({
      text: `${HELLO}
        ${line}
        S: 421 4.7.0 mx.test Command line too long
        --- close
      `,
    })
    assert.deepEqual(attacks(tells), ['command-too-long'])
  }
  playServer({
    text: `${HELLO}
      C: NOOP ${'x'.repeat(SERVER_LIMITS.commandLineBytes - 7)}
      S: 250 2.0.0 Ok
    `,
  })
})

test('attack 5b: flood of bad RCPT ends the connection', () => {
  const { tells } = playServer({
    options: { ...MX, limits: { errors: 3 } },
    text: `${HELLO}
      C: MAIL FROM:<a@client.test>
      S: 250 2.1.0 Sender ok
      C: RCPT TO:<nobody@mx.test>
      C: RCPT TO:<nobody@mx.test>
      C: RCPT TO:<nobody@mx.test>
      C: RCPT TO:<nobody@mx.test>
      S: 550 5.1.1 No such user
      S: 550 5.1.1 No such user
      S: 550 5.1.1 No such user
      S: 421 4.7.0 mx.test Too many errors
      --- close
    `,
  })
  assert.deepEqual(attacks(tells), ['too-many-errors'])
})

test('attack 5b: commands without a message end the connection', () => {
  const { tells } = playServer({
    options: { ...MX, limits: { idleCommands: 2 } },
    text: `${HELLO}
      C: NOOP
      C: NOOP
      S: 250 2.0.0 Ok
      S: 421 4.7.0 Too many commands without a message
      --- close
    `,
  })
  assert.deepEqual(attacks(tells), ['flood'])
})

test('attack 5c: QUIT twice: the first one closes', () => {
  playServer({
    text: `${HELLO}
      C: QUIT
      C: QUIT
      S: 221 2.0.0 mx.test Bye
      --- close
    `,
  })
})

test('attack 8a: ENVID, ORCPT or AUTH with an encoded NUL, CR or LF', () => {
  for (const octet of ['00', '0D', '0A', '7F', '0a', 'C2+85', 'E2+80+A8']) {
    const { tells } = playPipelined({
      text: `${HELLO}
        C: MAIL FROM:<a@client.test> ENVID=x+${octet}y
        S: 501 5.5.4 ENVID holds a control character
        C: MAIL FROM:<a@client.test> AUTH=x+${octet}y
        S: 501 5.5.4 AUTH holds a control character
        C: MAIL FROM:<a@client.test>
        S: 250 2.1.0 Sender ok
        C: RCPT TO:<b@mx.test> ORCPT=rfc822;x+${octet}y
        S: 501 5.5.4 ORCPT holds a control character
      `,
    })
    assert.deepEqual(attacks(tells), ['control-characters', 'control-characters', 'control-characters'])
  }
})

test('attack 8b: control characters in an address or a name', () => {
  const refusal = '500 5.5.2 A command holds no control characters and only UTF-8 beyond ASCII'
  playPipelined({
    text: `${HELLO}
      C| MAIL FROM:<a\\0@client.test>\\r\\n
      S: ${refusal}
      C| MAIL FROM:<"a\\0"@client.test>\\r\\n
      S: ${refusal}
      C| VRFY \\0\\r\\n
      S: ${refusal}
    `,
  })
})

test('attack 9a: a huge header is refused though the message is within its size', () => {
  const { asks } = playPipelined({
    options: { ...MX, limits: { headerBytes: 100 } },
    text: `${HELLO}${ENVELOPE}${DATA}
      C: From : x
      C: Subject: ${'x'.repeat(60)}
      C: To: ${'y'.repeat(40)}
      C:
      C: body
      C: .
      S: 552 5.3.4 A header may have 100 octets
      ${ENVELOPE}${DATA}
      C: Subject: ${'x'.repeat(60)}
      C:
      C: ${'y'.repeat(300)}
      C: .
      S: 250 2.0.0 Kept
    `,
  })
  assert.equal(asks.filter((ask) => ask.kind === 'message').length, 1)
})

test('attack 9a: a line of text that never ends is refused', () => {
  playPipelined({
    options: { ...MX, limits: { textLineBytes: 50 } },
    text: `${HELLO}${ENVELOPE}${DATA}
      C: ${'x'.repeat(49)}
      C: .
      S: 554 5.6.0 A line may have 50 octets
      ${ENVELOPE}${DATA}
      C: ${'x'.repeat(48)}
      C: .
      S: 250 2.0.0 Kept
    `,
  })
})

test('attack 9a: a message that never ends is cut off', () => {
  const { tells } = playServer({
    options: { ...MX, offers: { ...OFFERS, sizeBytes: 100 }, limits: { discardBytes: 100 } },
    text: `${HELLO}${ENVELOPE}${DATA}
      C| ${'x'.repeat(200)}
      S: 552 5.3.4 A message may have 100 octets
      --- close
    `,
  })
  assert.deepEqual(attacks(tells), ['flood'])
})

test('attack 30c: an early talker is refused, told and not listened to', () => {
  const server = smtpServer(MX)
  const seen: string[] = []
  server.push(Buffer.from('EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n'))
  for (let step = server.next(); step.kind !== 'close'; step = server.next()) {
    assert.notEqual(step.kind, 'need-input')
    if (step.kind === 'write') seen.push(Buffer.from(step.bytes).toString())
    else if (step.kind === 'tell') seen.push(step.tell.kind === 'attack' ? step.tell.attack : step.tell.kind)
    else if (step.kind === 'ask') server.answer(friendly(step.ask))
  }
  assert.deepEqual(seen, ['early-talker', 'closing', '554 5.5.1 You spoke before the greeting\r\n'])
})

test('attack 30c: a web client on the mail port is sent away at once', () => {
  for (const line of ['GET / HTTP/1.1', 'POST /x HTTP/1.0', 'CONNECT mx.test:25 HTTP/1.1']) {
    const { tells } = playServer({
      text: `
        S: 220 mx.test ESMTP
        C: ${line}
        C: Host: mx.test
        C: MAIL FROM:<evil@client.test>
        S: 421 4.7.0 This is SMTP
        --- close
      `,
    })
    assert.deepEqual(attacks(tells), ['http'])
  }
})
