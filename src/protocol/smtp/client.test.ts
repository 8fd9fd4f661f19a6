import assert from 'node:assert/strict'
import test from 'node:test'
import { failure, outcomes, PLAIN, playClient, sender } from './client.test-kit.ts'
import { smtpClient } from './client.ts'
import type { ClientAsk, ClientTell } from './client-types.ts'

const ESMTP = `
  S: 220 mx.test ESMTP
  C: EHLO client.test
  S: 250-mx.test hello
  S: 250-PIPELINING
  S: 250-SIZE 1000
  S: 250 DSN
`

test('two messages, pipelined, dots doubled', () => {
  const { tells } = playClient({
    answers: () =>
      sender([{ to: ['b@mx.test', 'c@mx.test'], body: 'x\r\n.\r\n..y' }, { to: ['d@mx.test'] }], 4),
    text: `${ESMTP}
      C: MAIL FROM:<a@client.test> SIZE=9
      C: RCPT TO:<b@mx.test>
      C: RCPT TO:<c@mx.test>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 550-5.1.1 nobody
      S: 550 5.1.1 by that name
      S: 354 go
      C: x
      C: ..
      C: ...y
      C: .
      S: 250 2.0.0 kept
      C: MAIL FROM:<a@client.test> SIZE=3
      C: RCPT TO:<d@mx.test>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 354 go
      C: x
      C: .
      S: 451 4.3.0 later
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [
    ['end-of-data peer 250 2.0.0', 'rcpt peer 550 5.1.1'],
    ['end-of-data peer 451 4.3.0'],
  ])
  const [first] = tells.filter((tell) => tell.kind === 'result')
  assert.deepEqual(first?.result.recipients[1]?.reply.lines, ['nobody', 'by that name'])
  assert.deepEqual(tells.at(-1), { kind: 'closing' })
})

test('without PIPELINING, one command at a time; HELO where EHLO is not known', () => {
  const { tells } = playClient({
    answers: () => sender([{ to: ['b@mx.test'] }]),
    text: `
      S: 220 old.test
      C: EHLO client.test
      S: 502 what
      C: HELO client.test
      S: 250 old.test
      C: MAIL FROM:<a@client.test>
      S: 250 ok
      C: RCPT TO:<b@mx.test>
      S: 251 will forward
      C: DATA
      S: 354 go
      C: x
      C: .
      S: 250 kept
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['end-of-data peer 250 -']])
})

test('nobody accepted: with 354 an empty message, without it RSET', () => {
  const { tells } = playClient({
    answers: () => sender([{ to: ['b@mx.test'] }, { to: ['c@mx.test'] }]),
    text: `${ESMTP}
      C: MAIL FROM:<a@client.test> SIZE=3
      C: RCPT TO:<b@mx.test>
      C: DATA
      S: 250 ok
      S: 550 5.1.1 no
      S: 354 go
      C: .
      S: 554 5.5.1 no valid recipients
      C: MAIL FROM:<a@client.test> SIZE=3
      C: RCPT TO:<c@mx.test>
      C: DATA
      S: 250 ok
      S: 450 4.2.0 greylisted
      S: 503 5.5.1 no recipient
      C: RSET
      S: 250 ok
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['rcpt peer 550 5.1.1'], ['rcpt peer 450 4.2.0']])
})

test('MAIL refused settles all recipients', () => {
  const { tells } = playClient({
    options: { pipelining: false },
    answers: () => sender([{ to: ['b@mx.test', 'c@mx.test'] }]),
    text: `${ESMTP}
      C: MAIL FROM:<a@client.test> SIZE=3
      S: 550 5.7.1 not from you
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['mail peer 550 5.7.1', 'mail peer 550 5.7.1']])
})

