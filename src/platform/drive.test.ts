import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from './clock.ts'
import type { CloseReason } from './peer.ts'
import { type Served, type Service, serve } from './serve.ts'
import type { SessionConnection, SessionHandler } from './session-handler.ts'
import {
  LOOPBACK,
  listenAt,
  manualClock,
  TestClient,
  type ToyAsk,
  ToyMachine,
  type ToyTell,
  testEnv,
} from './testing.ts'
import type { TurnTaking } from './turns.ts'

interface Toy extends SessionHandler<ToyAsk, ToyTell, string> {
  machine: ToyMachine
  connection: SessionConnection
  tells: string[]
  over: Promise<CloseReason>
}

function toySession(behaviour: Partial<SessionHandler<ToyAsk, ToyTell, string>> = {}, idleMs?: number): Toy {
  const over = Promise.withResolvers<CloseReason>()
  const toy = {
    machine: new ToyMachine(idleMs),
    tells: [] as string[],
    over: over.promise,
    attached(connection: SessionConnection) {
      toy.connection = connection
    },
    ask: ({ line }: ToyAsk): string | Promise<string> => `answer ${line}`,
    tell: ({ piece }: ToyTell): void | Promise<void> => void toy.tells.push(piece),
    closed: (reason: CloseReason) => over.resolve(reason),
    ...behaviour,
  } as Toy
  return toy
}

async function setUp(
  t: TestContext,
  make: () => Toy = () => toySession(),
  clock = systemClock(),
  turns?: TurnTaking,
) {
  const env = { ...testEnv(clock), ...(turns === undefined ? {} : { turns }) }
  const listener = await listenAt(t, LOOPBACK)
  const sessions: Toy[] = []
  const service: Service<ToyAsk, ToyTell, string> = {
    protocol: 'toy',
    implicitTls: false,
    door: 'mx',
    tls: () => undefined,
    proxyFrom: [],
    tooMany: Buffer.from('too many\r\n'),
    session() {
      const handler = make()
      sessions.push(handler)
      return { machine: handler.machine, handler }
    },
  }
  const served: Served = serve(listener, service, env)
  return { ...env, port: listener.port, sessions, served }
}

test('a dialogue: greeting, pipelined lines, questions, facts, close in order', async (t) => {
  const { port, sessions } = await setUp(t)
  const client = TestClient.to(t, port)
  client.socket.write('a\r\nask b\r\ntell c\r\nquit\r\nignored\r\n')
  await client.until((c) => c.ended)
  assert.equal(client.text, 'hello\r\nyou said a\r\nanswer b\r\nbye\r\n')
  client.socket.end()
  assert.deepEqual(sessions[0]?.tells, ['c'])
  assert.equal((await sessions[0]?.over)?.kind, 'finished')
})

test('answers that come late keep their order and leave together', async (t) => {
  const { port, sessions } = await setUp(t, () => toySession({ ask: async ({ line }) => `late ${line}` }))
  const client = TestClient.to(t, port)
  await client.reads('hello')
  const socketWrites: number[] = []
  client.socket.on('data', (chunk: Buffer) => socketWrites.push(chunk.length))
  client.socket.write('ask 1\r\nask 2\r\nask 3\r\nquit\r\n')
  await client.until((c) => c.ended)
  client.socket.end()
  assert.equal(client.text, 'hello\r\nlate 1\r\nlate 2\r\nlate 3\r\nbye\r\n')
  assert.equal(socketWrites.length, 1, 'one write for all replies')
  assert.equal((await sessions[0]?.over)?.kind, 'finished')
})

test('a slow fact holds the core back', async (t) => {
  const slow = Promise.withResolvers<void>()
  const { port, sessions } = await setUp(t, () => {
    const toy = toySession({
      tell: ({ piece }) => {
        toy.tells.push(piece)
        return slow.promise
      },
    })
    return toy
  })
  const client = TestClient.to(t, port)
  client.socket.write('a\r\ntell 1\r\ntell 2\r\nb\r\n')
  await client.reads('you said a')
  assert.deepEqual(sessions[0]?.tells, ['1'])
  slow.resolve()
  await client.reads('you said b')
  assert.deepEqual(sessions[0]?.tells, ['1', '2'])
})

test('half-close: the answer under way still arrives, then both sides are closed', async (t) => {
  const late = Promise.withResolvers<string>()
  const { port, sessions } = await setUp(t, () => toySession({ ask: () => late.promise }))
  const client = TestClient.to(t, port)
  client.socket.end('ask x\r\n')
  await client.reads('hello')
  setImmediate(() => late.resolve('done'))
  await client.until((c) => c.ended)
  assert.equal(client.text, 'hello\r\ndone\r\n')
  assert.equal((await sessions[0]?.over)?.kind, 'peer-closed')
  assert.equal(sessions[0]?.machine.ended, true)
})

