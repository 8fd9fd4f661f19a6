import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddress } from '../../mail/address.ts'
import type { AuthDns } from '../../mailauth/dns.ts'
import { workerScript } from '../../platform/workers.ts'
import type { EvaluationFacts, ReadableContent, SigningKey } from '../../ports/mail-auth.ts'
import type { Answer } from '../../ports/resolver.ts'
import { MailAuthError } from './job.ts'
import type { AuthLimits } from './limits.ts'
import { ThreadedMailAuth } from './threaded-mail-auth.ts'

const noName = async (): Promise<Answer<never>> => ({ kind: 'no-name' })
const emptyDns: AuthDns = { a: noName, aaaa: noName, mx: noName, ptr: noName, txt: noName, cname: noName }

function start(t: TestContext, limits: Partial<AuthLimits> = {}, dns: Partial<AuthDns> = {}) {
  const auth = new ThreadedMailAuth({
    dns: { ...emptyDns, ...dns },
    nowMs: () => performance.now(),
    limits,
    script: workerScript('stand-in-thread.test-kit', import.meta.url),
  })
  t.after(() => auth.close())
  return auth
}

const facts = (helo: string): EvaluationFacts => ({
  client: '192.0.2.1',
  helo,
  reversePath: null,
  authservId: 'mx.example',
})

function contentOf(
  bytes: Uint8Array,
  pieceBytes = bytes.length,
): ReadableContent & { readonly reads: number } {
  let reads = 0
  return {
    sizeBytes: bytes.length,
    get reads() {
      return reads
    },
    async *pieces() {
      reads++
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    },
  }
}

const small = () => contentOf(Buffer.from('Subject: x\r\n\r\nbody\r\n'))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function whyOf(auth: ThreadedMailAuth, content: ReadableContent, helo: string) {
  const { evidence } = await auth.evaluate(content, facts(helo))
  return evidence.spf.why
}

const fails = (cause: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MailAuthError)
  assert.match(error.message, cause)
  return true
}

test('a small message goes whole, and its sender keeps its own octets', async (t) => {
  const auth = start(t)
  assert.equal(auth.threads, 0)
  const pooled = Buffer.from('0123456789').subarray(2, 8)
  assert.equal(await whyOf(auth, contentOf(pooled, 3), 'hash'), sha256(pooled))
  assert.equal(pooled.toString(), '234567')
  assert.equal(auth.threads, 1)
  assert.equal(await whyOf(auth, contentOf(Buffer.alloc(0)), 'hash'), sha256(Buffer.alloc(0)))
})

test('a large message comes in pieces, complete and in order, as often as it is read', async (t) => {
  const auth = start(t, { wholeBytes: 1000, pieceBytes: 700, piecesAhead: 3 })
  const bytes = randomBytes(50_021)
  for (const cut of [1, 699, 700, 701, 1400, 50_021]) {
    const content = contentOf(bytes, cut === 1 ? 13 : cut)
    const { evidence } = await auth.evaluate(content, facts('twice'))
    assert.equal(evidence.spf.why, `${sha256(bytes)} ${sha256(bytes)}`)
    assert.ok(Number(evidence.limits[0]) <= 700)
    assert.equal(content.reads, 2)
  }
})

test('backpressure: no more is read than the thread takes, and no more than it wants', async (t) => {
  const auth = start(t, { wholeBytes: 10, pieceBytes: 100, piecesAhead: 4 })
  let read = 0
  let closed = false
  const endless: ReadableContent = {
    sizeBytes: 1_000_000,
    async *pieces() {
      try {
        for (;;) {
          read++
          yield Buffer.alloc(100)
        }
      } finally {
        closed = true
      }
    },
  }
  assert.equal(await whyOf(auth, endless, 'first-piece'), '100')
  while (!closed) await sleep(5)
  assert.ok(read <= 6, `${read} pieces were read of which one was wanted`)
})

