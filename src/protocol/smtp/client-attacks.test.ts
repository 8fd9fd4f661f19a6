import assert from 'node:assert/strict'
import test from 'node:test'
import { failure, outcomes, PLAIN, playClient, sender } from './client.test-kit.ts'
import { smtpClient } from './client.ts'
import type { ClientTell } from './client-types.ts'

/* Hostile servers, tried on the client core. */

const HELLO = `
  S: 220 mx.test
  C: EHLO client.test
`

test('attack 11a: a reply of endless lines', () => {
  const { tells } = playClient({
    options: { limits: { replyLines: 5 } },
    text: `${HELLO}${'S: 250-more\n'.repeat(6)}
      --- close
    `,
  })
  assert.match(failure(tells) ?? '', /^helo local 451 4\.5\.0 .*more than 5 lines/)
})

test('attack 11a: a reply line without end', () => {
  const { tells } = playClient({
    options: { limits: { replyLineBytes: 100 } },
    text: `${HELLO}
      S| 250-${'x'.repeat(96)}
      --- close
    `,
  })
  assert.match(failure(tells) ?? '', /^helo local 451 4\.5\.0 .*more than 100 octets/)
})

test('attack 11a: garbage, two codes in one reply, a code out of range', () => {
  for (const said of [
    'S: SSH-2.0-x',
    'S: 250-a\nS: 550 b',
    'S: 999 x',
    'S: 25 x',
    'S:',
    'S| \\0\\r\\n',
    'S: 250_x',
  ]) {
    const { tells } = playClient({ text: `${HELLO}${said}\n--- close` })
    assert.match(failure(tells) ?? '', /^helo local 451 4\.5\.0 The server broke the protocol/, said)
  }
})

test('attack 11b: a huge EHLO reply with unknown and malformed keywords is read calmly', () => {
  const { tells } = playClient({
    text: `${HELLO}
      S: 250-mx.test
      S: 250-SIZE many
      S: 250-SIZE
      S: 250-__proto__ 1
      S: 250-constructor
      S: 250-  
      S: 250-LIMITS RCPTMAX=0 MAILMAX=-1 x=y
      S: 250-${'K'.repeat(400)}
      S: 250-AUTH ${'PLAIN '.repeat(50)}\u0001
      S: 250 pipelining
      C: QUIT
      S: 221 x
      --- close
    `,
  })
  const peer = tells.find((tell) => tell.kind === 'peer')?.peer
  assert.equal(peer?.pipelining, true)
  assert.equal(peer?.sizeBytes, 0)
  assert.deepEqual(peer?.auth, ['PLAIN'])
  assert.equal(peer?.rcptMax, undefined)
})

/** Pushes `said` in pieces as given; TLS starts when it is asked for, after `behind` was pushed. */
function run(said: readonly string[], behind = ''): { tells: ClientTell[]; written: string } {
  const client = smtpClient({ ...PLAIN, starttls: 'must' })
  const answer = sender([{ to: ['b@mx.test'] }])
  const tells: ClientTell[] = []
  let written = ''
  const pump = (): void => {
    for (;;) {
      const step = client.next()
      if (step.kind === 'write') written += Buffer.from(step.bytes).toString()
      else if (step.kind === 'tell') tells.push(step.tell)
      else if (step.kind === 'ask') client.answer(answer(step.ask))
      else if (step.kind === 'start-tls') {
        client.push(Buffer.from(behind))
        client.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
      } else return
    }
  }
  pump()
  for (const piece of said) {
    client.push(Buffer.from(piece))
    pump()
  }
  return { tells, written }
}

test('attack 2d, 11c: replies injected behind the answer to STARTTLS end the connection', () => {
  const hello = ['220 mx.test\r\n', '250-mx.test\r\n250 STARTTLS\r\n']
  for (const { tells, written } of [
    run([...hello, '220 go\r\n250-evil.test\r\n250 AUTH PLAIN\r\n']),
    run([...hello, '220 go\r\n2']),
    run([...hello, '220 go\r\n'], '250 evil.test\r\n'),
  ]) {
    assert.match(failure(tells) ?? '', /^starttls local 451 4\.7\.0/)
    assert.ok(!written.includes('AUTH') && written.endsWith('STARTTLS\r\n'))
  }
})