test('a reset while a question is open is a fact; the answer afterwards is ignored', async (t) => {
  const late = Promise.withResolvers<string>()
  const asked = Promise.withResolvers<void>()
  const { port, sessions, log } = await setUp(t, () =>
    toySession({
      ask: () => {
        asked.resolve()
        return late.promise
      },
    }),
  )
  const client = TestClient.to(t, port)
  client.socket.write('ask x\r\n')
  await asked.promise
  client.socket.resetAndDestroy()
  const reason = await sessions[0]?.over
  assert.equal(reason?.kind, 'broken')
  late.resolve('too late')
  await late.promise
  assert.deepEqual(log.events, [])
})

test('a session that rejects is our fault: logged, cut', async (t) => {
  const { port, sessions, log } = await setUp(t, () =>
    toySession({ ask: () => Promise.reject(new Error('disk on fire')) }),
  )
  const client = TestClient.to(t, port)
  client.socket.write('ask x\r\n')
  await client.until((c) => c.closed || c.ended)
  assert.equal((await sessions[0]?.over)?.kind, 'fault')
  assert.equal(log.events[0]?.name, 'server.fault')
  assert.match(String(log.events[0]?.fields.cause), /disk on fire/)
})

test('the core learns of its deadline, also while a question is open', async (t) => {
  const { port } = await setUp(t, () => toySession({ ask: () => new Promise(() => undefined) }, 50))
  const client = TestClient.to(t, port)
  client.socket.write('ask x\r\n')
  await client.until((c) => c.ended)
  assert.equal(client.text, 'hello\r\ntimeout\r\n')
})

test('attack 10d: a client that does not read stops the core, and gets everything once it reads', async (t) => {
  const { port, sessions } = await setUp(t)
  const client = TestClient.to(t, port)
  await client.reads('hello')
  client.socket.pause()
  const lines = 400
  client.socket.write('big 65536\r\n'.repeat(lines))
  const toy = sessions[0] as Toy
  // Kernel buffers on loopback take a few MiB; the rest of the 26 MiB must stay unmade.
  const blocked = async () => {
    await setTimeout(50)
    return (await Promise.race([toy.connection.drained(), setTimeout(50, 'blocked')])) === 'blocked'
  }
  while (!(await blocked()));
  toy.machine.write('end\r\n')
  toy.connection.pump()
  client.socket.resume()
  client.socket.write('quit\r\n')
  await client.until((c) => c.ended)
  assert.equal(client.text.length, 'hello\r\n'.length + lines * 65536 + 'end\r\nbye\r\n'.length)
})

test('a streaming session waits for the peer and sees at once that it is gone', async (t) => {
  const streamed = Promise.withResolvers<number>()
  const { port, sessions } = await setUp(t, () => {
    const toy = toySession({
      ask: async () => {
        let pieces = 0
        do {
          toy.machine.write('x'.repeat(65536))
          toy.connection.pump()
          pieces++
        } while (await toy.connection.drained())
        streamed.resolve(pieces)
        return 'over'
      },
    })
    return toy
  })
  const client = TestClient.to(t, port)
  client.socket.write('ask x\r\n')
  await client.until((c) => c.text.length > 1_000_000)
  client.socket.pause()
  await setTimeout(100)
  client.socket.resetAndDestroy()
  assert.ok((await streamed.promise) > 10)
  assert.equal((await sessions[0]?.over)?.kind, 'broken')
  assert.equal(sessions[0]?.connection.gone, true)
  assert.equal(await sessions[0]?.connection.drained(), false)
})

test('attack 10c: pipelined input behind an open question is bounded by not reading', async (t) => {
  const late = Promise.withResolvers<string>()
  const { port, sessions } = await setUp(t, () => toySession({ ask: () => late.promise }))
  const toy = () => sessions[0] as Toy
  const client = TestClient.to(t, port)
  let pushed = 0
  client.socket.write('ask x\r\n')
  await client.reads('hello')
  const machine = toy().machine
  const push = machine.push.bind(machine)
  machine.push = (bytes) => {
    pushed += bytes.length
    push(bytes)
  }
  const flood = Buffer.alloc(16 * 1024 * 1024, 'y\r\n')
  client.socket.write(flood)
  await setTimeout(300)
  assert.ok(pushed > 0 && pushed < 512 * 1024, `pushed ${pushed}`)
  client.socket.destroy()
  // Not read any more, but a write tells.
  late.resolve('go')
  assert.match((await toy().over).kind, /broken|peer-closed/)
})

