import assert from 'node:assert/strict'
import { lstat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { callControl } from './control-client.ts'
import { ControlError, type ControlHandler, type ControlServer, serveControl } from './control-server.ts'
import { ControlLines, parseControlReply, parseControlRequest } from './control-wire.ts'
import { rememberingLog, tempFolder, testMemory } from './testing.ts'

async function setUp(t: TestContext, handlers: Record<string, ControlHandler>) {
  const path = join(await tempFolder(t), 'control.sock')
  const log = rememberingLog()
  const served = await serveControl(path, handlers, log, { requestBytes: 1024 * 1024, memory: testMemory() })
  assert.ok(served.ok)
  t.after(() => served.server.close())
  return { path, log, server: served.server as ControlServer }
}

test('lines and a result; the socket is the owner’s alone', async (t) => {
  const { path } = await setUp(t, {
    count: async (args, output) => {
      for (let i = 1; i <= Number(args); i++) assert.equal(await output.line(`line ${i}\n日本`), true)
      return { counted: args }
    },
  })
  assert.equal((await lstat(path)).mode & 0o777, 0o600)
  const lines: string[] = []
  const answer = await callControl(path, { verb: 'count', args: 3 }, (line) => lines.push(line))
  assert.deepEqual(answer, { kind: 'result', result: { counted: 3 } })
  assert.deepEqual(lines, ['line 1\n日本', 'line 2\n日本', 'line 3\n日本'])
})

test('no server, a dead one, a second one', async (t) => {
  const { path, server } = await setUp(t, { ping: async () => 'pong' })
  const second = await serveControl(path, {}, rememberingLog(), { requestBytes: 1024, memory: testMemory() })
  assert.ok(!second.ok)
  assert.match(second.sentence, /another server answers there/)
  assert.deepEqual(await callControl(path, { verb: 'ping', args: null }), { kind: 'result', result: 'pong' })
  await server.close()
  const answer = await callControl(path, { verb: 'ping', args: null })
  assert.ok(answer.kind === 'not-running')
  assert.match(answer.sentence, /No server is running on this data folder/)
})

test('errors: told ones, faults, unknown verbs', async (t) => {
  const { path, log } = await setUp(t, {
    told: () => Promise.reject(new ControlError('There is no such account.')),
    fault: () => Promise.reject(new Error('disk')),
  })
  const sentence = async (verb: string) => {
    const answer = await callControl(path, { verb, args: null })
    assert.ok(answer.kind === 'error')
    return answer.sentence
  }
  assert.equal(await sentence('told'), 'There is no such account.')
  assert.equal(log.events.length, 0)
  assert.match(await sentence('fault'), /The server failed at "fault": disk/)
  assert.equal(log.events[0]?.name, 'server.fault')
  assert.match(await sentence('__proto__'.replaceAll('_', 'x')), /does not know/)
  assert.match(await sentence('constructor'), /does not know/)
})

test('a client that goes away is told to the handler; one that does not read is waited for', async (t) => {
  const aborted = Promise.withResolvers<number>()
  const { path } = await setUp(t, {
    flood: async (_args, output) => {
      let sent = 0
      while (await output.line('x'.repeat(10_000))) sent++
      aborted.resolve(sent)
      return null
    },
  })
  const client = connect(path)
  client.on('error', () => undefined)
  client.write('{"id":1,"verb":"flood","args":null}\n')
  await new Promise((resolve) => client.once('data', resolve))
  client.pause()
  await new Promise((resolve) => setTimeout(resolve, 100))
  client.destroy()
  assert.ok((await aborted.promise) < 2000, 'the handler waited')
})

test('attack 33b: what is no request, is too long or too much is refused', async (t) => {
  const { path } = await setUp(t, { hang: () => new Promise(() => undefined) })
  const answerTo = async (text: string) => {
    const client = connect(path)
    client.on('error', () => undefined)
    client.end(text)
    let got = ''
    for await (const chunk of client) got += chunk
    return got
  }
  assert.match(await answerTo('GET / HTTP/1.1\r\n\r\n'), /no request/)
  for (const text of [
    '\0'.repeat(1000),
    '[]',
    'null',
    '{"id":1}',
    '{"id":"1","verb":"hang"}',
    `${'['.repeat(500_000)}`,
    `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    '\xff\xfe',
  ])
    assert.match(await answerTo(`${text}\n`), /no request/, text.slice(0, 40))
  for (const verb of ['__proto__', 'constructor', 'toString', ''])
    assert.match(await answerTo(`${JSON.stringify({ id: 1, verb, args: null })}\n`), /"error"/, verb)
  assert.match(await answerTo('x'.repeat(1024 * 1024 + 10)), /too long/)
  assert.match(await answerTo('{"id":1,"verb":"hang"}\n'.repeat(9)), /too many requests/)
})

test('lines cut at every byte are the same lines', () => {
  const bytes = Buffer.from('{"a":"日本"}\n\nlast line\nrest')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines = new ControlLines(1024 * 1024)
    const got = [...(lines.push(bytes.subarray(0, cut)) ?? []), ...(lines.push(bytes.subarray(cut)) ?? [])]
    assert.deepEqual(got, ['{"a":"日本"}', '', 'last line'])
  }
  assert.equal(new ControlLines(5).push(Buffer.from('123456\n')), undefined)
  assert.deepEqual(new ControlLines(6).push(Buffer.from('123456\n')), ['123456'])
})

test('round trip of requests and replies; anything else is none', () => {
  const id = fc.nat()
  const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed())
  fc.assert(
    fc.property(id, fc.stringMatching(/^[a-z][a-z0-9. -]{0,63}$/), fc.jsonValue(), (number, verb, args) => {
      const wire = JSON.stringify({ id: number, verb, args })
      assert.deepEqual(parseControlRequest(wire), {
        id: number,
        verb,
        args: JSON.parse(JSON.stringify(args)),
      })
    }),
  )
  const reply = fc.oneof(
    fc.record({ id, line: text }, { noNullPrototype: true }),
    fc.record({ id, error: text }, { noNullPrototype: true }),
    fc.record({ id, result: text }, { noNullPrototype: true }),
  )
  fc.assert(fc.property(reply, (value) => assert.deepEqual(parseControlReply(JSON.stringify(value)), value)))
  for (const wire of [
    '',
    'null',
    '[]',
    '{}',
    '{"id":"1","verb":"x"}',
    '{"id":1,"verb":"X"}',
    '{"id":1.5,"verb":"x"}',
  ])
    assert.equal(parseControlRequest(wire), undefined)
  for (const wire of ['', 'null', '{"id":1}', '{"line":"x"}'])
    assert.equal(parseControlReply(wire), undefined)
})

test('attack 33b: large requests come in one at a time, small ones go by', async (t) => {
  const path = join(await tempFolder(t), 'control.sock')
  const memory = testMemory()
  const got: string[] = []
  const handlers = { take: async (args: unknown) => void got.push(String(args).slice(0, 1)) }
  const served = await serveControl(path, handlers, rememberingLog(), {
    requestBytes: 8 * 1024 * 1024,
    memory,
  })
  assert.ok(served.ok)
  t.after(() => served.server.close())
  const large = (letter: string) =>
    `${JSON.stringify({ id: 1, verb: 'take', args: letter.repeat(4 * 1024 * 1024) })}\n`
  const first = connect(path)
  t.after(() => first.destroy())
  // Most of it: it has the turn, and the others wait at their senders.
  first.write(large('a').slice(0, -10))
  while (memory.used.operators < 9 * 1024 * 1024) await new Promise((resolve) => setTimeout(resolve, 5))
  const others = ['b', 'c', 'd'].map((letter) => {
    const socket = connect(path)
    t.after(() => socket.destroy())
    socket.write(large(letter))
    return socket
  })
  const small = await callControl(path, { verb: 'take', args: 's' })
  assert.equal(small.kind, 'result', 'small ones do not wait')
  // 12 MiB for the first, a little more than 3 MiB for each that waits.
  assert.ok(memory.used.operators < 26 * 1024 * 1024, `${memory.used.operators} octets are held`)
  assert.deepEqual(got, ['s'])
  first.write(large('a').slice(-10))
  while (got.length < 5) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(got.slice(0, 2), ['s', 'a'])
  for (const socket of [first, ...others]) socket.destroy()
  while (memory.used.operators > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})
