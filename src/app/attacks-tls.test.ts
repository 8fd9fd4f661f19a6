import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Attacker } from './attacker.test-kit.ts'
import { HOSTNAME, startHouse } from './house.test-kit.ts'

/* Hostile octets where TLS is expected, on a whole server. */

const house = await startHouse()
after(() => house.stop())
const me = await house.account('me')

const portOf = (name: string): number => house.server.portOf(name) ?? assert.fail(name)

function opened(name: string): Socket {
  const socket = connect({ port: portOf(name), host: '127.0.0.1' })
  socket.on('error', () => socket.destroy())
  return socket
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume()
    socket.once('close', () => resolve())
  })

async function honestClientIsServed(): Promise<void> {
  const honest = await Attacker.loggedIn(house, me)
  await honest.ok('SELECT INBOX')
  honest.leave()
}

/** Sends each piece by itself, as far as the other side takes it. */
async function inPieces(socket: Socket, octets: Buffer): Promise<void> {
  for (const octet of octets) {
    if (socket.destroyed) return
    socket.write(Buffer.from([octet]))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('attack 33a: what is no handshake ends the connection, whatever it is', async () => {
  const record = (type: number, body: Buffer): Buffer => {
    const head = Buffer.from([type, 3, 3, 0, 0])
    head.writeUInt16BE(Math.min(body.length, 65_535), 3)
    return Buffer.concat([head, body])
  }
  const hello = (length: number): Buffer =>
    Buffer.from([1, (length >> 16) & 255, (length >> 8) & 255, length & 255])
  for (const octets of [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('a1 LOGIN x y\r\n'),
    Buffer.alloc(100_000),
    Buffer.alloc(100_000, 0xff),
    record(22, Buffer.alloc(60_000, 1)),
    record(23, Buffer.from('application data first')),
    record(21, Buffer.from([2, 40])),
    record(24, Buffer.from([1, 0xff, 0xff])),
    record(22, Buffer.concat([hello(0xffffff), Buffer.alloc(16_000)])),
    ...Array.from({ length: 3 }, () => record(22, Buffer.alloc(0))),
  ]) {
    const socket = opened('imaps')
    socket.end(octets)
    await closed(socket)
  }
  await honestClientIsServed()
})

test('attack 33a: a handshake in records of single octets, and empty records without end', async () => {
  const socket = opened('submissions')
  // Each octet of a ClientHello in a record of its own; OpenSSL gives up or waits, and the time is bounded anyway.
  const body = Buffer.concat([Buffer.from([1, 0, 0, 60]), Buffer.alloc(60, 3)])
  const records = Buffer.concat([...body].map((octet) => Buffer.from([22, 3, 1, 0, 1, octet])))
  await inPieces(socket, records)
  socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([22, 3, 1, 0, 0]))))
  await closed(socket)
  await honestClientIsServed()
})

test('attack 33a: names of servers that are odd get the first certificate, and are no key to anything', async () => {
  const names = [
    '__proto__',
    'constructor',
    '*.test',
    '.',
    `${'a'.repeat(60)}.${'b'.repeat(60)}.test`,
    'mail.example.test.',
    'MAIL.EXAMPLE.TEST',
    'a'.repeat(253),
  ]
  for (const servername of names) {
    const socket = connectTls({
      port: portOf('imaps'),
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
    })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    assert.equal(socket.getPeerCertificate().subjectaltname?.includes(HOSTNAME), true, servername)
    socket.destroy()
  }
  await honestClientIsServed()
})

test('attack 33a: renegotiation again and again is cut off', async () => {
  const socket: TLSSocket = connectTls({
    port: portOf('imaps'),
    host: '127.0.0.1',
    ca: house.ca,
    servername: HOSTNAME,
    maxVersion: 'TLSv1.2',
  })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.on('error', () => undefined)
  socket.resume()
  let done = 0
  while (!socket.destroyed && done < 20) {
    const isDone = await new Promise<boolean>((resolve) => {
      socket.once('close', () => resolve(false))
      if (!socket.renegotiate({}, (error) => resolve(error === null))) resolve(false)
    })
    if (!isDone) break
    done++
  }
  assert.ok(done < 20, `${done} renegotiations`)
  socket.destroy()
  await honestClientIsServed()
})

test('attack 6c: a proxy whose header lies about its length is cut off, and no octet is taken for a command', async () => {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
  for (const [length, body] of [
    [65_535, Buffer.alloc(65_535, 'EHLO x\r\n')],
    [3, Buffer.from('EHLO x\r\nMAIL FROM:<a@b.test>\r\n')],
    [11, Buffer.from('EHLO x\r\nMAIL FROM:<a@b.test>\r\n')],
  ] as const) {
    const socket = connect({ port: portOf('mx'), host: '127.0.0.1', localAddress: '127.0.0.9' })
    socket.on('error', () => socket.destroy())
    let got = ''
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
    })
    socket.end(Buffer.concat([signature, Buffer.from([0x21, 0x11, length >> 8, length & 255]), body]))
    await closed(socket)
    assert.equal(got, '')
  }
})
