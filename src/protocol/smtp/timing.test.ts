import assert from 'node:assert/strict'
import test from 'node:test'
import { reply } from '../../mail/reply.ts'
import { Timer } from '../timer.ts'
import type { ServerLimits } from './limits.ts'
import { SERVER_LIMITS } from './limits.ts'
import { friendly, MX, OFFERS } from './server.test-kit.ts'
import { smtpServer } from './server.ts'
import type { ServerAsk, ServerTell } from './types.ts'

/** A server with a hand on its clock; asks that `hold` names stay open. */
class Rig {
  readonly server
  readonly tells: ServerTell[] = []
  readonly #hold: ServerAsk['kind'] | undefined
  output = ''
  closed = false

  constructor(hold?: ServerAsk['kind'], limits?: Partial<ServerLimits>) {
    this.server = smtpServer({ ...MX, limits })
    this.#hold = hold
    this.pump()
    this.server.tick(0)
  }

  /** As a driver does: the time first, then what came. */
  say(text: string, nowMs = 0): this {
    this.server.tick(nowMs)
    this.server.push(Buffer.from(text))
    return this.pump()
  }

  at(nowMs: number): this {
    this.server.tick(nowMs)
    return this.pump()
  }

  pump(): this {
    for (;;) {
      const step = this.server.next()
      if (step.kind === 'write') this.output += Buffer.from(step.bytes).toString()
      else if (step.kind === 'tell') this.tells.push(step.tell)
      else if (step.kind === 'ask') {
        if (step.ask.kind === this.#hold) return this
        this.server.answer(friendly(step.ask))
      } else {
        this.closed = step.kind === 'close'
        return this
      }
    }
  }
}

const ENVELOPE = 'HELO x\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<b@mx.test>\r\n'
const last = (rig: Rig): string => rig.output.trimEnd().split('\r\n').at(-1) ?? ''

test('a wait begins at the last tick, or at the first one of all', () => {
  const timer = new Timer()
  assert.equal(timer.deadline(), undefined)
  timer.start(100)
  assert.equal(timer.deadline(), 0)
  timer.tick(700)
  assert.equal(timer.deadline(), 800)
  timer.tick(799)
  assert.ok(!timer.expired)
  timer.tick(800)
  assert.ok(timer.expired)
  timer.touch()
  assert.ok(!timer.expired, 'something came in the last moment')
  assert.equal(timer.deadline(), 900)
  timer.stop()
  timer.tick(2000)
  assert.ok(!timer.expired)
})

test('five minutes without a command: 421', () => {
  const rig = new Rig()
  rig.say('EHLO x\r\n', 1000)
  assert.equal(rig.server.deadline(), 1000 + SERVER_LIMITS.commandMs)
  assert.ok(!rig.at(SERVER_LIMITS.commandMs).closed)
  assert.ok(rig.at(1000 + SERVER_LIMITS.commandMs).closed)
  assert.equal(last(rig), '421 4.4.2 mx.test Timeout')
})

test('attack 10b: slow-loris: a command that trickles in does not stretch its time', () => {
  const rig = new Rig()
  rig.say('EHLO x\r\n')
  for (let ms = 0; ms < SERVER_LIMITS.commandMs; ms += 60_000) rig.say('N', ms)
  assert.ok(rig.at(SERVER_LIMITS.commandMs).closed)
})

test('attack 10b: slow-loris: content that trickles in ends with the total time', () => {
  const rig = new Rig(undefined, { dataIdleMs: 1000, dataTotalMs: 10_000 })
  rig.say(`${ENVELOPE}DATA\r\n`)
  for (let ms = 500; ms < 10_000; ms += 500) assert.ok(!rig.say('x', ms).closed, `${ms} ms`)
  assert.ok(rig.at(10_000).closed)
  assert.equal(last(rig), '421 4.4.2 mx.test Timeout')
  const kinds = rig.tells.map((tell) => (tell.kind === 'body-aborted' ? tell.why : tell.kind))
  assert.deepEqual(kinds.slice(-3), ['lost', 'reset', 'closing'])
})

test('content that stops is left after the idle time', () => {
  const rig = new Rig(undefined, { dataIdleMs: 1000 })
  rig.say(`${ENVELOPE}DATA\r\n`)
  assert.ok(rig.at(1000).closed)
})

test('a session that does not answer: 421, and its late answer is dropped', () => {
  const rig = new Rig('message', { askMs: 1000 })
  rig.say(`${ENVELOPE}DATA\r\nx\r\n.\r\n`)
  rig.at(1000)
  assert.equal(last(rig), '421 4.3.0 No answer from ourselves')
  assert.ok(rig.closed)
  rig.server.answer({ kind: 'reply', reply: reply(250, '2.0.0', 'Kept') })
  assert.ok(rig.pump().closed)
})

test('an answer without an ask is our own fault', () => {
  assert.throws(() => new Rig().server.answer({ kind: 'accept' }), /without an open ask/)
})

const BYE = reply(421, '4.3.2', 'mx.test Shutting down')

test('shutdown between commands: 421 at once, pipelined commands are not begun', () => {
  const rig = new Rig().say('EHLO x\r\n')
  rig.server.shutdown(BYE)
  assert.ok(rig.pump().closed)
  assert.equal(last(rig), '421 4.3.2 mx.test Shutting down')
})

test('shutdown in DATA: the message is finished first', () => {
  const rig = new Rig().say(`${ENVELOPE}DATA\r\n`)
  rig.server.shutdown(BYE)
  assert.ok(!rig.pump().closed)
  rig.say('x\r\n.\r\nMAIL FROM:<a@client.test>\r\n')
  assert.ok(rig.closed)
  assert.match(rig.output, /250 2\.0\.0 Kept\r\n421 4\.3\.2 mx\.test Shutting down\r\n$/)
})

test('shutdown within an AUTH exchange does not wait for its end', () => {
  const auth = { clear: ['PLAIN'], tls: [] }
  const server = smtpServer({ ...MX, offers: { ...OFFERS, auth } })
  const said: string[] = []
  const pump = (): void => {
    for (
      let step = server.next();
      step.kind !== 'need-input' && step.kind !== 'close';
      step = server.next()
    ) {
      if (step.kind === 'write') said.push(Buffer.from(step.bytes).toString())
      else if (step.kind === 'tell') said.push(step.tell.kind)
      else if (step.kind === 'ask')
        server.answer(
          step.ask.kind === 'auth' ? { kind: 'challenge', bytes: Buffer.alloc(0) } : { kind: 'accept' },
        )
    }
  }
  pump()
  server.push(Buffer.from('HELO x\r\nAUTH PLAIN\r\n'))
  pump()
  server.shutdown(BYE)
  pump()
  assert.deepEqual(said.slice(-3), ['auth-aborted', 'closing', '421 4.3.2 mx.test Shutting down\r\n'])
})

test('shutdown between chunks: the message is finished first', () => {
  const rig = new Rig().say(`${ENVELOPE}BDAT 1\r\nx`)
  rig.server.shutdown(BYE)
  assert.ok(!rig.pump().closed)
  rig.say('BDAT 2 LAST\r\n\r\n')
  assert.match(rig.output, /250 2\.0\.0 Kept\r\n421 4\.3\.2 mx\.test Shutting down\r\n$/)
})

test('a peer that leaves: what it said whole is still done, half a message is told as lost', () => {
  const rig = new Rig().say(`${ENVELOPE}DATA\r\nx\r\n.\r\nMAIL FROM:<a@cli`)
  rig.server.end()
  assert.ok(rig.pump().closed)
  assert.match(rig.output, /250 2\.0\.0 Kept\r\n$/)
  const half = new Rig().say(`${ENVELOPE}DATA\r\nx\r\n`)
  half.server.end()
  assert.ok(half.pump().closed)
  assert.ok(half.tells.some((tell) => tell.kind === 'body-aborted' && tell.why === 'lost'))
})
