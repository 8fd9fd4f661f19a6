import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { reply } from '../../mail/reply.ts'
import type { Machine, Step } from '../machine.ts'
import type { Message } from './client.test-kit.ts'
import { outcomes, PLAIN, sender } from './client.test-kit.ts'
import { smtpClient } from './client.ts'
import type { ClientAnswer, ClientAsk, ClientOptions, ClientTell } from './client-types.ts'
import { bodyOf, TLS_FACTS } from './dialogue.test-kit.ts'
import { friendly, LMTP, MX, OFFERS } from './server.test-kit.ts'
import { smtpServer } from './server.ts'
import type { ServerAnswer, ServerAsk, ServerOptions, ServerTell } from './types.ts'

/* Our client against our server, in memory. */

interface End<Ask, Tell, Answer> {
  readonly machine: Machine<Ask, Tell, Answer>
  readonly answer: (ask: Ask) => Answer
  readonly tells: Tell[]
  wantsTls: boolean
  closed: boolean
}

interface Talk {
  readonly server: End<ServerAsk, ServerTell, ServerAnswer>
  readonly client: End<ClientAsk, ClientTell, ClientAnswer>
}

interface Setting {
  readonly server?: ServerOptions
  readonly client?: Partial<ClientOptions>
  readonly answerServer?: (ask: ServerAsk) => ServerAnswer
  readonly answerClient: (ask: ClientAsk) => ClientAnswer
  /** Everything that is said arrives in pieces of so many octets. */
  readonly pieceBytes?: number
}

function talk(setting: Setting): Talk {
  const { server: options = MX, client, answerServer = friendly, answerClient, pieceBytes = 65_536 } = setting
  const server = end(smtpServer(options), answerServer)
  const clientEnd = end(smtpClient({ ...PLAIN, ...client }), answerClient)
  for (let round = 0; round < 100_000; round++) {
    const said = [run(server, clientEnd, pieceBytes), run(clientEnd, server, pieceBytes)]
    if (server.wantsTls && clientEnd.wantsTls)
      for (const side of [server, clientEnd]) {
        side.machine.tlsStarted(TLS_FACTS)
        side.wantsTls = false
      }
    else if (said.every((moved) => !moved)) break
  }
  return { server, client: clientEnd }
}

function end<Ask, Tell, Answer>(
  machine: Machine<Ask, Tell, Answer>,
  answer: (ask: Ask) => Answer,
): End<Ask, Tell, Answer> {
  return { machine, answer, tells: [], wantsTls: false, closed: false }
}

/** Runs one side until it waits; true where it did anything. */
function run<A, T, N, A2, T2, N2>(me: End<A, T, N>, other: End<A2, T2, N2>, pieceBytes: number): boolean {
  if (me.wantsTls || me.closed) return false
  for (let moved = false; ; moved = true) {
    const step: Step<A, T> = me.machine.next()
    if (step.kind === 'need-input') return moved
    if (step.kind === 'write')
      for (let at = 0; at < step.bytes.length; at += pieceBytes)
        other.machine.push(step.bytes.subarray(at, at + pieceBytes))
    else if (step.kind === 'tell') me.tells.push(step.tell)
    else if (step.kind === 'ask') me.machine.answer(me.answer(step.ask))
    else if (step.kind === 'start-tls') {
      me.wantsTls = true
      return true
    } else {
      me.closed = true
      other.machine.end()
      return true
    }
  }
}

function bodies({ tells }: Talk['server']): string {
  return bodyOf(tells)
}

test('STARTTLS, AUTH and a message, cut at every octet', () => {
  const offers = { ...OFFERS, auth: { clear: [], tls: ['PLAIN'] } }
  for (const pieceBytes of [1, 7, 65_536]) {
    const send = sender([{ to: ['b@mx.test'], body: '.x\r\n' }])
    const { server, client } = talk({
      pieceBytes,
      server: { ...MX, offers, requireTls: true, requireAuth: true },
      client: { starttls: 'must', auth: 'must' },
      answerServer: (ask) =>
        ask.kind === 'auth' ? { kind: 'reply', reply: reply(235, '2.7.0', 'Welcome') } : friendly(ask),
      answerClient: (ask) =>
        ask.kind === 'auth'
          ? { kind: 'sasl', mechanism: 'PLAIN', initial: Buffer.from('\0u\0p') }
          : send(ask),
    })
    assert.deepEqual(outcomes(client.tells), [['end-of-data peer 250 2.0.0']])
    assert.equal(bodies(server), '.x\r\n')
    assert.deepEqual(
      client.tells.map((tell) => tell.kind),
      ['greeting', 'peer', 'tls', 'peer', 'authenticated', 'result', 'closing'],
    )
    assert.ok(server.closed && client.closed)
  }
})

test('LMTP by BDAT: one outcome for each recipient', () => {
  const replies = [reply(250, '2.1.5', 'Kept'), reply(452, '4.2.2', 'Mailbox full')]
  const { server, client } = talk({
    server: LMTP,
    client: { protocol: 'lmtp', chunking: true, limits: { chunkBytes: 3 } },
    answerServer: (ask) => (ask.kind === 'message' ? { kind: 'replies', replies } : friendly(ask)),
    answerClient: sender(
      [{ to: ['b@mx.test', 'nobody@mx.test', 'c@mx.test'], body: 'one\r\n.\r\ntwo\r\n' }],
      4,
    ),
  })
  assert.deepEqual(outcomes(client.tells), [
    ['end-of-data peer 250 2.1.5', 'rcpt peer 550 5.1.1', 'end-of-data peer 452 4.2.2'],
  ])
  assert.equal(bodies(server), 'one\r\n.\r\ntwo\r\n')
})

test('a thousand recipients in groups', () => {
  const to = Array.from({ length: 1000 }, (_, i) => `r${i}@mx.test`)
  const { client } = talk({ answerClient: sender([{ to }]) })
  const [first] = outcomes(client.tells)
  assert.equal(first?.filter((word) => word === 'end-of-data peer 250 2.0.0').length, 1000)
})

test('property: what the client sends is what the server is told, however it is cut', () => {
  const body = fc
    .array(fc.constantFrom('\r\n', '.', 'x', '..', '\0'), { maxLength: 20 })
    .map((pieces) => `${pieces.join('')}\r\n`)
  const messages = fc.array(
    fc.record({
      body,
      to: fc.constantFrom(['b@mx.test'], ['nobody@mx.test'], ['b@mx.test', 'nobody@mx.test']),
    }),
    { minLength: 1, maxLength: 4 },
  )
  const flags = fc.record({ pipelining: fc.boolean(), chunking: fc.boolean() })
  fc.assert(
    fc.property(messages, flags, fc.integer({ min: 1, max: 20 }), (sent: Message[], client, pieceBytes) => {
      const ends = talk({ client, pieceBytes, answerClient: sender(sent, pieceBytes) })
      const taken = sent.filter(({ to }) => to.includes('b@mx.test'))
      assert.equal(bodies(ends.server), taken.map((message) => message.body).join(''))
      assert.deepEqual(
        outcomes(ends.client.tells),
        sent.map(({ to }) =>
          to.map((text) => (text.startsWith('b') ? 'end-of-data peer 250 2.0.0' : 'rcpt peer 550 5.1.1')),
        ),
      )
      assert.deepEqual(
        ends.server.tells.filter(({ kind }) => kind === 'attack'),
        [],
      )
    }),
  )
})
