import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IMAP_LIMITS } from './limits.ts'
import { ImapServer } from './server.ts'
import { Stage } from './stage.test-kit.ts'

const LOGIN_SELECT = 'x LOGIN alice secret\r\ny SELECT INBOX\r\n'

/** A stage whose session leaves the next command open. */
function openCommand(line: string): Stage {
  const stage = new Stage({})
  stage.push(LOGIN_SELECT)
  stage.output = ''
  stage.server.push(Buffer.from(line))
  const step = stage.server.next()
  assert.equal(step.kind, 'ask')
  return stage
}

test('EXPUNGE goes out in no FETCH, STORE or SEARCH by number, and not between commands (rfc3501 §7.4.1)', () => {
  const expunge = { kind: 'expunge', sequence: 1 } as const
  for (const line of ['a FETCH 1 FLAGS', 'a STORE 1 FLAGS ()', 'a SEARCH ALL']) {
    const { server } = openCommand(`${line}\r\n`)
    assert.equal(server.mayExpunge, false, line)
    assert.throws(() => server.send(expunge), /EXPUNGE/, line)
    assert.throws(() => server.post(expunge), /EXPUNGE/, line)
  }
  for (const line of [
    'a NOOP',
    'a UID FETCH 1 FLAGS',
    'a UID SEARCH ALL',
    'a UID STORE 1 FLAGS ()',
    'a COPY 1 Sent',
  ]) {
    const stage = openCommand(`${line}\r\n`)
    stage.server.send(expunge)
    stage.run()
    assert.equal(stage.output, '* 1 EXPUNGE\r\n', line)
  }
  const stage = new Stage({})
  stage.push(LOGIN_SELECT)
  assert.throws(() => stage.server.post(expunge), /EXPUNGE/)
})

test('send needs an open ask, post does not', () => {
  const stage = new Stage({})
  stage.push(LOGIN_SELECT)
  assert.throws(() => stage.server.send({ kind: 'exists', count: 1 }), /open ask/)
  stage.output = ''
  stage.server.post({ kind: 'exists', count: 1 })
  stage.run()
  assert.equal(stage.output, '* 1 EXISTS\r\n')
})

test('an answer without an ask is our fault', () => {
  const stage = new Stage({})
  assert.throws(() => stage.server.answer({ kind: 'done', status: 'OK', text: 'x' }), /open ask/)
})

test('a FETCH in pieces: what is written is what was announced', () => {
  const stage = openCommand('a FETCH 1 (UID BODY[] BODY[TEXT])\r\n')
  const { server } = stage
  const item = { kind: 'section', name: 'BODY', section: { part: [] }, peek: false } as const
  server.fetchStart(1, [{ kind: 'uid', uid: 9 }])
  server.fetchLiteral(item, 5)
  server.fetchChunk(Buffer.from('ab'))
  stage.run()
  assert.equal(stage.output, '* 1 FETCH (UID 9 BODY[] {5}\r\nab')
  assert.throws(() => server.post({ kind: 'exists', count: 1 }), /within a FETCH/)
  assert.throws(() => server.fetchEnd(), /not complete/)
  assert.throws(() => server.fetchChunk(Buffer.from('cdef')), /more octets/)
  server.fetchChunk(Buffer.from('cde'))
  server.fetchItems([
    { kind: 'section', item: { ...item, section: { part: [], text: { kind: 'text' } } }, octets: null },
  ])
  assert.throws(() => server.answer({ kind: 'done', status: 'OK', text: 'x' }), /within a FETCH/)
  server.fetchEnd()
  server.answer({ kind: 'done', status: 'OK', text: 'done' })
  stage.run()
  assert.equal(stage.output, '* 1 FETCH (UID 9 BODY[] {5}\r\nabcde BODY[TEXT] NIL)\r\na OK done\r\n')
})

test('abort closes with nothing more said', () => {
  const stage = openCommand('a FETCH 1 BODY[]\r\n')
  const { server } = stage
  server.fetchStart(1, [])
  server.fetchLiteral({ kind: 'section', name: 'BODY', section: { part: [] }, peek: false }, 5)
  server.abort()
  stage.run()
  assert.equal(stage.output, '')
  assert.ok(stage.closed)
  server.fetchChunk(Buffer.from('late'))
  server.answer({ kind: 'done', status: 'OK', text: 'late' })
  server.post({ kind: 'exists', count: 1 })
  stage.run()
  assert.equal(stage.output, '')
})

