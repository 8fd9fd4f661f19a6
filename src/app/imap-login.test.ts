import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { ClientExchange } from '../protocol/sasl/client.ts'
import { findMechanism } from '../protocol/sasl/mechanisms.ts'
import { type Account, startHouse } from './house.test-kit.ts'
import type { Wire, WireTo } from './wire.test-kit.ts'

const house = await startHouse({ auth: { scram_sha_1: true } })
after(() => house.stop())

const BEFORE = 'IMAP4rev1 SASL-IR LITERAL+ ID ENABLE'
const plain = (account: Account, password = account.password): string =>
  Buffer.from(`\0${account.login}\0${password}`).toString('base64')

test('rfc3501 §7.2.1: capabilities in clear text, under TLS and after login', async () => {
  const me = await house.account()
  await house.play(
    'imap',
    `
    S: * OK [CAPABILITY ${BEFORE} STARTTLS LOGINDISABLED] <*>
    C: a1 CAPABILITY
    S: * CAPABILITY ${BEFORE} STARTTLS LOGINDISABLED
    S: a1 OK <*>
    C: a2 STARTTLS
    S: a2 OK <*>
    --- tls
    C: a3 CAPABILITY
    S: * CAPABILITY ${BEFORE} AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-1 AUTH=PLAIN AUTH=LOGIN
    S: a3 OK <*>
    C: a4 STARTTLS
    S: a4 BAD <*>
    C: a5 LOGIN ${me.login} ${me.password}
    S: a5 OK [CAPABILITY ${BEFORE} NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE IDLE SPECIAL-USE STATUS=SIZE LIST-EXTENDED LIST-STATUS APPENDLIMIT=52428800] <*>
    C: a6 STARTTLS
    S: a6 BAD <*>
    C: a7 LOGIN ${me.login} ${me.password}
    S: a7 BAD <*>
    C: a8 CAPABILITY
    S: * CAPABILITY <*>APPENDLIMIT=52428800
    S: a8 OK <*>
    C: a9 LOGOUT
    S: * BYE <*>
    S: a9 OK <*>
    --- close
  `,
  )
})

test('rfc3501 §6.2.3: no password is taken before TLS, right or wrong, by whatever command', async () => {
  const me = await house.account()
  const before = house.logged('auth.ok').length
  await house.play(
    'imap',
    `
    S: * OK <*>
    C: a1 LOGIN ${me.login} ${me.password}
    S: a1 NO [PRIVACYREQUIRED] <*>
    C: a2 LOGIN ${me.login} wrong
    S: a2 NO [PRIVACYREQUIRED] <*>
    C: a3 AUTHENTICATE PLAIN ${plain(me)}
    S: a3 NO [PRIVACYREQUIRED] <*>
    C: a4 AUTHENTICATE LOGIN
    S: a4 NO [PRIVACYREQUIRED] <*>
    C: a5 AUTHENTICATE SCRAM-SHA-256
    S: a5 NO [PRIVACYREQUIRED] <*>
    C: a6 SELECT INBOX
    S: a6 BAD <*>
  `,
  )
  assert.equal(house.logged('auth.ok').length, before)
  assert.ok(!JSON.stringify(house.events).includes(me.password), 'no password is in the log')
})

test('attack 2b: what came behind STARTTLS in clear text is dropped and told as an attack', async () => {
  await house.play(
    'imap',
    String.raw`
    S: * OK <*>
    C- a1 STARTTLS\r\na2 NOOP\r\n
    S: a1 OK <*>
    --- tls
    C: a3 NOOP
    S: a3 OK <*>
  `,
  )
  assert.deepEqual(
    house.logged('attack').map(({ fields }) => fields.what),
    ['plaintext-behind-starttls'],
  )
})

