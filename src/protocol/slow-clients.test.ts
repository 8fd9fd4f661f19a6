import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapServer } from './imap/server.ts'
import type { ImapAnswer, ImapAsk } from './imap/types.ts'
import type { Machine } from './machine.ts'
import { friendly, MX } from './smtp/server.test-kit.ts'
import { smtpServer } from './smtp/server.ts'

/*
 * A client that sends an octet a minute, at every stage: it is let go within the time that the stage
 * has, and is not held to less than rfc5321 §4.5.3.2 and rfc3501 §5.4 grant.
 */

const MINUTE = 60_000

interface Slow<Ask, Tell, Answer> {
  readonly machine: Machine<Ask, Tell, Answer>
  readonly answer: (ask: Ask) => Answer
  /** At once, before the octets. */
  readonly first: string
  /** Again and again, one a minute. */
  readonly octets: string
}

/** Minutes until the machine closes; the last words that it said. */
function play<Ask, Tell, Answer>({ machine, answer, first, octets }: Slow<Ask, Tell, Answer>) {
  let said = ''
  const run = (nowMs: number): boolean => {
    machine.tick(nowMs)
    for (let step = machine.next(); step.kind !== 'need-input'; step = machine.next()) {
      if (step.kind === 'write') said = Buffer.from(step.bytes).toString('latin1')
      else if (step.kind === 'ask') machine.answer(answer(step.ask))
      else if (step.kind === 'close') return true
    }
    return false
  }
  assert.equal(run(0), false)
  for (const line of first.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    machine.push(Buffer.from(line, 'latin1'))
    assert.equal(run(0), false, said)
  }
  let held = 0
  for (let minutes = 1; minutes < 10_000; minutes++) {
    if (run(minutes * MINUTE)) return { minutes, said, held }
    machine.push(Buffer.from(octets[minutes % octets.length] as string, 'latin1'))
    if (run(minutes * MINUTE)) return { minutes, said, held }
    held = Math.max(held, machine.heldBytes)
  }
  throw new Error('it is never let go')
}

const ENVELOPE = 'EHLO x\r\nMAIL FROM:<a@remote.test>\r\nRCPT TO:<me@example.test>\r\n'
const TO_DATA = `${ENVELOPE}DATA\r\n`

test('attack 10b: SMTP: a command has five minutes, however many octets of it come', () => {
  const slow = play({ machine: smtpServer(MX), answer: friendly, first: 'EHLO x\r\n', octets: 'M' })
  assert.equal(slow.minutes, 5)
  assert.match(slow.said, /^421 4\.4\.2 /)
})

test('attack 10b: SMTP: content has an hour in all', () => {
  const slow = play({ machine: smtpServer(MX), answer: friendly, first: TO_DATA, octets: 'x\r\n' })
  assert.equal(slow.minutes, 60)
  assert.match(slow.said, /^421 4\.4\.2 /)
})

test('attack 10b: SMTP: chunks of BDAT have the same hour, whatever their number', () => {
  const slow = play({
    machine: smtpServer(MX),
    answer: friendly,
    first: `${ENVELOPE}BDAT 1000000\r\n`,
    octets: 'x',
  })
  assert.equal(slow.minutes, 60)
})

function imap(): ImapServer {
  return new ImapServer({ literals: 'LITERAL+', nowMs: 0 })
}

const greet: ImapAnswer = { kind: 'greet', status: 'OK', text: 'ready' }
const done: ImapAnswer = { kind: 'done', status: 'OK', text: 'done' }

function imapAnswer(ask: ImapAsk): ImapAnswer {
  if (ask.kind === 'connect') return greet
  return ask.kind === 'append-start' ? { kind: 'accept' } : done
}

const LOGIN = 'a LOGIN me secret\r\n'

test('attack 10b: IMAP: before login a command, and a literal, have a minute', () => {
  const command = play({ machine: imap(), answer: imapAnswer, first: '', octets: 'a' })
  assert.equal(command.minutes, 1)
  assert.match(command.said, /^\* BYE /)
  const literal = play({ machine: imap(), answer: imapAnswer, first: 'a LOGIN {1000+}\r\n', octets: 'a' })
  assert.equal(literal.minutes, 1)
})

test('attack 10b: IMAP: after login a command has half an hour, a literal five minutes, a message an hour', () => {
  const command = play({ machine: imap(), answer: imapAnswer, first: LOGIN, octets: 'b' })
  assert.equal(command.minutes, 30)
  const literal = play({
    machine: imap(),
    answer: imapAnswer,
    first: `${LOGIN}b CREATE {1000+}\r\n`,
    octets: 'x',
  })
  assert.equal(literal.minutes, 5)
  const message = play({
    machine: imap(),
    answer: imapAnswer,
    first: `${LOGIN}b APPEND INBOX {100000+}\r\n`,
    octets: 'x',
  })
  assert.equal(message.minutes, 60)
  assert.match(message.said, /^\* BYE /)
})

test('attack 10b: SMTP: an answer to a challenge of AUTH has the five minutes of a command', () => {
  const offers = { ...MX.offers, auth: { clear: ['PLAIN'], tls: ['PLAIN'] } }
  const slow = play({
    machine: smtpServer({ ...MX, role: 'submission', offers }),
    answer: (ask) =>
      ask.kind.startsWith('auth') ? { kind: 'challenge', bytes: Buffer.alloc(0) } : friendly(ask),
    first: 'EHLO x\r\nAUTH PLAIN\r\n',
    octets: 'AGFubmE',
  })
  assert.equal(slow.minutes, 5)
  assert.match(slow.said, /^421 4\.4\.2 /)
})

test('attack 10b: IMAP: an answer to a challenge, and a literal that was asked for, have a minute before login', () => {
  const challenge = play({
    machine: imap(),
    answer: (ask) =>
      ask.kind === 'command' ? { kind: 'challenge', octets: Buffer.alloc(0) } : imapAnswer(ask),
    first: 'a AUTHENTICATE PLAIN\r\n',
    octets: 'AGFubmE',
  })
  assert.equal(challenge.minutes, 1)
  assert.match(challenge.said, /^\* BYE /)
  const literal = play({ machine: imap(), answer: imapAnswer, first: 'a LOGIN {1000}\r\n', octets: 'a' })
  assert.equal(literal.minutes, 1)
})

test('attack 10b: IMAP: after login a literal that was asked for has five minutes, DONE half an hour', () => {
  const literal = play({
    machine: imap(),
    answer: imapAnswer,
    first: `${LOGIN}b CREATE {1000}\r\n`,
    octets: 'x',
  })
  assert.equal(literal.minutes, 5)
  const idling = play({
    machine: imap(),
    answer: (ask) => (ask.kind === 'idle-start' ? { kind: 'idle' } : imapAnswer(ask)),
    first: `${LOGIN}b IDLE\r\n`,
    octets: 'D',
  })
  assert.equal(idling.minutes, 30)
})