test('pending octets are seen until the driver takes them, and gather only so far', () => {
  const { server } = openCommand('a NOOP\r\nb NOOP\r\n')
  assert.equal(server.pendingWriteBytes, 0)
  server.send({ kind: 'exists', count: 1 })
  assert.equal(server.pendingWriteBytes, 12)
  const step = server.next()
  assert.equal(step.kind, 'write')
  assert.equal(server.pendingWriteBytes, 0)
  const row = { kind: 'search', numbers: Array(70_000).fill(1) } as const
  server.send(row)
  server.answer({ kind: 'done', status: 'OK', text: 'x' })
  assert.equal(server.next().kind, 'write')
  assert.equal(server.next().kind, 'ask')
})

test('shutdown waits for the command that runs, and lets no other begin', () => {
  const stage = openCommand('a NOOP\r\nb NOOP\r\n')
  stage.server.shutdown({ code: 'UNAVAILABLE', text: 'going down' })
  stage.run()
  assert.equal(stage.output, '')
  stage.server.answer({ kind: 'done', status: 'OK', text: 'x' })
  stage.run()
  assert.equal(stage.output, 'a OK x\r\n* BYE [UNAVAILABLE] going down\r\n')
  assert.ok(stage.closed)
})

test('a greeting can turn the client away, or log it in', () => {
  const away = new Stage({
    session: (s) => {
      s.ask = () => ({ kind: 'greet', status: 'BYE', text: 'not you' })
    },
  })
  assert.equal(away.output, '* BYE not you\r\n')
  assert.ok(away.closed)
  const known = new Stage({
    session: (s) => {
      s.ask = () => ({ kind: 'greet', status: 'PREAUTH', text: 'hello' })
    },
  })
  assert.equal(known.output, '* PREAUTH hello\r\n')
  assert.equal(known.server.state, 'authenticated')
})

/** A core as far as the handshake of STARTTLS, and what it says and asks from then on. */
function atHandshake() {
  const server = new ImapServer({ literals: 'LITERAL+', nowMs: 0 })
  const kinds = (): string[] => {
    const seen: string[] = []
    for (let step = server.next(); step.kind !== 'need-input'; step = server.next()) {
      seen.push(step.kind)
      if (step.kind === 'ask' && step.ask.kind === 'connect')
        server.answer({ kind: 'greet', status: 'OK', text: 'x' })
      else if (step.kind === 'ask') server.answer({ kind: 'done', status: 'OK', text: 'x' })
      if (step.kind === 'close' || step.kind === 'start-tls') break
    }
    return seen
  }
  server.push(Buffer.from('a STARTTLS\r\n'))
  assert.deepEqual(kinds(), ['ask', 'ask', 'write', 'start-tls'])
  return { server, kinds }
}

test('everything said before the handshake is written first, and nothing is said within it', () => {
  const { server, kinds } = atHandshake()
  server.shutdown({ text: 'going down' })
  assert.deepEqual(kinds(), [])
  server.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
  assert.deepEqual(kinds(), ['tell', 'write', 'close'])
})

test('a handshake that does not come closes without a word', () => {
  const { server, kinds } = atHandshake()
  server.tick(59_999)
  assert.deepEqual(kinds(), [])
  server.tick(60_000)
  assert.deepEqual(kinds(), ['close'])
})

test('a message that stalls is thrown away', () => {
  const stage = new Stage({})
  stage.push('x LOGIN alice secret\r\na APPEND Sent {5}\r\nab')
  stage.event(`tick ${IMAP_LIMITS.stallTimeoutMs - 1}`)
  stage.push('c')
  stage.event(`tick ${IMAP_LIMITS.stallTimeoutMs}`)
  assert.ok(!stage.closed)
  stage.event(`tick ${IMAP_LIMITS.stallTimeoutMs * 2}`)
  assert.ok(stage.closed)
  assert.deepEqual(
    stage.session.tells.map((tell) => tell.kind),
    ['append-abort', 'bye'],
  )
})