test('AUTHENTICATE PLAIN and LOGIN: initial response, challenges, * and what is no base64', async () => {
  const me = await house.account()
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  await house.play(
    'imaps',
    `
    S: * OK <*>
    C: a1 AUTHENTICATE PLAIN
    S: + <SP>
    C: *
    S: a1 BAD <*>
    C: a2 AUTHENTICATE PLAIN
    S: + <SP>
    C: not base64
    S: a2 BAD <*>
    C: a3 AUTHENTICATE PLAIN ${plain(me, 'wrong')}
    S: a3 NO [AUTHENTICATIONFAILED] User name or password is wrong
    C: a4 AUTHENTICATE PLAIN ${plain({ ...me, login: 'nobody@example.test' })}
    S: a4 NO [AUTHENTICATIONFAILED] User name or password is wrong
    C: a5 AUTHENTICATE CRAM-MD5
    S: a5 NO This mechanism is not on offer
    C: a6 AUTHENTICATE LOGIN
    S: + VXNlcm5hbWU6
    C: ${base64(me.login)}
    S: + UGFzc3dvcmQ6
    C: *
    S: a6 BAD <*>
    C: a7 AUTHENTICATE LOGIN
    S: + <*>
    C: ${base64(me.login.toUpperCase())}
    S: + <*>
    C: ${base64(me.password)}
    S: a7 OK [CAPABILITY <*>] <*>
    C: a8 AUTHENTICATE PLAIN
    S: a8 BAD <*>
  `.replaceAll('+ <SP>', '+<SP>'),
  )
})

test('LOGIN takes literals, and answers unknown users like wrong passwords', async () => {
  const me = await house.account()
  await house.play(
    'imaps',
    String.raw`
    S: * OK <*>
    C: a1 LOGIN nobody@example.test x
    S: a1 NO [AUTHENTICATIONFAILED] User name or password is wrong
    C: a2 LOGIN ${me.login} x
    S: a2 NO [AUTHENTICATIONFAILED] User name or password is wrong
    C: a3 LOGIN "not an address" ""
    S: a3 NO [AUTHENTICATIONFAILED] User name or password is wrong
    C: a4 LOGIN {${me.login.length}}
    S: + <*>
    C- ${me.login} {${me.password.length}+}\r\n${me.password}\r\n
    S: a4 OK <*>
  `,
  )
  await house.play(
    'imaps',
    `
    S: * OK <*>
    C: a1 LOGIN {${me.login.length}}
    S: + <*>
    C: ${me.login} {${me.password.length}}
    S: + <*>
    C: ${me.password}
    S: a1 OK <*>
  `,
  )
})

/** One AUTHENTICATE with our own client core. @returns the tagged answer. */
async function authenticate(
  wire: Wire,
  how: {
    readonly mechanism: string
    readonly account: Account
    readonly binding?: 'exporter' | 'end-point' | 'wrong'
  },
): Promise<string> {
  const mechanism = findMechanism(how.mechanism)
  assert.ok(mechanism)
  const socket = wire.socket as TLSSocket
  const octets = {
    exporter: () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    // rfc5929 §4.1: the hash of the certificate's own signature, SHA-256 for ours.
    'end-point': () => createHash('sha256').update(socket.getPeerCertificate().raw).digest(),
    wrong: () => Buffer.alloc(32, 1),
  }
  const type = how.binding === 'end-point' ? 'tls-server-end-point' : 'tls-exporter'
  const client = new ClientExchange({
    mechanism,
    login: how.account.login,
    password: how.account.password,
    binding: how.binding === undefined ? undefined : { type, octets: octets[how.binding]() },
    random: randomBytes(18),
  })
  const initial = client.start()
  assert.ok(initial)
  wire.send(`t AUTHENTICATE ${how.mechanism} ${Buffer.from(initial).toString('base64')}\r\n`)
  for (;;) {
    const line = await wire.line()
    if (!line.startsWith('+')) return line
    const step = client.respond(Buffer.from(line.slice(2), 'base64'))
    if (step.kind === 'failed') return `client: ${JSON.stringify(step)}`
    wire.send(`${Buffer.from(step.bytes).toString('base64')}\r\n`)
  }
}

