import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { parseNetwork } from '../mail/ip.ts'
import { makeTestCa } from './certificates.testing.ts'
import { CONNECTION_LIMITS as LIMITS, LISTEN_LIMITS } from './limits.ts'
import type { CloseReason } from './peer.ts'
import { serve } from './serve.ts'
import { LOOPBACK, listenAt, manualClock, TestClient, ToyMachine, testEnv } from './testing.ts'
import { ServerTls } from './tls.ts'

/* A client that sends an octet at a time before there is a session: each stage has one time, whatever comes. */

const ca = makeTestCa()

async function setUp(t: TestContext, how: { readonly implicitTls: boolean; readonly proxied: boolean }) {
  const loaded = ServerTls.load([ca.issue(['mail.example.test'])])
  assert.ok(loaded.ok)
  const loopback = parseNetwork('127.0.0.1') ?? assert.fail('no network')
  const clock = manualClock()
  const env = testEnv(clock)
  const over = Promise.withResolvers<CloseReason>()
  const listener = await listenAt(t, LOOPBACK)
  serve(
    listener,
    {
      protocol: 'toy',
      implicitTls: how.implicitTls,
      door: 'mx',
      tls: () => loaded.tls,
      proxyFrom: how.proxied ? [loopback] : [],
      tooMany: Buffer.alloc(0),
      session: () => ({
        machine: new ToyMachine(),
        handler: {
          attached: () => undefined,
          ask: () => '',
          tell: () => undefined,
          closed: (reason) => over.resolve(reason),
        },
      }),
    },
    env,
  )
  return { ...env, clock, port: listener.port ?? assert.fail('no port'), over: over.promise }
}

/** The first packet that a TLS client sends. */
async function clientHello(): Promise<Buffer> {
  const octets: Buffer[] = []
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      octets.push(chunk)
      done()
    },
  })
  const client = connectTls({ socket: wire, servername: 'mail.example.test' })
  client.on('error', () => undefined)
  while (octets.length === 0) await new Promise((resolve) => setImmediate(resolve))
  client.destroy()
  return Buffer.concat(octets)
}

/** Sends an octet each time that a minute, or a part of the time that a stage has, goes by. */
async function drip(socket: Socket, octets: Buffer, steps: number, pass: () => void): Promise<boolean> {
  let closed = false
  socket.once('close', () => {
    closed = true
  })
  socket.on('error', () => undefined)
  for (let i = 0; i < steps && !closed; i++) {
    socket.write(octets.subarray(i, i + 1))
    // The octet arrives before the time goes by.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    pass()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return closed
}

test('attack 10b: a PROXY header that comes octet by octet has its one time', async (t) => {
  const { port, caps, log } = await setUp(t, { implicitTls: false, proxied: true })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const header = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711 25\r\n')
  const tick = (): void => t.mock.timers.tick(LIMITS.proxyHeaderMs / 10)
  assert.equal(await drip(socket, header, 9, tick), false)
  assert.equal(caps.total, 1)
  tick()
  if (!socket.closed) await once(socket, 'close')
  while (caps.total > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(log.events[0]?.name, 'connection.refused')
})

test('attack 10b: a TLS handshake that comes octet by octet has its one time', async (t) => {
  const { port, caps, log } = await setUp(t, { implicitTls: true, proxied: false })
  const hello = await clientHello()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  const tick = (): void => t.mock.timers.tick(LIMITS.tlsHandshakeMs / 10)
  assert.equal(await drip(socket, hello, 9, tick), false)
  tick()
  if (!socket.closed) await once(socket, 'close')
  while (caps.total > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(log.events[0]?.name, 'tls.failed')
})

test('attack 10b: the handshake of STARTTLS too', async (t) => {
  const { port, clock, over } = await setUp(t, { implicitTls: false, proxied: false })
  const hello = await clientHello()
  const client = TestClient.to(t, port)
  client.socket.write('tls\r\n')
  await client.reads('go')
  const skip = (): void => clock.skip(LIMITS.tlsHandshakeMs / 10)
  assert.equal(await drip(client.socket, hello, 9, skip), false)
  clock.skip(LIMITS.tlsHandshakeMs / 5)
  assert.equal((await over).kind, 'tls-failed')
})

test('attack 10c: a client that is refused keeps its place for one short time, whatever it sends', async (t) => {
  const { port, caps } = await setUp(t, { implicitTls: false, proxied: false })
  caps.change({ total: 100, perClient: 1, exempt: [] })
  await TestClient.to(t, port).reads('hello')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => socket.destroy())
  socket.resume()
  await once(socket, 'end')
  const tick = (): void => t.mock.timers.tick(LIMITS.lingerMs / 10)
  assert.equal(await drip(socket, Buffer.alloc(9, 'x'), 9, tick), false)
  assert.equal(caps.total, 2)
  assert.equal(await drip(socket, Buffer.alloc(500, 'x'), 500, tick), true)
  assert.equal(caps.total, 1)
})

test('attack 10c: a flood of clients that are refused is not told why', async (t) => {
  const { port, caps } = await setUp(t, { implicitTls: false, proxied: false })
  caps.change({ total: LISTEN_LIMITS.refusedAtOnce * 4, perClient: 1, exempt: [] })
  await TestClient.to(t, port).reads('hello')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const refused = Array.from({ length: LISTEN_LIMITS.refusedAtOnce }, () =>
    connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  )
  t.after(() => {
    for (const socket of refused) socket.destroy()
  })
  for (const socket of refused) {
    socket.resume()
    await once(socket, 'end')
  }
  const more = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => more.destroy())
  more.resume()
  const wait = (): void => undefined
  assert.equal(await drip(more, Buffer.alloc(500, 'x'), 500, wait), true)
  assert.equal(caps.total, 1 + refused.length)
})