test('backpressure: a thread that is slow to read holds up its reader', async (t) => {
  const auth = start(t, { wholeBytes: 10, pieceBytes: 100, piecesAhead: 2 })
  let ahead = 0
  let mostAhead = 0
  const content: ReadableContent = {
    sizeBytes: 5000,
    async *pieces() {
      for (let i = 0; i < 50; i++) {
        const startedMs = performance.now()
        yield Buffer.alloc(100)
        ahead = performance.now() - startedMs < 1 ? ahead + 1 : 0
        mostAhead = Math.max(mostAhead, ahead)
      }
    },
  }
  assert.equal(await whyOf(auth, content, 'slow'), 'slow')
  assert.ok(mostAhead <= 10, `${mostAhead} pieces went without waiting`)
})

test('many at once: each gets its own result', async (t) => {
  const auth = start(t, { wholeBytes: 2000, largeBytes: 5000, pieceBytes: 512, octetsAtOnce: 20_000 })
  const messages = Array.from({ length: 200 }, (_, i) => randomBytes(1 + ((i * 97) % 7000)))
  const results = await Promise.all(messages.map((bytes) => whyOf(auth, contentOf(bytes, 777), 'hash')))
  assert.deepEqual(results, messages.map(sha256))
})

test('a large message that takes its time does not stand before small ones', async (t) => {
  const auth = start(t, { wholeBytes: 100, largeBytes: 1000, pieceBytes: 100, largeAtOnce: 1 })
  const ended: string[] = []
  const large = [1, 2].map((n) =>
    whyOf(auth, contentOf(Buffer.alloc(10_000)), 'slow').then(() => ended.push(`large ${n}`)),
  )
  const smalls = Array.from({ length: 20 }, () => whyOf(auth, small(), 'hash'))
  await Promise.all(smalls)
  ended.push('small')
  await Promise.all(large)
  assert.deepEqual(ended, ['small', 'large 1', 'large 2'])
  assert.equal(auth.threads, 2)
})

test('a message that waits for the DNS does not stand before others', async (t) => {
  const dead = Promise.withResolvers<Answer<string>>()
  const auth = start(t, {}, { txt: (name) => (name === 'n0.example' ? dead.promise : noName()) })
  const waits = Array.from({ length: 40 }, () => whyOf(auth, small(), 'lookups 1'))
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
  dead.resolve({ kind: 'temporary', cause: 'no answer' })
  assert.deepEqual(new Set(await Promise.all(waits)), new Set(['temporary']))
})

test('attack: one message asks the DNS a few questions at once and not without end', async (t) => {
  let [underWay, most, asked] = [0, 0, 0]
  const txt = async (): Promise<Answer<string>> => {
    asked++
    most = Math.max(most, ++underWay)
    await sleep(1)
    underWay--
    return { kind: 'found', records: ['x'], ttlSeconds: 5, authenticated: false }
  }
  const auth = start(t, { lookupsAtOnce: 3, lookups: 20 }, { txt })
  const kinds = (await whyOf(auth, small(), 'lookups 25'))?.split(' ') ?? []
  assert.deepEqual(kinds.slice(0, 20), new Array(20).fill('found'))
  assert.deepEqual(kinds.slice(20), new Array(5).fill('temporary'))
  assert.equal(most, 3)
  assert.equal(asked, 20)
})

test('each type of question reaches the resolver, once for one message; a resolver that throws is a temporary failure', async (t) => {
  const asked: string[] = []
  const auth = start(
    t,
    {},
    {
      a: async (name) => {
        asked.push(name)
        return { kind: 'found', records: ['192.0.2.9'], ttlSeconds: 7, authenticated: true }
      },
      mx: async () => ({
        kind: 'found',
        records: [{ preference: 1, exchange: '' }],
        ttlSeconds: 1,
        authenticated: false,
      }),
      cname: async () => ({ kind: 'no-data' }),
      ptr: () => Promise.reject(new Error('broken')),
    },
  )
  const found = { kind: 'found', records: ['192.0.2.9'], ttlSeconds: 7, authenticated: true }
  assert.deepEqual(JSON.parse((await whyOf(auth, small(), 'each-type')) ?? ''), [
    found,
    { kind: 'no-name' },
    { kind: 'found', records: [{ preference: 1, exchange: '' }], ttlSeconds: 1, authenticated: false },
    { kind: 'no-data' },
    { kind: 'temporary', cause: 'the resolver failed: Error: broken' },
    found,
  ])
  assert.deepEqual(asked, ['x.test'])
})