test('what the peer lacks is told without a word to it', () => {
  const { tells } = playClient({
    answers: () =>
      sender([
        { to: ['b@mx.test'], body: 'x'.repeat(1001) },
        { to: ['b@mx.test'], sender: { bodyType: '8BITMIME' } },
        { to: ['é@mx.test'] },
      ]),
    text: `${ESMTP}
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [
    ['check local 552 5.3.4'],
    ['check local 554 5.6.3'],
    ['check local 550 5.6.7'],
  ])
})

test('parameters go only where they are offered', () => {
  const answers = () => {
    const inner = sender([{ to: ['b@mx.test'] }])
    return (ask: ClientAsk) => {
      const answer = inner(ask)
      if (answer.kind !== 'send') return answer
      const { transaction } = answer
      const [first] = transaction.recipients
      if (first === undefined) return answer
      return {
        kind: 'send',
        transaction: {
          ...transaction,
          sender: { ...transaction.sender, ret: 'HDRS', envid: 'q+1 x' },
          recipients: [{ ...first, notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;b+c@mx.test' }],
        },
      } as const
    }
  }
  playClient({
    answers,
    text: `${ESMTP}
      C: MAIL FROM:<a@client.test> SIZE=3 RET=HDRS ENVID=q+2B1+20x
      C: RCPT TO:<b@mx.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@mx.test
      C: DATA
      S: 452 4.3.1 full
      S: 503 x
      S: 503 x
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  playClient({
    answers,
    text: `
      S: 220 mx.test
      C: EHLO client.test
      S: 250 mx.test
      C: MAIL FROM:<a@client.test>
      S: 250 ok
      C: RCPT TO:<b@mx.test>
      S: 550 no
      C: RSET
      S: 250 ok
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
})

test('rfc9422: what is over RCPTMAX waits for another transaction', () => {
  const { tells } = playClient({
    answers: () => sender([{ to: ['b@mx.test', 'c@mx.test'] }]),
    text: `
      S: 220 mx.test
      C: EHLO client.test
      S: 250-mx.test
      S: 250 LIMITS RCPTMAX=1 MAILMAX=7
      C: MAIL FROM:<a@client.test>
      S: 250 ok
      C: RCPT TO:<b@mx.test>
      S: 250 ok
      C: DATA
      S: 354 go
      C: x
      C: .
      S: 250 ok
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['end-of-data peer 250 -', 'check local 452 4.5.3']])
})

test('CHUNKING: the last chunk says so, a refused one ends the transaction', () => {
  const options = { chunking: true, limits: { chunkBytes: 4 } }
  const head = `
    S: 220 mx.test
    C: EHLO client.test
    S: 250-mx.test
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.test>
    S: 250 ok
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: BDAT 4
    C| .\\r\\na
  `
  const answers = () => sender([{ to: ['b@mx.test'], body: '.\r\nab\r\n' }], 2)
  const taken = playClient({
    options,
    answers,
    text: `${head}
      S: 250 ok
      C: BDAT 3 LAST
      C| b\\r\\n
      S: 250 2.0.0 kept
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(taken.tells), [['end-of-data peer 250 2.0.0']])
  const refused = playClient({
    options,
    answers,
    text: `${head}
      S: 552 5.2.2 full
      C: RSET
      S: 250 ok
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(refused.tells), [['data peer 552 5.2.2']])
})

test('STARTTLS, then EHLO again; must without the offer sends nothing', () => {
  const { tells } = playClient({
    text: `
      S: 220 mx.test
      C: EHLO client.test
      S: 250-mx.test
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 go
      --- tls
      C: EHLO client.test
      S: 250-mx.test
      S: 250 AUTH PLAIN
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(
    tells.map((tell) => tell.kind),
    ['greeting', 'peer', 'tls', 'peer', 'closing'],
  )
  const must = playClient({
    options: { starttls: 'must' },
    text: `${ESMTP}
      C: QUIT
      --- close
    `,
  })
  assert.match(failure(must.tells) ?? '', /^starttls local 451 4\.7\.4/)
})

const SCRAM = (ask: ClientAsk) => {
  if (ask.kind === 'auth')
    return { kind: 'sasl', mechanism: 'SCRAM-SHA-256', initial: Buffer.from('n,,') } as const
  if (ask.kind === 'auth-challenge') return { kind: 'response', bytes: Buffer.from(ask.challenge) } as const
  return { kind: 'quit' } as const
}

test('AUTH carries what the mechanism says', () => {
  const { tells } = playClient({
    options: { auth: 'must' },
    answers: () => SCRAM,
    text: `
      S: 220 mx.test
      C: EHLO client.test
      S: 250-mx.test
      S: 250-AUTH PLAIN scram-sha-256
      S: 250 AUTH=LOGIN
      C: AUTH SCRAM-SHA-256 biws
      S: 334 YWJj
      C: YWJj
      S: 235 2.7.0 welcome
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  const peer = tells.find((tell) => tell.kind === 'peer')
  assert.deepEqual(peer?.peer.auth, ['PLAIN', 'SCRAM-SHA-256', 'LOGIN'])
  const refused = playClient({
    options: { auth: 'must' },
    answers: () => SCRAM,
    text: `
      S: 220 mx.test
      C: EHLO client.test
      S: 250-mx.test
      S: 250 AUTH SCRAM-SHA-256
      C: AUTH SCRAM-SHA-256 biws
      S: 535 5.7.8 no
      C: QUIT
      --- close
    `,
  })
  assert.equal(failure(refused.tells), 'auth peer 535 5.7.8 no')
})

test('a refused greeting and a 421 end the connection with the peer’s own words', () => {
  const refused = playClient({ text: 'S: 554 5.7.1 go away\nC: QUIT\n--- close' })
  assert.equal(failure(refused.tells), 'connect peer 554 5.7.1 go away')
  const { tells } = playClient({
    answers: () => sender([{ to: ['b@mx.test'] }]),
    text: `${ESMTP}
      C: MAIL FROM:<a@client.test> SIZE=3
      C: RCPT TO:<b@mx.test>
      C: DATA
      S: 250 ok
      S: 421 4.3.2 closing
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['rcpt peer 421 4.3.2']])
})

test('LMTP: one reply for each accepted recipient', () => {
  const { tells } = playClient({
    options: { protocol: 'lmtp' },
    answers: () => sender([{ to: ['b@mx.test', 'c@mx.test', 'd@mx.test'] }]),
    text: `
      S: 220 mx.test LMTP
      C: LHLO client.test
      S: 250-mx.test
      S: 250 PIPELINING
      C: MAIL FROM:<a@client.test>
      C: RCPT TO:<b@mx.test>
      C: RCPT TO:<c@mx.test>
      C: RCPT TO:<d@mx.test>
      C: DATA
      S: 250 ok
      S: 250 ok
      S: 550 5.1.1 no
      S: 250 ok
      S: 354 go
      C: x
      C: .
      S: 250 2.1.5 kept
      S: 452 4.2.2 full
      C: QUIT
      S: 221 bye
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [
    ['end-of-data peer 250 2.1.5', 'rcpt peer 550 5.1.1', 'end-of-data peer 452 4.2.2'],
  ])
})

function drain(client: ReturnType<typeof smtpClient>, answer: (ask: ClientAsk) => void): ClientTell[] {
  const tells: ClientTell[] = []
  for (;;) {
    const step = client.next()
    if (step.kind === 'tell') tells.push(step.tell)
    else if (step.kind === 'ask') answer(step.ask)
    else if (step.kind !== 'write') return tells
  }
}

test('a server that says nothing is left after the stage’s time; a lost one is told', () => {
  const slow = smtpClient(PLAIN)
  slow.tick(1000)
  drain(slow, () => undefined)
  const due = slow.deadline() ?? 0
  assert.equal(due, 1000 + 5 * 60_000)
  slow.tick(due)
  assert.match(failure(drain(slow, () => undefined)) ?? '', /^connect local 451 4\.4\.2 .*in time/)

  const lost = smtpClient(PLAIN)
  lost.push(Buffer.from('220 mx.test\r\n'))
  lost.end()
  assert.match(failure(drain(lost, () => undefined)) ?? '', /^helo local 451 4\.4\.2/)
})

test('content that can not be read drops the connection without a final dot', () => {
  const client = smtpClient(PLAIN)
  client.push(Buffer.from('220 x\r\n'))
  const send = sender([{ to: ['b@mx.test'] }])
  const answer = (ask: ClientAsk) => client.answer(ask.kind === 'body' ? { kind: 'abort' } : send(ask))
  drain(client, answer)
  for (const said of ['250 x', '250 ok', '250 ok']) {
    client.push(Buffer.from(`${said}\r\n`))
    drain(client, answer)
  }
  client.push(Buffer.from('354 go\r\n'))
  const tells = drain(client, answer)
  assert.deepEqual(outcomes(tells), [['data local 451 4.3.0']])
  assert.equal(client.next().kind, 'close')
})
