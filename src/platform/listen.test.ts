import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, lstat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseNetwork } from '../mail/ip.ts'
import { ConnectionCaps } from './connection-caps.ts'
import { openListener } from './listen.ts'
import type { ListenAt } from './listen-at.ts'
import { listenSentence } from './listen-sentence.ts'
import type { Peer } from './peer.ts'
import { serve } from './serve.ts'
import { LOOPBACK, listenAt, rememberingLog, TestClient, ToyMachine, tempFolder, testEnv } from './testing.ts'

function toyService(peers: Peer[]) {
  return {
    protocol: 'toy',
    implicitTls: false,
    door: 'mx' as const,
    tls: () => undefined,
    proxyFrom: [],
    tooMany: Buffer.from('too many\r\n'),
    session(peer: Peer) {
      peers.push(peer)
      return {
        machine: new ToyMachine(),
        handler: {
          attached: () => undefined,
          ask: () => '',
          tell: () => undefined,
          closed: () => undefined,
        },
      }
    },
  }
}

async function refusal(at: ListenAt): Promise<{ sentence: string; code: string | undefined }> {
  const opened = await openListener({ name: 'mx', at, setting: 'listen.mx', log: rememberingLog() })
  if (opened.ok) await opened.listener.close()
  assert.ok(!opened.ok)
  return opened
}

test('a taken port: the sentence names port, cause, fix, setting', async (t) => {
  const { port } = await listenAt(t, LOOPBACK)
  const { sentence, code } = await refusal({ kind: 'tcp', address: '127.0.0.1', port })
  assert.equal(code, 'EADDRINUSE')
  assert.match(
    sentence,
    new RegExp(`Port ${port} on 127\\.0\\.0\\.1 can't be opened: another program has it`),
  )
  assert.match(sentence, /listen\.mx/)
})

test('an address that is not here, and a port that needs a right', async () => {
  const { code, sentence } = await refusal({ kind: 'tcp', address: '192.0.2.1', port: 0 })
  assert.equal(code, 'EADDRNOTAVAIL')
  assert.match(sentence, /does not have the address/)
  const denied = Object.assign(new Error('listen EACCES'), { code: 'EACCES' })
  const said = listenSentence({ kind: 'tcp', address: '0.0.0.0', port: 25 }, 'listen.mx', denied).sentence
  assert.match(said, /Port 25 .* CAP_NET_BIND_SERVICE/)
})

test('IPv4 and IPv6 are separate listeners on one port', async (t) => {
  const v4 = await listenAt(t, { kind: 'tcp', address: '0.0.0.0', port: 0 })
  const v6 = await openListener({
    name: 'six',
    at: { kind: 'tcp', address: '::', port: v4.port },
    setting: 'x',
    log: rememberingLog(),
  })
  if (!v6.ok) {
    assert.equal(v6.code, 'EAFNOSUPPORT')
    t.skip('the system has no IPv6')
    return
  }
  t.after(() => v6.listener.close())
  assert.equal(v6.listener.shown, `[::]:${v4.port}`)
  const peers: Peer[] = []
  serve(v4, toyService(peers), testEnv())
  await TestClient.to(t, v4.port).reads('hello')
  assert.equal(peers[0]?.remoteAddress, '127.0.0.1')
})

test('clients that come before the start wait for it', async (t) => {
  const listener = await listenAt(t, LOOPBACK)
  const client = TestClient.to(t, listener.port)
  await new Promise((resolve) => client.socket.once('connect', resolve))
  client.socket.write('early\r\n')
  const peers: Peer[] = []
  serve(listener, toyService(peers), testEnv())
  await client.reads('you said early')
  assert.equal(peers[0]?.remotePort, client.socket.localPort)
})

test('a unix socket: mode, peer, a stale one is replaced, a living one and a file are not', async (t) => {
  const folder = await tempFolder(t)
  const path = join(folder, 'lmtp.sock')
  const at: ListenAt = { kind: 'unix', path, mode: 0o660 }
  // A dead server's socket: bound, then its file kept although nobody listens.
  await leaveStale(path)
  const listener = await listenAt(t, at)
  assert.equal((await lstat(path)).mode & 0o777, 0o660)
  const peers: Peer[] = []
  serve(listener, toyService(peers), testEnv())
  await TestClient.to(t, path).reads('hello')
  assert.deepEqual(peers[0], {
    listener: 'test',
    remoteAddress: 'unix',
    remotePort: 0,
    localAddress: 'unix',
    localPort: 0,
    proxied: false,
  })
  assert.match((await refusal(at)).sentence, /another server answers there/)
  const file = join(folder, 'file')
  await writeFile(file, '')
  assert.match((await refusal({ ...at, path: file })).sentence, /no socket/)
  assert.match((await refusal({ ...at, path: join(folder, 'x'.repeat(120)) })).sentence, /longer than/)
  assert.match((await refusal({ ...at, path: join(folder, 'no', 'x') })).sentence, /folder does not exist/)
  if (process.getuid?.() !== 0) {
    await chmod(folder, 0o500)
    assert.match((await refusal({ ...at, path: join(folder, 'y') })).sentence, /may not write/)
    await chmod(folder, 0o700)
  }
})