test('cut ends a connection at once, finished waits for all of them', async (t) => {
  const { port, sessions, served, caps } = await setUp(t)
  const clients = [TestClient.to(t, port), TestClient.to(t, port)]
  for (const client of clients) await client.reads('hello')
  assert.equal(served.connections.size, 2)
  sessions[0]?.connection.cut('banned')
  assert.deepEqual(await sessions[0]?.over, { kind: 'cut', cause: 'banned' })
  await served.finished(50)
  assert.deepEqual(await sessions[1]?.over, { kind: 'cut', cause: 'the server stops' })
  assert.equal(served.connections.size, 0)
  assert.equal(caps.total, 0)
})

test('a client that does not close is cut off after our close, one that floods earlier', async (t) => {
  const clock = manualClock()
  const { port, sessions } = await setUp(t, undefined, clock)
  const lingering = TestClient.to(t, port)
  lingering.socket.allowHalfOpen = true
  lingering.socket.write('quit\r\n')
  await lingering.until((c) => c.ended)
  await setTimeout(50)
  assert.equal(lingering.closed, false)
  clock.skip(5_000)
  assert.equal((await sessions[0]?.over)?.kind, 'finished')
  const flooding = TestClient.to(t, port)
  flooding.socket.allowHalfOpen = true
  flooding.socket.write('quit\r\n')
  await flooding.until((c) => c.ended)
  flooding.socket.write(Buffer.alloc(4 * 1024 * 1024))
  assert.equal((await sessions[1]?.over)?.kind, 'finished')
})

test('attack 10d: a client that stops reading is cut off when its time is over', async (t) => {
  const clock = manualClock()
  const { port, sessions } = await setUp(t, undefined, clock)
  const client = TestClient.to(t, port)
  await client.reads('hello')
  client.socket.pause()
  client.socket.write('big 65536\r\n'.repeat(400))
  const toy = sessions[0] as Toy
  while ((await Promise.race([toy.connection.drained(), setTimeout(50, 'blocked')])) !== 'blocked')
    await setTimeout(20)
  clock.skip(299_000)
  assert.equal(toy.connection.gone, false)
  clock.skip(2_000)
  assert.equal((await toy.over).kind, 'stalled')
})

test('a stopping server ends what is not a session yet, and waits for the rest', async (t) => {
  const { port, sessions, served, caps } = await setUp(t)
  const client = TestClient.to(t, port)
  await client.reads('hello')
  const finished = served.finished(60_000)
  const late = TestClient.to(t, port)
  await late.until((c) => c.closed || c.ended || c.error !== undefined)
  client.socket.write('quit\r\n')
  await client.until((c) => c.ended)
  client.socket.end()
  await finished
  assert.equal(sessions.length, 1)
  assert.equal(caps.total, 0)
})

test('thousands of commands in one piece of input are looked at in many turns, in order, and unread meanwhile', async (t) => {
  const waiting: (() => void)[] = []
  const asked = Promise.withResolvers<void>()
  const turns: TurnTaking = {
    isOver: () => true,
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        asked.resolve()
      }),
  }
  const { port, sessions } = await setUp(t, undefined, undefined, turns)
  const client = TestClient.to(t, port)
  const lines = Array.from({ length: 3_000 }, (_, i) => `tell ${i}\r\n`)
  client.socket.write(lines.join(''))
  await asked.promise
  const tells = sessions[0]?.tells ?? assert.fail('no session')
  const before = tells.length
  assert.ok(before < 100, `${before} in one turn`)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(tells.length, before, 'it rests until it is its turn')
  let given = 0
  client.socket.write('quit\r\n')
  while (!client.ended) {
    if (waiting.length > 0) given++
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  client.socket.end()
  assert.deepEqual(
    tells,
    lines.map((_, i) => String(i)),
  )
  assert.ok(given > 50, `${given} turns`)
})

test('a client that goes while it waits for its turn is let go', async (t) => {
  const next = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const turns: TurnTaking = {
    isOver: () => true,
    next: () => {
      asked.resolve()
      return next.promise
    },
  }
  const { port, sessions, log } = await setUp(t, undefined, undefined, turns)
  const client = TestClient.to(t, port)
  client.socket.write('tell x\r\n'.repeat(500))
  await asked.promise
  const told = sessions[0]?.tells.length
  sessions[0]?.connection.cut('enough')
  assert.equal((await sessions[0]?.over)?.kind, 'cut')
  next.resolve()
  await next.promise
  assert.equal(sessions[0]?.tells.length, told)
  assert.deepEqual(log.events, [])
})
