import assert from 'node:assert/strict'
import { connect as netConnect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { makeTestCa } from './certificates.testing.ts'
import type { CloseReason } from './peer.ts'
import { serve } from './serve.ts'
import type { SessionConnection } from './session-handler.ts'
import { LOOPBACK, listenAt, TestClient, ToyMachine, testEnv } from './testing.ts'
import { ServerTls, type TlsMaterial } from './tls.ts'
import { exporterBinding } from './tls-accept.ts'
import { proveTls } from './tls-proof.ts'

const ca = makeTestCa()
const material = ca.issue(['mail.example.test', '127.0.0.1'])

function load(...materials: readonly [TlsMaterial, ...TlsMaterial[]]): ServerTls {
  const loaded = ServerTls.load(materials)
  assert.ok(loaded.ok)
  return loaded.tls
}

async function setUp(t: TestContext, tls: ServerTls, implicitTls: boolean) {
  const env = testEnv()
  const listener = await listenAt(t, LOOPBACK)
  const sessions: { machine: ToyMachine; connection: SessionConnection | undefined; over: CloseReason[] }[] =
    []
  serve(
    listener,
    {
      protocol: 'toy',
      implicitTls,
      door: 'mx',
      tls: () => tls,
      proxyFrom: [],
      tooMany: Buffer.from('too many\r\n'),
      session() {
        const session = {
          machine: new ToyMachine(),
          connection: undefined as SessionConnection | undefined,
          over: [] as CloseReason[],
        }
        sessions.push(session)
        return {
          machine: session.machine,
          handler: {
            attached(connection) {
              session.connection = connection
            },
            ask: ({ line }) => line,
            tell: () => undefined,
            closed: (reason) => void session.over.push(reason),
          },
        }
      },
    },
    env,
  )
  return { ...env, port: listener.port, sessions }
}

async function secured(t: TestContext, options: ConnectionOptions): Promise<TestClient> {
  const socket = connect({ ca: ca.pem, servername: 'mail.example.test', host: '127.0.0.1', ...options })
  t.after(() => socket.destroy())
  const client = new TestClient(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  return client
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('implicit TLS: greeting inside, facts with both bindings as the client computes them', async (t) => {
  const { port, sessions, caps } = await setUp(t, load(material), true)
  const client = await secured(t, { port })
  await client.reads('hello')
  const facts = sessions[0]?.connection?.tls
  assert.equal(facts?.version, 'TLSv1.3')
  assert.match(facts?.cipher ?? '', /^TLS_/)
  assert.equal(facts?.serverName, 'mail.example.test')
  assert.deepEqual(Buffer.from(facts?.exporter ?? []), exporterBinding(client.socket as TLSSocket))
  assert.deepEqual(facts?.serverEndPoint, material.endPointHash)
  client.socket.write('quit\r\n')
  await client.until((c) => c.ended)
  client.socket.end()
  await until(() => caps.total === 0)
  assert.equal(sessions[0]?.over[0]?.kind, 'finished')
})

test('TLS 1.2 has no exporter binding; TLS 1.1 and CBC are refused', async (t) => {
  const { port, sessions, log } = await setUp(t, load(material), true)
  const client = await secured(t, { port, maxVersion: 'TLSv1.2' })
  await client.reads('hello')
  assert.equal(sessions[0]?.connection?.tls?.version, 'TLSv1.2')
  assert.equal(sessions[0]?.connection?.tls?.exporter, undefined)
  const old: ConnectionOptions = {
    port,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  }
  await assert.rejects(secured(t, old))
  await assert.rejects(secured(t, { port, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }))
  await until(() => log.events.length === 2)
  assert.deepEqual(
    log.events.map((event) => event.name),
    ['tls.failed', 'tls.failed'],
  )
})

test('STARTTLS: plain, then the same connection secured', async (t) => {
  const { port, sessions, caps } = await setUp(t, load(material), false)
  const plain = TestClient.to(t, port)
  plain.socket.write('a\r\ntls\r\n')
  await plain.reads('go\r\n')
  plain.socket.removeAllListeners('data')
  const client = await secured(t, { socket: plain.socket })
  client.socket.write('b\r\nask c\r\nquit\r\n')
  await client.until((c) => c.ended)
  assert.equal(client.text, 'you said b\r\nc\r\nbye\r\n')
  assert.deepEqual(sessions[0]?.machine.facts?.serverEndPoint, material.endPointHash)
  client.socket.end()
  await until(() => caps.total === 0)
})

test('attack 2a: STARTTLS injection: plain text sent ahead of the handshake is no command afterwards', async (t) => {
  const { port, sessions } = await setUp(t, load(material), false)
  const plain = TestClient.to(t, port)
  plain.socket.write('tls\r\nask injected\r\n')
  await plain.reads('go\r\n')
  plain.socket.removeAllListeners('data')
  const client = await secured(t, { socket: plain.socket })
  client.socket.write('b\r\n')
  await client.reads('you said b')
  assert.equal(client.text, 'you said b\r\n')
  assert.equal(sessions.length, 1)
})

test('attack 33a: STARTTLS followed by garbage: the session is told, nothing leaks', async (t) => {
  const { port, sessions, caps } = await setUp(t, load(material), false)
  const client = TestClient.to(t, port)
  client.socket.write('tls\r\n')
  await client.reads('go\r\n')
  client.socket.write('NOOP\r\nthis is no handshake\r\n')
  await client.until((c) => c.ended || c.closed)
  client.socket.destroy()
  await until(() => caps.total === 0)
  assert.equal(sessions[0]?.over.length, 1)
  assert.equal(sessions[0]?.over[0]?.kind, 'tls-failed')
})

test('attack 33a: a client that vanishes in the handshake is a fact, with implicit TLS and STARTTLS', async (t) => {
  const { port, log, caps } = await setUp(t, load(material), true)
  const gone = netConnect(port, '127.0.0.1', () => gone.resetAndDestroy())
  await until(() => log.events.length === 1 && caps.total === 0)
  assert.equal(log.events[0]?.name, 'tls.failed')
  const other = await setUp(t, load(material), false)
  const client = TestClient.to(t, other.port)
  client.socket.write('tls\r\n')
  await client.reads('go\r\n')
  client.socket.resetAndDestroy()
  await until(() => other.caps.total === 0)
  assert.equal(other.sessions[0]?.over[0]?.kind, 'tls-failed')
})

test('names choose certificates, wild ones too; the first serves the rest', async (t) => {
  const second = ca.issue(['imap.other.test', '*.wild.test'])
  const tls = load(material, second)
  const { port } = await setUp(t, tls, true)
  for (const [servername, expected] of [
    ['imap.other.test', second],
    ['a.wild.test', second],
    ['unknown.test', material],
  ] as const) {
    const client = await secured(t, { port, servername, checkServerIdentity: () => undefined })
    const raw = (client.socket as TLSSocket).getPeerCertificate().subject.CN
    assert.equal(raw, expected.names[0])
    assert.equal(tls.endPointHash(servername), expected.endPointHash)
  }
})

test('a new certificate serves new handshakes; standing connections go on', async (t) => {
  const tls = load(material)
  const { port } = await setUp(t, tls, true)
  const before = await secured(t, { port })
  await before.reads('hello')
  const renewed = ca.issue(['mail.example.test'])
  assert.deepEqual(tls.replace([renewed]), { ok: true })
  before.socket.write('still here\r\n')
  await before.reads('you said still here')
  const after = await secured(t, { port })
  const { fingerprint256 } = (after.socket as TLSSocket).getPeerCertificate()
  assert.equal(
    fingerprint256.replaceAll(':', '').toLowerCase(),
    Buffer.from(renewed.endPointHash).toString('hex'),
  )
})

test('a bad pair is a sentence and changes nothing', () => {
  const tls = load(material)
  const other = ca.issue(['mail.example.test'])
  const mixed = tls.replace([{ ...material, keyPem: other.keyPem, origin: '/etc/key.pem' }])
  assert.ok(!mixed.ok)
  assert.match(mixed.sentence, /\/etc\/key\.pem can't be used: the key does not belong to the certificate/)
  const empty = ServerTls.load([{ ...material, keyPem: 'nothing' }])
  assert.ok(!empty.ok)
  assert.match(empty.sentence, /no key in PEM form/)
  assert.deepEqual(tls.materials, [material])
})

test('attack 11e: a session of one service is not resumed with another', async (t) => {
  const tls = load(material)
  assert.equal(tls.context('smtp', undefined), tls.context('smtp', 'mail.example.test'))
  assert.notEqual(tls.context('smtp', undefined), tls.context('imap', undefined))
  const { port } = await setUp(t, tls, true)
  const first = await secured(t, { port })
  const session = await new Promise<Buffer>((resolve) => first.socket.once('session', resolve))
  const again = await secured(t, { port, session })
  assert.equal((again.socket as TLSSocket).isSessionReused(), true)
})

test('the proof by handshake: good, wrong name, expired, unknown CA', async () => {
  const good = await proveTls(load(material), ['mail.example.test', '127.0.0.1'], ca.pem)
  assert.ok(good.ok)
  assert.equal(good.facts.version, 'TLSv1.3')
  assert.ok(good.daysLeft >= 28 && good.daysLeft <= 30)
  const sentence = async (...given: Parameters<typeof proveTls>) => {
    const proof = await proveTls(...given)
    return proof.ok ? 'ok' : proof.sentence
  }
  const expired = load(ca.issue(['mail.example.test'], { expired: true }))
  assert.match(
    await sentence(load(material), ['other.test'], ca.pem),
    /not for other\.test \(it is for DNS:mail/,
  )
  assert.match(await sentence(expired, ['mail.example.test'], ca.pem), /has expired/)
  assert.match(await sentence(expired, ['mail.example.test'], undefined), /has expired/)
  assert.match(
    await sentence(load(material), ['mail.example.test'], makeTestCa().pem),
    /does not work: the certificate/,
  )
  assert.equal(await sentence(load(material), ['mail.example.test'], undefined), 'ok')
})
