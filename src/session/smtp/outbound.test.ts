import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../ports/deliverer.ts'
import { deliver, type Given, ScriptedHost, summary } from './outbound.test-kit.ts'

/** Plays one connection to its end. */
async function play(script: string, given: Given = {}): Promise<{ delivery: Delivery; host: ScriptedHost }> {
  const host = new ScriptedHost(script)
  const delivery = await deliver([host], given)
  assert.deepEqual(host.problems, [])
  assert.ok(host.closed, 'the connection is closed')
  return { delivery, host }
}

const answer = async (script: string, given: Given = {}): Promise<string> =>
  summary((await play(script, given)).delivery)

const HELLO = `
  S: 220 mx.test
  C: EHLO me.test
`
const PLAIN = `${HELLO}
  S: 250-mx.test
  S: 250 8BITMIME
`
const MAIL = `
  C: MAIL FROM:<a@me.test>
  S: 250 ok
`
const CONTENT = `
  C: DATA
  S: 354 go
  C: Subject: x
  C:
  C: x
  C: .
`.replace('C:\n', 'C: *\n')
const QUIT = 'C: QUIT\n'

test('a message is handed over, and nobody waits for the goodbye', async () => {
  const { delivery, host } = await play(`${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    ${CONTENT}
    S: 250 2.0.0 kept
    ${QUIT}
    --- silence
  `)
  assert.deepEqual(delivery, {
    kind: 'answered',
    answers: [
      {
        address: { local: 'b', domain: 'mx.test' },
        reply: { code: 250, enhanced: '2.0.0', lines: ['kept'] },
      },
    ],
    tls: undefined,
    dsnOffered: false,
  })
  assert.deepEqual(host.left, ['--- silence'])
})

test('each recipient has its own answer', async () => {
  const script = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: RCPT TO:<c@mx.test>
    S: 550 5.1.1 nobody
    C: RCPT TO:<d@mx.test>
    S: 450 4.2.0 greylisted
    ${CONTENT}
    S: 250 2.0.0 kept
    ${QUIT}
  `
  assert.equal(
    await answer(script, { to: ['b@mx.test', 'c@mx.test', 'd@mx.test'] }),
    'answered 250 2.0.0 550 5.1.1 450 4.2.0',
  )
})

test('a host that closes at each step: before the final dot the next may be tried, behind it not', async () => {
  const whole = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    ${CONTENT}
    S: 250 2.0.0 kept
    ${QUIT}`
  const steps = whole.split('\n').filter((line) => line.trim() !== '')
  const dot = steps.findIndex((line) => line.trim() === 'C: .')
  const go = steps.findIndex((line) => line.includes('354'))
  const kept = steps.findIndex((line) => line.includes('kept'))
  for (const end of ['--- close', '--- reset', '--- silence']) {
    // Who says nothing more may still have taken all of it in.
    const safe = end === '--- silence' ? go : dot
    for (let cut = 0; cut <= kept; cut++) {
      const got = await answer([...steps.slice(0, cut), end].join('\n'))
      assert.equal(
        got.split(' ')[0],
        cut <= safe ? 'no-contact' : 'unknown',
        `${end} after ${cut} steps: ${got}`,
      )
      assert.match(got, / 451 4\.4\.2$/, `${end} after ${cut} steps`)
    }
    assert.equal(await answer([...steps.slice(0, kept + 1), end].join('\n')), 'answered 250 2.0.0')
  }
})