test('what the resolver remembers is sent along and not asked for; the rest is asked', async (t) => {
  const asked: string[] = []
  const known: Answer<string> = { kind: 'found', records: ['x'], ttlSeconds: 1, authenticated: false }
  const auth = new ThreadedMailAuth({
    dns: {
      ...emptyDns,
      txt: async (name) => {
        asked.push(name)
        return { kind: 'no-data' }
      },
      knownTxt: (name) => (name === 'n0.example' ? known : undefined),
    },
    nowMs: () => performance.now(),
    script: workerScript('stand-in-thread.test-kit', import.meta.url),
  })
  t.after(() => auth.close())
  const reversePath = parseAddress('x@n0.example') ?? null
  const { evidence } = await auth.evaluate(small(), { ...facts('lookups 2'), reversePath })
  assert.equal(evidence.spf.why, 'found no-data')
  assert.deepEqual(asked, ['n1.example'])
})

test('a thread that dies costs its messages, and the next gets a new one', async (t) => {
  const dead = new Promise<Answer<string>>(() => {})
  const auth = start(t, { watchMs: 20, largeBytes: 1000, wholeBytes: 100 }, { txt: () => dead })
  const neighbour = assert.rejects(whyOf(auth, small(), 'lookups 1'), fails(/ended|died/))
  const elsewhere = whyOf(auth, contentOf(Buffer.alloc(3000)), 'slow')
  await assert.rejects(whyOf(auth, small(), 'die'), fails(/ended|died/))
  await neighbour
  assert.equal(await elsewhere, 'slow')
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('attack: a message on which the thread runs out of memory costs the thread, not the server', async (t) => {
  const auth = start(t, { heapMiB: 16 })
  await assert.rejects(whyOf(auth, small(), 'exhaust'), fails(/died: ERR_WORKER_OUT_OF_MEMORY/))
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('attack: a message on which the thread hangs is given up, and the next gets a new thread', async (t) => {
  const auth = start(t, { watchMs: 20, silentMs: 4000 })
  await whyOf(auth, small(), 'hash')
  await assert.rejects(whyOf(auth, small(), 'hang'), fails(/hung/))
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('what takes too long is given up, in a thread and before it', async (t) => {
  const dead = new Promise<Answer<string>>(() => {})
  const auth = start(t, { watchMs: 10, jobMs: 1500, smallAtOnce: 1 }, { txt: () => dead })
  const [inside, before] = [whyOf(auth, small(), 'lookups 1'), whyOf(auth, small(), 'lookups 1')]
  await Promise.all([
    assert.rejects(inside, fails(/took too long/)),
    assert.rejects(before, fails(/too long/)),
  ])
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('no more wait than may', async (t) => {
  const answer = Promise.withResolvers<Answer<string>>()
  const auth = start(t, { smallAtOnce: 1, threads: 1, waiting: 2 }, { txt: () => answer.promise })
  const taken = [1, 2, 3].map(() => whyOf(auth, small(), 'lookups 1'))
  await assert.rejects(whyOf(auth, small(), 'hash'), fails(/2 messages wait already/))
  answer.resolve({ kind: 'no-data' })
  assert.deepEqual(await Promise.all(taken), ['no-data', 'no-data', 'no-data'])
})

test('attack: who brings many messages for dead name servers stands before nobody but himself', async (t) => {
  const answers = Array.from({ length: 3 }, () => Promise.withResolvers<Answer<string>>())
  const limits = { smallAtOnce: 1, threads: 1, lookups: 1 }
  const asked: string[] = []
  const txt = (name: string) => answers[asked.push(name) - 1]?.promise ?? noName()
  const auth = start(t, limits, { txt })
  const ended: string[] = []
  const bring = (client: string) =>
    auth.evaluate(small(), { ...facts('lookups 1'), client }).then(() => ended.push(client))
  const crowd = Array.from({ length: 5 }, (_, i) => bring(`2001:db8::${i}`))
  const lone = bring('192.0.2.7')
  for (const answer of answers) answer.resolve({ kind: 'no-data' })
  await Promise.all([...crowd, lone])
  assert.ok(ended.indexOf('192.0.2.7') <= 2, ended.join(' '))
})

test('attack: where too many wait, whoever has most of them is put off', async (t) => {
  const answer = Promise.withResolvers<Answer<string>>()
  const auth = start(t, { smallAtOnce: 1, threads: 1, waiting: 2 }, { txt: () => answer.promise })
  const bring = (client: string) => auth.evaluate(small(), { ...facts('lookups 1'), client })
  const [first, second, third] = [bring('192.0.2.1'), bring('192.0.2.1'), bring('192.0.2.1')]
  const lone = bring('192.0.2.7')
  await assert.rejects(third as Promise<unknown>, fails(/2 messages wait already/))
  answer.resolve({ kind: 'no-data' })
  await Promise.all([first, second, lone])
})

test('attack: large messages for dead name servers do not stand before other large ones', async (t) => {
  const dead = new Promise<Answer<string>>(() => {})
  const limits = { wholeBytes: 100, largeBytes: 1000, pieceBytes: 100, watchMs: 20, jobMs: 3000 }
  const auth = start(t, limits, { txt: () => dead })
  const large = () => contentOf(Buffer.alloc(2000))
  const waits = [1, 2, 3].map(() => assert.rejects(whyOf(auth, large(), 'lookups 1'), fails(/too long/)))
  assert.equal(await whyOf(auth, large(), 'hash'), sha256(Buffer.alloc(2000)))
  await Promise.all(waits)
})

test('attack: what our own people hand in is signed while strangers fill all threads', async (t) => {
  const dead = new Promise<Answer<string>>(() => {})
  const limits = { smallAtOnce: 1, threads: 1, waiting: 2, watchMs: 20, jobMs: 3000 }
  const auth = start(t, limits, { txt: () => dead })
  const waits = [1, 2, 3].map(() => assert.rejects(whyOf(auth, small(), 'lookups 1'), fails(/too long/)))
  const key: SigningKey = { domain: 'a.test', selector: 's', algorithm: 'rsa-sha256', privateKeyPem: '' }
  assert.match(await auth.sign(small(), new Uint8Array(), [key]), /^1 [0-9a-f]{64}$/)
  await Promise.all(waits)
})

test('a message that nobody waits for any more is let go, in a thread and before it', async (t) => {
  const dead = new Promise<Answer<string>>(() => {})
  const auth = start(t, { smallAtOnce: 1, threads: 1, lookupsAtOnce: 1 }, { txt: () => dead })
  const [one, two, early] = [new AbortController(), new AbortController(), AbortSignal.abort()]
  const bring = (signal: AbortSignal) => auth.evaluate(small(), facts('lookups 3'), undefined, signal)
  const ended = [one, two].map(({ signal }) => assert.rejects(bring(signal), fails(/nobody waits/)))
  await assert.rejects(bring(early), { name: 'AbortError' })
  two.abort()
  await ended[1]
  one.abort()
  await ended[0]
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('what is given up ends in the thread too: it keeps nothing of it', async (t) => {
  const limits = { wholeBytes: 100, largeBytes: 1000, pieceBytes: 100, piecesAhead: 1 }
  const auth = start(t, limits, { txt: () => new Promise(() => {}) })
  const controller = new AbortController()
  const stuck: ReadableContent = {
    sizeBytes: 5000,
    async *pieces() {
      yield Buffer.alloc(100)
      await new Promise(() => {})
    },
  }
  const given = [
    ...[1, 2].map(() => [contentOf(Buffer.alloc(2000)), 'lookups 1'] as const),
    ...[1, 2].map(() => [stuck, 'twice'] as const),
  ].map(([content, helo]) =>
    assert.rejects(auth.evaluate(content, facts(helo), undefined, controller.signal), fails(/nobody waits/)),
  )
  const underWay = async () => whyOf(auth, contentOf(Buffer.alloc(2000)), 'under-way')
  while ((await underWay()) !== '5') await sleep(5)
  controller.abort()
  await Promise.all(given)
  while ((await underWay()) !== '1') await sleep(5)
})

test('an error of the engine is told by kind and place, without line breaks', async (t) => {
  const auth = start(t)
  await assert.rejects(whyOf(auth, small(), 'throw'), fails(/^TypeError: thrown by the\?\?stand-in \(at /))
})

test('a key never stands in an error', async (t) => {
  const auth = start(t)
  const key: SigningKey = {
    domain: 'a.test',
    selector: 'throw',
    algorithm: 'rsa-sha256',
    privateKeyPem: 'SECRET',
  }
  await assert.rejects(auth.sign(small(), new Uint8Array(), [key]), (error) => {
    assert.doesNotMatch(`${(error as Error).stack} ${String((error as Error).cause)}`, /SECRET/)
    return fails(/^Error \(at /)(error)
  })
})

test('signing takes the added fields along, and asks no thread where there is no key', async (t) => {
  const auth = start(t)
  assert.equal(await auth.sign(small(), new Uint8Array(), []), '')
  assert.equal(auth.threads, 0)
  const key: SigningKey = { domain: 'a.test', selector: 's', algorithm: 'rsa-sha256', privateKeyPem: '' }
  const added = Buffer.from('xxReceived: y\r\nzz').subarray(2, 15)
  const bytes = Buffer.from('content')
  assert.equal(await auth.sign(contentOf(bytes), added, [key, key]), `Received: y\r\n2 ${sha256(bytes)}`)
})

test('a content that cannot be read, or is not as long as it says, is our failure, told without its words', async (t) => {
  const auth = start(t, { wholeBytes: 1000 })
  for (const sizeBytes of [10, 5000]) {
    const broken: ReadableContent = {
      sizeBytes,
      async *pieces() {
        yield Buffer.alloc(5)
        throw Object.assign(new Error('secret path'), { code: 'EIO' })
      },
    }
    await assert.rejects(whyOf(auth, broken, 'hash'), fails(/^the message cannot be read: EIO$/))
  }
  for (const sizeBytes of [3, 30]) {
    const wrong: ReadableContent = { ...contentOf(Buffer.alloc(10)), sizeBytes }
    await assert.rejects(whyOf(auth, wrong, 'hash'), fails(/^the message cannot be read: RangeError$/))
  }
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('a thread without work ends, and does not keep the process alive before that', async (t) => {
  const auth = start(t, { watchMs: 10, idleMs: 50 })
  await whyOf(auth, small(), 'hash')
  while (auth.threads > 0) await sleep(10)
  assert.match((await whyOf(auth, small(), 'hash')) ?? '', /^[0-9a-f]{64}$/)
})

test('stopping waits for what is under way, not without end, and takes nothing more', async (t) => {
  const answer = Promise.withResolvers<Answer<string>>()
  const auth = start(t, { smallAtOnce: 1, threads: 1 }, { txt: () => answer.promise })
  const taken = [whyOf(auth, small(), 'lookups 1'), whyOf(auth, small(), 'lookups 1')]
  const closed = auth.close()
  await assert.rejects(whyOf(auth, small(), 'hash'), fails(/stops/))
  answer.resolve({ kind: 'no-data' })
  assert.deepEqual(await Promise.all(taken), ['no-data', 'no-data'])
  await closed

  const never = start(t, { drainMs: 50 }, { txt: () => new Promise(() => {}) })
  const lost = assert.rejects(whyOf(never, small(), 'lookups 1'), fails(/stops/))
  await never.close()
  await lost
})
