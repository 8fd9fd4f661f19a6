import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Connection } from '../ports/dialer.ts'
import { makeTestCa } from './certificates.testing.ts'
import { DialError } from './dial-error.ts'
import { makeDialer } from './dialer.ts'
import { serve } from './serve.ts'
import { LOOPBACK, listenAt, ToyMachine, testEnv } from './testing.ts'
import { ServerTls } from './tls.ts'

const ca = makeTestCa()

async function toyServer(t: TestContext, implicitTls = false): Promise<number> {
  const loaded = ServerTls.load([ca.issue(['mail.example.test'])])
  assert.ok(loaded.ok)
  const listener = await listenAt(t, LOOPBACK)
  const handler = {
    attached: () => undefined,
    ask: ({ line }: { line: string }) => line,
    tell: () => undefined,
    closed: () => undefined,
  }
  serve(
    listener,
    {
      protocol: 'toy',
      implicitTls,
      door: 'mx',
      tls: () => loaded.tls,
      proxyFrom: [],
      tooMany: Buffer.alloc(0),
      session: () => ({ machine: new ToyMachine(), handler }),
    },
    testEnv(),
  )
  return listener.port
}

async function rawServer(t: TestContext, serveOne: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    serveOne(socket)
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

async function dialed(t: TestContext, port: number, options = {}): Promise<Connection> {
  const result = await makeDialer({ caPem: [ca.pem], ...options }).dial({
    address: '127.0.0.1',
    port,
    timeoutMs: 5000,
  })
  assert.ok(result.ok)
  t.after(() => result.connection.close())
  return result.connection
}

async function readUntil(connection: Connection, text: string): Promise<string> {
  let got = ''
  while (!got.includes(text)) {
    const chunk = await connection.read(5000)
    assert.ok(chunk !== undefined, `ended after ${got}`)
    got += Buffer.from(chunk).toString('latin1')
  }
  return got
}

test('a dialogue with STARTTLS: verified, facts, end', async (t) => {
  const connection = await dialed(t, await toyServer(t))
  assert.equal(connection.remoteAddress, '127.0.0.1')
  await readUntil(connection, 'hello')
  connection.write(Buffer.from('tls\r\n'))
  await readUntil(connection, 'go')
  const facts = await connection.startTls({ serverName: 'mail.example.test', verify: true })
  assert.equal(facts.version, 'TLSv1.3')
  assert.equal(facts.exporter?.length, 32)
  connection.write(Buffer.from('a\r\nquit\r\n'))
  assert.equal(await readUntil(connection, 'bye\r\n'), 'you said a\r\nbye\r\n')
  assert.equal(await connection.read(5000), undefined)
})

test('verify refuses a wrong name and an unknown CA; without it both will do', async (t) => {
  const port = await toyServer(t, true)
  const dial = (serverName: string, verify: boolean, caPem = ca.pem) =>
    makeDialer({ caPem: [caPem] }).dial({
      address: '127.0.0.1',
      port,
      timeoutMs: 5000,
      tls: { serverName, verify },
    })
  const kindOf = async (...given: Parameters<typeof dial>) => {
    const result = await dial(...given)
    if (result.ok) result.connection.close()
    return result.ok ? 'ok' : result.kind
  }
  assert.equal(await kindOf('mail.example.test', true), 'ok')
  assert.equal(await kindOf('other.test', true), 'tls')
  assert.equal(await kindOf('mail.example.test', true, makeTestCa().pem), 'tls')
  assert.equal(await kindOf('other.test', false, makeTestCa().pem), 'ok')
  assert.equal(await kindOf('192.0.2.1', false), 'ok')
})

test('attack 2d: answers sent in clear ahead of TLS are refused, not believed later', async (t) => {
  const port = await rawServer(t, (socket) => socket.write('220 go ahead\r\n250 injected\r\n'))
  const connection = await dialed(t, port)
  const first = await connection.read(5000)
  assert.ok(first)
  // One read took it all: then the core has it, and drops it. A second piece waits here.
  const later = await rawServer(t, (socket) => {
    socket.write('220 go ahead\r\n')
    setTimeout(() => socket.write('250 injected\r\n'), 20)
  })
  const second = await dialed(t, later)
  await second.read(5000)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await assert.rejects(
    second.startTls({ serverName: 'mail.example.test', verify: false }),
    (error: unknown) =>
      error instanceof DialError && error.kind === 'tls' && /ahead of TLS/.test(error.cause),
  )
})

test('failures are values of a kind: refused, no address, reset, late, no TLS', async (t) => {
  const dialer = makeDialer()
  const refused = await dialer.dial({ address: '127.0.0.1', port: 9, timeoutMs: 5000 })
  assert.equal(refused.ok ? '' : refused.kind, 'refused')
  const named = await dialer.dial({ address: 'localhost', port: 25, timeoutMs: 5000 })
  assert.deepEqual(named, { ok: false, kind: 'unreachable', cause: 'localhost is no address' })
  const elsewhere = await makeDialer({ localIpv4: '192.0.2.1' }).dial({
    address: '127.0.0.1',
    port: 9,
    timeoutMs: 5000,
  })
  assert.equal(elsewhere.ok ? '' : elsewhere.kind, 'unreachable')
  const reset = await dialed(
    t,
    await rawServer(t, (socket) => socket.on('data', () => socket.resetAndDestroy())),
  )
  reset.write(Buffer.from('x'))
  await assert.rejects(
    reset.read(5000),
    (error: unknown) => error instanceof DialError && error.kind === 'reset',
  )
  const silent = await dialed(t, await rawServer(t, () => undefined))
  await assert.rejects(
    silent.read(50),
    (error: unknown) => error instanceof DialError && error.kind === 'timeout',
  )
  await assert.rejects(silent.read(50), DialError, 'a broken connection stays broken')
  const plain = await dialed(
    t,
    await rawServer(t, (socket) => socket.on('data', () => socket.write('NO TLS\r\n'))),
  )
  await assert.rejects(plain.startTls({ serverName: 'x.test', verify: false }), DialError)
})

test('local address: the other side sees it', async (t) => {
  const seen = Promise.withResolvers<string | undefined>()
  const port = await rawServer(t, (socket) => seen.resolve(socket.remoteAddress))
  const connection = await dialed(t, port, { localIpv4: '127.0.0.3' })
  assert.equal(await seen.promise, '127.0.0.3')
  assert.equal(connection.localAddress, '127.0.0.3')
})

test('writes wait for a slow reader, reads ahead are bounded', async (t) => {
  const peer = Promise.withResolvers<Socket>()
  const connection = await dialed(t, await rawServer(t, (socket) => peer.resolve(socket)))
  const socket = await peer.promise
  socket.pause()
  const piece = Buffer.alloc(256 * 1024, 'x')
  let sent = 0
  let waiting: void | Promise<void>
  for (waiting = undefined; waiting === undefined; sent += piece.length) waiting = connection.write(piece)
  let received = 0
  socket.on('data', (chunk: Buffer) => (received += chunk.length))
  socket.resume()
  await waiting
  while (received < sent) await new Promise((resolve) => setTimeout(resolve, 5))
  socket.write(Buffer.alloc(8 * 1024 * 1024, 'y'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(socket.writableLength > 0, 'not all was taken')
  let read = 0
  while (read < 8 * 1024 * 1024) read += (await connection.read(5000))?.length ?? 0
})