test('421 before the content leaves the message to the next host, behind it is an answer', async () => {
  assert.equal(await answer('S: 421 4.3.2 busy\n--- close'), 'no-contact 421 4.3.2')
  assert.equal(await answer(`${PLAIN}C: MAIL*\nS: 421 4.3.2 busy\n--- close`), 'no-contact 421 4.3.2')
  const rest = `C: RCPT TO:<b@mx.test>\nS: 250 ok\n${CONTENT}S: 421 4.3.2 no\n--- close`
  assert.equal(await answer(`${PLAIN}${MAIL}${rest}`), 'answered 421 4.3.2')
  const half = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 550 5.1.1 nobody
    C: RCPT TO:<c@mx.test>
    S: 421 4.3.2 busy
    --- close
  `
  assert.equal(await answer(half, { to: ['b@mx.test', 'c@mx.test'] }), 'answered 550 5.1.1 421 4.3.2')
})

test('a host that refuses in the middle of the content is heard, and gets no more of it', async () => {
  let pieces = 0
  const host = new ScriptedHost(`${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: DATA
    S: 354 go
    C: 0
    C: 1
    S: 552 5.3.4 too much
    --- close
  `)
  const delivery = await deliver([host], {
    job: {
      async *body() {
        for (; pieces < 1_000; pieces++) yield Buffer.from(`${pieces}\r\n`)
      },
    },
  })
  assert.equal(summary(delivery), 'answered 552 5.3.4')
  assert.ok(pieces < 10, `${pieces} pieces were sent`)
})

test('DIAL: what stands in the way is told', async () => {
  for (const [kind, status] of [
    ['refused', '4.4.1'],
    ['timeout', '4.4.1'],
    ['unreachable', '4.4.1'],
    ['reset', '4.4.1'],
    ['tls', '4.7.5'],
  ] as const) {
    const delivery = await deliver([{ kind, cause: 'because' }])
    assert.equal(summary(delivery), `no-contact 451 ${status}`)
    assert.ok(delivery.kind === 'no-contact' && delivery.reply.cause === 'because')
  }
})

const OFFER = `${HELLO}
  S: 250-mx.test
  S: 250 STARTTLS
  C: STARTTLS
  S: 220 go
`
const REST = `${MAIL}
  C: RCPT TO:<b@mx.test>
  S: 250 ok
  ${CONTENT}
  S: 250 2.0.0 kept
  ${QUIT}
`

test('STARTTLS where it is offered, with any certificate; a broken one falls back to clear text once', async () => {
  const { delivery, host } = await play(`${OFFER}
    --- tls
    C: EHLO me.test
    S: 250 mx.test
    ${REST}
  `)
  assert.ok(delivery.kind === 'answered' && delivery.tls === 'TLSv1.3 TEST')
  assert.deepEqual(host.tlsAsked, [{ serverName: 'mx.test', verify: false }])

  const broken = new ScriptedHost(`${OFFER}--- tls-fails`)
  const second = new ScriptedHost(`${HELLO}\nS: 250-mx.test\nS: 250 STARTTLS\n${REST}`)
  const clear = await deliver([broken, second])
  assert.equal(summary(clear), 'answered 250 2.0.0')
  assert.ok(clear.kind === 'answered' && clear.tls === undefined)
  assert.deepEqual([broken.problems, second.problems], [[], []])
})

test('where TLS is demanded there is no clear text, whatever the host does', async () => {
  const policy = { tls: 'starttls' } as const
  const { delivery, host } = await play(`${OFFER}--- tls-fails`, { policy })
  assert.equal(summary(delivery), 'no-contact 451 4.7.5')
  assert.ok(delivery.kind === 'no-contact' && delivery.reply.cause === 'bad certificate')
  assert.deepEqual(host.tlsAsked, [{ serverName: 'mx.test', verify: true }])
  assert.equal(await answer(`${PLAIN}C: QUIT`, { policy }), 'no-contact 451 4.7.4')
  assert.equal(
    await answer(`${HELLO}\nS: 250 STARTTLS\nS: 250 x`, { policy }).then((got) => got.split(' ')[0]),
    'no-contact',
  )
})

test('attack 2d, 11c: replies injected behind the answer to STARTTLS are not believed', async () => {
  const host = new ScriptedHost(`${HELLO}
    S: 250-mx.test
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    S: 250-evil.test
    --- tls
  `)
  // The second line is read with the first: both were there before TLS stood.
  const delivery = await deliver([host, new ScriptedHost('--- close')], { policy: { tls: 'starttls' } })
  assert.equal(delivery.kind, 'no-contact')
  assert.ok(!host.written.includes('MAIL'))
})

test('attack 11a: endless replies, garbage, and a host that drips', async () => {
  assert.equal(await answer(`${'S: 220-more\n'.repeat(500)}`), 'no-contact 451 4.5.0')
  assert.equal(await answer('S: SSH-2.0-OpenSSH'), 'no-contact 451 4.5.0')
  assert.equal(await answer(`${HELLO}S: 250-${'x'.repeat(20_000)}`), 'no-contact 451 4.5.0')
  assert.equal(await answer('S: 220-mx.test\n--- silence'), 'no-contact 451 4.4.2')
})

test('the password is never shown where the certificate is not checked, and never in clear text', async () => {
  const auth = { user: 'me', password: 'secret' }
  const offer = `${HELLO}
    S: 250-mx.test
    S: 250-STARTTLS
    S: 250 AUTH PLAIN LOGIN
    C: STARTTLS
    S: 220 go
  `
  const under = `${offer}
    --- tls
    C: EHLO me.test
    S: 250-mx.test
    S: 250 AUTH PLAIN LOGIN
  `
  const shy = await play(`${under}${QUIT}`, { policy: { tls: 'opportunistic', auth } })
  assert.equal(summary(shy.delivery), 'no-contact 451 4.7.0')
  assert.match(shy.delivery.kind === 'no-contact' ? (shy.delivery.reply.cause ?? '') : '', /PLAIN LOGIN/)
  const broken = await play(`${offer}--- tls-fails`, { policy: { tls: 'opportunistic', auth } })
  assert.equal(summary(broken.delivery), 'no-contact 451 4.7.5', 'no second try in clear text')
  const bold = `${under}
    C: AUTH PLAIN AG1lAHNlY3JldA==
    S: 235 2.7.0 welcome
    ${REST}
  `
  assert.equal(await answer(bold, { policy: { tls: 'starttls', auth } }), 'answered 250 2.0.0')
  const wrong = `${under}
    C: AUTH PLAIN *
    S: 535 5.7.8 wrong
    ${QUIT}
  `
  assert.equal(await answer(wrong, { policy: { tls: 'starttls', auth } }), 'no-contact 535 5.7.8')
})

test('a smarthost that says 235 without having proved that it knows the password gets no mail', async () => {
  const { delivery, host } = await play(
    `${HELLO}
    S: 250 AUTH SCRAM-SHA-256
    C: AUTH SCRAM-SHA-256 *
    S: 235 2.7.0 welcome
    ${QUIT}`.replace('S: 250 AUTH', 'S: 250-mx.test\n    S: 250 AUTH'),
    { policy: { tls: 'opportunistic', auth: { user: 'me', password: 'secret' } } },
  )
  assert.equal(delivery.kind, 'no-contact')
  assert.ok(!host.written.includes('MAIL'))
})

const WEAK = `${HELLO}
  S: 250 mx.test
`

test('mail that says 8BITMIME or SMTPUTF8 and is plain goes to a host that has neither', async () => {
  const sender = { bodyType: '8BITMIME', smtputf8: true } as const
  assert.equal(await answer(`${WEAK}${REST}`, { sender }), 'answered 250 2.0.0')
})

test('mail that needs what the host lacks comes back, without a word to the host', async () => {
  const refused = `${WEAK}${QUIT}`
  const eightBit = { body: 'Subject: x\r\n\r\n\xe9\r\n', sender: { bodyType: '8BITMIME' } } as const
  assert.equal(await answer(refused, eightBit), 'answered 554 5.6.3')
  const header = { body: 'Subject: \xc3\xa9\r\n\r\nx\r\n', sender: { smtputf8: true } } as const
  assert.equal(await answer(refused, header), 'answered 550 5.6.7')
  assert.equal(await answer(refused, { to: ['é@mx.test'] }), 'answered 550 5.6.7')
  const small = `${HELLO}\nS: 250-mx.test\nS: 250 SIZE 5\n${QUIT}`
  assert.equal(await answer(small), 'answered 552 5.3.4')
})

test('rfc9422: more recipients than RCPTMAX go in further transactions of the same connection', async () => {
  const one = (to: string): string => `${MAIL}
    C: RCPT TO:<${to}>
    S: 250 ok
    ${CONTENT}
    S: 250 2.0.0 kept ${to}
  `
  const script = `${HELLO}
    S: 250-mx.test
    S: 250 LIMITS RCPTMAX=1
    ${one('b@mx.test')}${one('c@mx.test')}${one('d@mx.test')}${QUIT}
  `
  const { delivery } = await play(script, { to: ['b@mx.test', 'c@mx.test', 'd@mx.test'] })
  assert.ok(delivery.kind === 'answered')
  assert.deepEqual(
    delivery.answers.map(({ reply }) => reply.lines[0]),
    ['kept b@mx.test', 'kept c@mx.test', 'kept d@mx.test'],
  )
})

test('too many recipients: the rest goes on as long as that leads anywhere, and no further', async () => {
  const script = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: RCPT TO:<c@mx.test>
    S: 452 4.5.3 too many
    ${CONTENT}
    S: 250 2.0.0 kept
    ${MAIL}
    C: RCPT TO:<c@mx.test>
    S: 452 4.5.3 too many
    C: RSET
    S: 250 ok
    ${QUIT}
  `
  assert.equal(await answer(script, { to: ['b@mx.test', 'c@mx.test'] }), 'answered 250 2.0.0 452 4.5.3')
  const full = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: RCPT TO:<c@mx.test>
    S: 452 4.2.2 mailbox full
    ${CONTENT}
    S: 250 2.0.0 kept
    ${QUIT}
  `
  assert.equal(await answer(full, { to: ['b@mx.test', 'c@mx.test'] }), 'answered 250 2.0.0 452 4.2.2')
})

test('a second transaction that is lost leaves the first one as it was', async () => {
  const script = `${HELLO}
    S: 250-mx.test
    S: 250 LIMITS RCPTMAX=1
    ${REST.replace(QUIT, '')}
    C: MAIL*
    --- close
  `
  assert.equal(await answer(script, { to: ['b@mx.test', 'c@mx.test'] }), 'answered 250 2.0.0 451 4.4.2')
})

test('100 recipients in a transaction where the host tells no limit', async () => {
  const to = Array.from({ length: 101 }, (_, i) => `u${i}@mx.test`)
  const rcpt = (names: readonly string[]): string =>
    names.map((name) => `C: RCPT TO:<${name}>\nS: 250 ok\n`).join('')
  const script = `${PLAIN}${MAIL}${rcpt(to.slice(0, 100))}${CONTENT}\nS: 250 ok\n${MAIL}${rcpt(to.slice(100))}${CONTENT}\nS: 250 ok\n${QUIT}`
  const { delivery } = await play(script, { to })
  assert.ok(delivery.kind === 'answered' && delivery.answers.every(({ reply }) => reply.code === 250))
})

test('what was asked for by DSN parameters is handed on where the host knows them', async () => {
  const script = `${HELLO}
    S: 250-mx.test
    S: 250 DSN
    C: MAIL FROM:<a@me.test> RET=HDRS ENVID=q+2B1
    S: 250 ok
    C: RCPT TO:<b@mx.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@mx.test
    S: 250 ok
    ${CONTENT}
    S: 250 2.0.0 kept
    ${QUIT}
  `
  const { delivery } = await play(script, {
    sender: { ret: 'HDRS', envid: 'q+1' },
    job: {
      recipients: [
        {
          address: { local: 'b', domain: 'mx.test' },
          notify: ['SUCCESS', 'DELAY'],
          orcpt: 'rfc822;b+c@mx.test',
        },
      ],
    },
  })
  assert.ok(delivery.kind === 'answered' && delivery.dsnOffered)
})

test('a message that can not be read is our own fault: deferred, and no other host is bothered', async () => {
  const script = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: DATA
    S: 354 go
  `
  const { delivery } = await play(script, {
    job: {
      async *body() {
        yield Buffer.from('half')
        throw new Error('EIO')
      },
    },
  })
  assert.equal(summary(delivery), 'answered 451 4.3.0')
  assert.ok(delivery.kind === 'answered' && delivery.answers[0]?.reply.cause === 'EIO')
})

test('a stream that was not read to its end is let go', async () => {
  let open = 0
  const script = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x
    --- reset
  `
  const { delivery } = await play(script, {
    job: {
      async *body() {
        open++
        try {
          for (;;) yield Buffer.from('x\r\n')
        } finally {
          open--
        }
      },
    },
  })
  assert.equal(delivery.kind, 'no-contact')
  assert.equal(open, 0)
})

/** Aborts once `isDue` holds. */
function abortWhen(isDue: () => boolean): AbortSignal {
  const abort = new AbortController()
  let turns = 0
  const look = (): void => {
    if (isDue()) abort.abort()
    else if (turns++ < 10_000) setImmediate(look)
  }
  setImmediate(look)
  return abort.signal
}

test('a stop leaves a host that is silent, and one that has half of the content', async () => {
  const silent = await play('--- silence', { job: { signal: abortWhen(() => true) } })
  assert.equal(silent.delivery.kind, 'no-contact')
  const abort = new AbortController()
  const script = `${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: DATA
    S: 354 go
    C: half
    --- silence
  `
  const { delivery, host } = await play(script, {
    job: {
      signal: abort.signal,
      async *body() {
        yield Buffer.from('half\r\n')
        abort.abort()
        yield Buffer.from('rest\r\n')
      },
    },
  })
  assert.equal(delivery.kind, 'no-contact')
  assert.ok(!host.written.includes('\r\n.\r\n'), 'the content did not come to its end')
})

test('a stop waits for the answer of a host that has the content', async () => {
  const host = new ScriptedHost(`${PLAIN}${MAIL}
    C: RCPT TO:<b@mx.test>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x
    C: .
    --- silence
  `)
  let closedAtStop: boolean | undefined
  const signal = abortWhen(() => host.written.endsWith('\r\n.\r\n'))
  signal.addEventListener('abort', () => setImmediate(() => (closedAtStop = host.closed)))
  const delivery = await deliver([host], { body: 'x\r\n', job: { signal } })
  assert.equal(delivery.kind, 'unknown', 'the clock ran out')
  assert.equal(closedAtStop, false)
})

test('after a stop nobody is called any more', async () => {
  const delivery = await deliver([], { job: { signal: AbortSignal.abort() } })
  assert.equal(delivery.kind, 'no-contact')
})
