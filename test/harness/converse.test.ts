import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { converse, plainResponse } from './converse.ts'

let server: Server
let port: number
const heard: string[] = []

/** Answers each line with a two-line reply that holds it; QUIT ends. */
function echo(socket: Socket): void {
  socket.write('220 ready\r\n')
  let rest = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    rest += piece.toString('latin1')
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      heard.push(line)
      if (line === 'QUIT') socket.end('221 bye\r\n')
      else socket.write(`250-you said\r\n250 ${line}\r\n`)
    }
  })
}

before(async () => {
  server = createServer(echo).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

after(() => server.close())

test('a dialogue that goes as written passes, and its replies are answered', async () => {
  const replies = await converse({ port }, 'S: 220\nC: hello\nS: 250 hello\nC: QUIT\nS: 221\nEND')
  assert.deepEqual(replies, ['S: 220 ready', 'S: 250-you said', 'S: 250 hello', 'S: 221 bye'])
})

test('one of several replies may come', async () => {
  await converse({ port }, 'S: 220\nC: a\nS: 500 | 250 a\nC: QUIT\nS: 221')
})

test('another reply fails, with the dialogue so far', async () => {
  await assert.rejects(
    converse({ port }, 'S: 220\nC: hello\nS: 550 5.7.1'),
    /said "250 hello"[\s\S]*C: hello/,
  )
})

test('more than the dialogue wants fails at its end', async () => {
  await assert.rejects(converse({ port }, 'S: 220\nC: a\\r\\nb\nS: 250 a\nC: QUIT\nEND'), /said more/)
})

test('a connection that ends too early fails', async () => {
  await assert.rejects(converse({ port }, 'S: 220\nC: QUIT\nS: 221\nS: 250'), /closed the connection/)
})

test('any octet can be sent', async () => {
  heard.length = 0
  await converse({ port }, 'S: 220\nC: a\\x00\\xff\\0b\nS: 250\nC:\nS: 250\nC: 飛\nS: 250\nC: QUIT\nS: 221')
  assert.deepEqual(heard.slice(0, 3), ['a\x00\xff\0b', '', Buffer.from('飛').toString('latin1')])
})

test('an AUTH PLAIN response has its three parts', () => {
  assert.equal(Buffer.from(plainResponse('me', 'pw'), 'base64').toString(), '\0me\0pw')
})