test('SCRAM with and without channel binding, by our own client core', async () => {
  const me = await house.account()
  const go = async (mechanism: string, more: object = {}, account = me): Promise<string> => {
    const wire = await house.open('imaps')
    await wire.line()
    const answer = await authenticate(wire, { mechanism, account, ...more })
    wire.socket.destroy()
    return answer
  }
  for (const hash of ['SHA-256', 'SHA-1']) {
    assert.match(await go(`SCRAM-${hash}-PLUS`, { binding: 'exporter' }), /^t OK \[CAPABILITY /)
    assert.match(await go(`SCRAM-${hash}-PLUS`, { binding: 'end-point' }), /^t OK \[CAPABILITY /)
    assert.match(await go(`SCRAM-${hash}`), /^t OK \[CAPABILITY /)
  }
  assert.match(await go('SCRAM-SHA-256', {}, { ...me, password: 'wrong' }), /^t NO \[AUTHENTICATIONFAILED\]/)
  assert.match(
    await go('SCRAM-SHA-256', {}, { login: 'nobody@example.test', password: 'x' }),
    /^t NO \[AUTHENTICATIONFAILED\]/,
  )
  assert.match(await go('SCRAM-SHA-256-PLUS', { binding: 'wrong' }), /^t NO \[AUTHENTICATIONFAILED\]/)
  const attack = house.logged('attack').at(-1)
  assert.equal(attack?.fields.what, 'channel-binding')
})

test('SCRAM-SHA-256-PLUS works after STARTTLS too', async () => {
  const me = await house.account()
  const wire = await house.open('imap')
  await wire.line()
  wire.send('a STARTTLS\r\n')
  await wire.line()
  await wire.startTls()
  assert.match(
    await authenticate(wire, { mechanism: 'SCRAM-SHA-256-PLUS', account: me, binding: 'exporter' }),
    /^t OK/,
  )
  wire.socket.destroy()
})

test('rfc3501 §3: commands in the wrong state are BAD and change nothing', async () => {
  const me = await house.account()
  await house.play(
    'imaps',
    `
    S: * OK <*>
    C: a1 SELECT INBOX
    S: a1 BAD <*>
    C: a2 FETCH 1 FLAGS
    S: a2 BAD <*>
    C: a3 NOSUCH
    S: a3 BAD <*>
    C: a4 LOGIN ${me.login} ${me.password}
    S: a4 OK <*>
    C: a5 FETCH 1 FLAGS
    S: a5 BAD <*>
    C: a6 CLOSE
    S: a6 BAD <*>
    C: a7 EXPUNGE
    S: a7 BAD <*>
    C: a8 NOOP
    S: a8 OK <*>
    C: a9 CHECK
    S: a9 BAD <*>
    C: b1 SELECT INBOX
    S> b1 OK <*>
    C: b2 CHECK
    S: b2 OK <*>
  `,
  )
})

test('ID, NAMESPACE and ENABLE', async () => {
  const me = await house.account()
  await house.imap(
    me,
    `
    C: a1 ID ("name" "test" "version" NIL)
    S: * ID ("name" "Hikyaku")
    S: a1 OK <*>
    C: a2 ID NIL
    S: * ID ("name" "Hikyaku")
    S: a2 OK <*>
    C: a3 NAMESPACE
    S: * NAMESPACE (("" "/")) NIL NIL
    S: a3 OK <*>
    C: a4 ENABLE CONDSTORE X-NO
    S: * ENABLED
    S: a4 OK <*>
  `,
  )
})

test('plain text on loopback, where a setting says so, and from loopback alone', async (t) => {
  const open = await startHouse({ auth: { plain_text_on_loopback: true } })
  t.after(() => open.stop())
  const me = await open.account()
  const dialogue = (to: WireTo, text: string) => open.play(to, text)
  await dialogue(
    'imap',
    `
    S: * OK [CAPABILITY ${BEFORE} STARTTLS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN] <*>
    C: a1 LOGIN ${me.login} ${me.password}
    S: a1 OK <*>
  `,
  )
  await dialogue(
    { port: 'imap', proxied: '192.0.2.4' },
    `
    S: * OK [CAPABILITY ${BEFORE} STARTTLS LOGINDISABLED] <*>
    C: a1 LOGIN ${me.login} ${me.password}
    S: a1 NO [PRIVACYREQUIRED] <*>
  `,
  )
})

test('a server that stops says BYE to everybody: before login, in a command, in IDLE', async (t) => {
  const house = await startHouse()
  t.after(() => house.stop())
  const me = await house.account()
  const [before, idle, quiet] = await Promise.all([
    house.open('imap'),
    house.open('imaps'),
    house.open('imaps'),
  ])
  await before.line()
  for (const wire of [idle, quiet]) {
    await wire.line()
    wire.send(`a LOGIN ${me.login} ${me.password}\r\n`)
    await wire.line()
  }
  idle.send('b SELECT INBOX\r\n')
  while (!(await idle.line()).startsWith('b OK'));
  idle.send('c IDLE\r\n')
  assert.match(await idle.line(), /^\+ /)
  const stopped = house.stop()
  for (const wire of [before, idle, quiet]) {
    assert.match(await wire.line(), /^\* BYE The server is stopping/)
    await wire.ended()
    wire.socket.destroy()
  }
  await stopped
})
