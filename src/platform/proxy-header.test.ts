import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { parseNetwork } from '../mail/ip.ts'
import { makeTestCa } from './certificates.testing.ts'
import type { Peer } from './peer.ts'
import { serve } from './serve.ts'
import { LOOPBACK, listenAt, TestClient, ToyMachine, testEnv } from './testing.ts'
import { ServerTls } from './tls.ts'

async function setUp(t: TestContext, implicitTls = false) {
  const ca = makeTestCa()
  const loaded = ServerTls.load([ca.issue(['mail.example.test'])])
  assert.ok(loaded.ok)
  const proxies = parseNetwork('127.0.0.1')
  assert.ok(proxies)
  const env = testEnv()
  const peers: Peer[] = []
  const listener = await listenAt(t, LOOPBACK)
  serve(
    listener,
    {
      protocol: 'toy',
      implicitTls,
      door: 'mx',
      tls: () => loaded.tls,
      proxyFrom: [proxies],
      tooMany: Buffer.alloc(0),
      session(peer) {
        peers.push(peer)
        const handler = {
          attached: () => undefined,
          ask: () => '',
          tell: () => undefined,
          closed: () => undefined,
        }
        return { machine: new ToyMachine(), handler }
      },
    },
    env,
  )
  return { ...env, port: listener.port, peers, ca }
}

const V1 = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 25\r\n'

test('the client is who the header says, and its first octets are kept', async (t) => {
  const { port, peers } = await setUp(t)
  const client = TestClient.to(t, port)
  client.socket.write(`${V1}a\r\n`)
  await client.reads('you said a')
  const { remoteAddress, remotePort, localAddress, localPort, proxied } = peers[0] as Peer
  assert.deepEqual(
    { remoteAddress, remotePort, localAddress, localPort, proxied },
    {
      remoteAddress: '203.0.113.7',
      remotePort: 4711,
      localAddress: '192.0.2.1',
      localPort: 25,
      proxied: true,
    },
  )
})

test('a header in single octets, and a STARTTLS behind it', async (t) => {
  const { port, peers, ca } = await setUp(t)
  const client = TestClient.to(t, port)
  client.socket.setNoDelay(true)
  for (const octet of `${V1}tls\r\n`) {
    client.socket.write(octet)
    await new Promise(setImmediate)
  }
  await client.reads('go')
  client.socket.removeAllListeners('data')
  const secure = new TestClient(
    connect({ socket: client.socket, ca: ca.pem, servername: 'mail.example.test' }),
  )
  secure.socket.write('b\r\n')
  await secure.reads('you said b')
  assert.equal(peers[0]?.remoteAddress, '203.0.113.7')
})

test('in front of implicit TLS too', async (t) => {
  const { port, peers, ca } = await setUp(t, true)
  const plain = TestClient.to(t, port)
  plain.socket.removeAllListeners('data')
  plain.socket.write(V1)
  const secure = new TestClient(
    connect({ socket: plain.socket, ca: ca.pem, servername: 'mail.example.test' }),
  )
  await secure.reads('hello')
  assert.equal(peers[0]?.remoteAddress, '203.0.113.7')
  assert.equal(peers[0]?.tls?.version, 'TLSv1.3')
})

test('LOCAL keeps the real address', async (t) => {
  const { port, peers } = await setUp(t)
  const client = TestClient.to(t, port)
  client.socket.write(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'))
  await client.reads('hello')
  assert.equal(peers[0]?.remoteAddress, '127.0.0.1')
  assert.equal(peers[0]?.proxied, false)
})

test('attack 6a, 6b: a proxy without a header, a half one, and one from where no proxy is', async (t) => {
  const { port, peers, log, caps } = await setUp(t)
  const bare = TestClient.to(t, port)
  bare.socket.write('EHLO client.test\r\n')
  await bare.until((client) => client.closed || client.ended || client.error !== undefined)
  const half = TestClient.to(t, port)
  half.socket.end('PROXY TCP4')
  await half.until((client) => client.closed || client.ended || client.error !== undefined)
  while (caps.total > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(
    log.events.map((event) => [event.name, event.fields.cause]),
    [
      ['connection.refused', 'PROXY header: no PROXY header'],
      ['connection.refused', 'PROXY header: the connection ended before it was whole'],
    ],
  )
  assert.equal(peers.length, 0)
  const stranger = TestClient.to(t, port, '127.0.0.2')
  stranger.socket.write(V1)
  await stranger.reads('you said PROXY')
  assert.equal(peers[0]?.remoteAddress, '127.0.0.2')
})