/** Binds in a child that is killed: nothing unlinks the file. */
function leaveStale(path: string): Promise<void> {
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  return new Promise((resolve) => execFile(process.execPath, ['-e', program], () => resolve()))
}

test('attack 10c: caps: one client too many is told and closed, another client is served', async (t) => {
  const listener = await listenAt(t, LOOPBACK)
  const env = { ...testEnv(), caps: new ConnectionCaps({ total: 100, perClient: 2, exempt: [] }) }
  serve(listener, toyService([]), env)
  const first = TestClient.to(t, listener.port)
  const second = TestClient.to(t, listener.port)
  await Promise.all([first.reads('hello'), second.reads('hello')])
  const third = TestClient.to(t, listener.port)
  await third.until((client) => client.ended)
  assert.equal(third.text, 'too many\r\n')
  assert.equal(env.log.events[0]?.name, 'connection.refused')
  await TestClient.to(t, listener.port, '127.0.0.2').reads('hello')
  first.socket.destroy()
  second.socket.destroy()
  while (env.caps.total > 1) await new Promise((resolve) => setTimeout(resolve, 5))
  await TestClient.to(t, listener.port).reads('hello')
})

test('caps: an IPv6 /64 is one client, exempt networks are not counted', () => {
  const lan = parseNetwork('192.0.2.0/24')
  assert.ok(lan)
  const caps = new ConnectionCaps({ total: 2, perClient: 1, exempt: [lan] })
  const key = caps.enterClient('2001:db8::1')
  assert.ok(key)
  assert.equal(caps.enterClient('2001:db8::2'), undefined)
  assert.ok(caps.enterClient('2001:db8:0:1::2'))
  for (const address of ['192.0.2.7', '192.0.2.7', 'unix', 'unix'])
    assert.notEqual(caps.enterClient(address), undefined)
  caps.leaveClient(key)
  assert.ok(caps.enterClient('2001:db8::2'))
  assert.deepEqual([caps.enter('own'), caps.enter('own'), caps.enter('own')], [true, true, false])
  caps.leave('own')
  assert.equal(caps.enter('own'), true)
})

test('attack 10a: out of descriptors (EMFILE): no spin, no crash, served again afterwards', async (t) => {
  const output = await outOfDescriptors(t)
  const standing = Number(/"standing":(\d+)/.exec(output)?.[1])
  assert.ok(standing < 48, `${standing} of 80 clients were accepted`)
  assert.match(output, /"served":true/)
  const cpu = Number(/"cpuMs":([\d.]+)/.exec(output)?.[1])
  assert.ok(cpu < 700, `${cpu} ms of CPU in a second of nothing`)
})

/** A server with few descriptors, flooded by its own clients in another process. */
function outOfDescriptors(t: TestContext): Promise<string> {
  const script = fileURLToPath(new URL('./out-of-descriptors.testing.ts', import.meta.url))
  const command = `ulimit -n 48; exec "${process.execPath}" --no-warnings "${script}"`
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile('/bin/sh', ['-c', command], (error, stdout, stderr) =>
    error ? reject(new Error(`${error.message} ${stderr}`)) : resolve(stdout),
  )
  const clients: ReturnType<typeof connect>[] = []
  t.after(() => child.kill())
  child.stdout?.on('data', (chunk: string) => {
    const port = /^port (\d+)/m.exec(chunk)?.[1]
    if (port !== undefined)
      for (let i = 0; i < 80; i++) {
        const client = connect(Number(port), '127.0.0.1')
        client.on('error', () => client.destroy())
        clients.push(client)
      }
    if (chunk.includes('let go')) for (const client of clients) client.destroy()
  })
  return promise
}

test('a server that stops listening leaves the port free', async (t) => {
  const listener = await listenAt(t, LOOPBACK)
  await listener.close()
  const other = createServer()
  t.after(() => other.close())
  await new Promise<void>((resolve) => other.listen(listener.port, '127.0.0.1', resolve))
})