test('attack 11c: a reply that nobody asked for is not taken for the next one', () => {
  const { tells, written } = run(['220 mx.test\r\n250 evil.test\r\n'])
  assert.match(failure(tells) ?? '', /^helo local 451 4\.5\.0 .*unasked/)
  assert.equal(written, '')
})

test('attack 11a: a 421 that came in between is the peer’s own word', () => {
  const { tells } = run(['220 mx.test\r\n421 4.3.2 closing\r\n'])
  assert.equal(failure(tells), 'helo peer 421 4.3.2 closing')
})

test('attack 11a: a SASL exchange that goes round and round, or is no base64', () => {
  const options = { auth: 'must', limits: { authRounds: 2 } } as const
  const answers = () => (ask: { kind: string }) =>
    ask.kind === 'auth'
      ? ({ kind: 'sasl', mechanism: 'LOGIN' } as const)
      : ({ kind: 'response', bytes: Buffer.from('x') } as const)
  const head = `${HELLO}
    S: 250-mx.test
    S: 250 AUTH LOGIN
    C: AUTH LOGIN
  `
  const round = 'S: 334 YQ==\nC: eA==\n'
  const loops = playClient({ options, answers, text: `${head}${round}${round}S: 334 YQ==\n--- close` })
  assert.match(failure(loops.tells) ?? '', /^auth local 451 4\.5\.0/)
  const garbage = playClient({ options, answers, text: `${head}S: 334 Y*==\n--- close` })
  assert.match(failure(garbage.tells) ?? '', /^auth local 451 4\.5\.0/)
})

test('attack 11a: a server that answers the end of data with 354 has taken nothing', () => {
  const { tells } = playClient({
    answers: () => sender([{ to: ['b@mx.test'] }]),
    text: `${HELLO}
      S: 250 mx.test
      C: MAIL FROM:<a@client.test>
      S: 250 ok
      C: RCPT TO:<b@mx.test>
      S: 250 ok
      C: DATA
      S: 354 go
      C: x
      C: .
      S: 354 more
      --- close
    `,
  })
  assert.deepEqual(outcomes(tells), [['end-of-data local 451 4.5.0']])
})

test('attack 1c: smuggling is never produced: bare CR and LF leave as CR LF or a space', () => {
  const body = 'a\n.\nb\r.\rc\r\n.\n.\r\nMAIL FROM:<x@y>\r'
  for (const pieceBytes of [1, 2, 3, 1000]) {
    const { tells } = playClient({
      answers: () => sender([{ to: ['b@mx.test'], body }], pieceBytes),
      text: `${HELLO}
        S: 250 mx.test
        C: MAIL FROM:<a@client.test>
        S: 250 ok
        C: RCPT TO:<b@mx.test>
        S: 250 ok
        C: DATA
        S: 354 go
        C: a
        C: ..
        C: b . c
        C: ..
        C: ..
        C: MAIL FROM:<x@y> 
        C: .
        S: 250 ok
        C: QUIT
        S: 221 x
        --- close
      `,
    })
    assert.deepEqual(outcomes(tells), [['end-of-data peer 250 -']])
  }
})

test('a server that refuses in the middle of the content is heard', () => {
  const client = smtpClient(PLAIN)
  const answer = sender([{ to: ['b@mx.test'], body: 'x\r\n'.repeat(100) }], 3)
  const tells: ClientTell[] = []
  let pieces = 0
  client.push(Buffer.from('220 x\r\n'))
  const replies = ['250 x', '250 ok', '250 ok', '354 go']
  for (let step = client.next(); step.kind !== 'close'; step = client.next()) {
    if (step.kind === 'tell') tells.push(step.tell)
    else if (step.kind === 'need-input') {
      const reply = replies.shift()
      assert.ok(reply)
      client.push(Buffer.from(`${reply}\r\n`))
    } else if (step.kind === 'ask') {
      if (step.ask.kind === 'body' && ++pieces === 5) client.push(Buffer.from('552 5.3.4 too much\r\n'))
      client.answer(answer(step.ask))
    }
  }
  assert.equal(pieces, 5)
  assert.deepEqual(outcomes(tells), [['data peer 552 5.3.4']])
})
