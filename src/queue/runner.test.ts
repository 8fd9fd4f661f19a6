import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueId } from '../mail/ids.ts'
import { reply } from '../mail/reply.ts'
import type { Delivery } from '../ports/deliverer.ts'
import type { QueueItem } from '../ports/queue.ts'
import { MAX_DUE_ITEMS, MAX_PER_DOMAIN } from './limits.ts'
import { address, DEFERRED, type Host, REFUSED, says, settled, TAKEN, World } from './store.test-kit.ts'

const NEVER: Host = () => new Promise<Delivery>(() => {})
const MINUTE = 60_000

test('delivered: gone from the queue, nobody is told', async () => {
  const world = new World()
  world.hosts.set('a.test', says(TAKEN))
  world.queue.add({}, ['x@a.test', 'y@a.test'])
  world.runner.start()
  await settled()
  assert.deepEqual(world.tried, ['x@a.test y@a.test'], 'one transaction for both')
  assert.equal(world.queue.items.size, 0)
  assert.deepEqual(world.queue.dsns, [])
  assert.deepEqual(
    world.queue.traces.map((event) => event.kind === 'attempt' && event.recipients),
    [['x@a.test', 'y@a.test']],
  )
  await world.runner.stop()
})

test('refused: the outcome and the report are one commit', async () => {
  const world = new World()
  world.hosts.set('a.test', says(REFUSED))
  world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await settled()
  assert.equal(world.queue.records, 1)
  assert.equal(world.queue.items.size, 0)
  const [dsn] = world.queue.dsns
  assert.equal(dsn?.reversePath, null)
  assert.deepEqual(
    dsn?.deliveries.map(({ owner, mailbox }) => [owner, mailbox]),
    [[1, 'INBOX']],
  )
  assert.equal(dsn?.queue, undefined, 'mail for an account never leaves the machine')
  assert.match(world.dsn(), /Action: failed\r\nStatus: 5\.1\.1/)
  assert.match(world.dsn(), /Content-Type: message\/rfc822\r\n\r\nFrom: me@example.test/)
  assert.ok(world.queue.traces.some((event) => event.kind === 'dsn' && event.traceId === dsn?.traceId))
})

test('refused, and the message cannot be read now: the report says which it was', async () => {
  const world = new World()
  world.hosts.set('a.test', says(REFUSED))
  world.queue.unreadable.add(world.queue.add({}, ['x@a.test']))
  world.queue.damaged.set(world.queue.add({}, ['y@a.test']), 'its checksum does not match')
  world.runner.start()
  await settled()
  const about = (recipient: string) =>
    [world.dsn(0), world.dsn(1)].find((dsn) => dsn.includes(recipient)) ?? ''
  const header = /Content-Type: text\/rfc822-headers\r\n\r\nFrom: me@example.test\r\nSubject: hello/
  assert.match(about('; x@a.test'), header)
  assert.doesNotMatch(about('; y@a.test'), header, 'nothing of damaged octets')
})

test('octets of a damaged header go back in no report: neither with RET=HDRS nor in one of a delay', async () => {
  const sender = { reversePath: address('me@example.test'), bodyType: '7BIT', smtputf8: false } as const
  for (const [reply, ret, action] of [
    [REFUSED, 'HDRS', /Action: failed/],
    [DEFERRED, undefined, /Action: delayed/],
  ] as const) {
    const world = new World()
    world.hosts.set('a.test', says(reply))
    const id = world.queue.add({ sender: { ...sender, ret } }, ['x@a.test'])
    world.queue.damaged.set(id, 'its checksum does not match')
    world.runner.start()
    await world.clock.pass(24 * 60 * MINUTE)
    assert.match(world.dsn(0), action)
    assert.doesNotMatch(world.dsn(0), /Subject: hello/)
  }
})

test('deferred: tried again on the schedule, told late once, given up in the end', async () => {
  const world = new World()
  world.hosts.set('a.test', says(DEFERRED))
  world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await world.clock.pass(59_000)
  assert.equal(world.jobs.length, 1)
  await world.clock.pass(2_000)
  assert.equal(world.jobs.length, 2)
  await world.clock.pass(4 * MINUTE)
  assert.equal(world.jobs.length, 4)
  assert.equal(world.queue.dsns.length, 1)
  assert.match(world.dsn(0), /Action: delayed\r\nStatus: 4\.7\.1/)
  assert.match(world.dsn(0), /Will-Retry-Until: /)
  await world.clock.pass(20 * MINUTE)
  assert.equal(world.queue.items.size, 0)
  assert.equal(world.queue.dsns.length, 2)
  assert.match(world.dsn(1), /Action: failed\r\nStatus: 4\.4\.7/)
  assert.match(world.dsn(1), /Diagnostic-Code: smtp; 451 4\.7\.1 greylisted/)
})

test('attack 13a: a bounce never bounces', async () => {
  const world = new World()
  world.hosts.set('a.test', says(REFUSED))
  world.queue.add({ sender: { reversePath: null, bodyType: '7BIT', smtputf8: false } }, ['x@a.test'])
  world.runner.start()
  await settled()
  assert.equal(world.queue.items.size, 0)
  assert.deepEqual(world.queue.dsns, [])
})

test('a sender elsewhere is told by the queue, one of ours that is gone by nobody', async () => {
  const world = new World()
  world.hosts.set('a.test', says(REFUSED))
  const from = (text: string): Partial<QueueItem> => ({
    sender: { reversePath: address(text), bodyType: '7BIT', smtputf8: false },
  })
  world.queue.add(from('far@remote.test'), ['x@a.test'])
  world.queue.add(from('gone@example.test'), ['x@a.test'])
  world.runner.start()
  await settled()
  assert.equal(world.queue.items.size, 0)
  assert.deepEqual(
    world.queue.dsns.map(({ queue }) => queue?.recipients[0]?.address.domain),
    ['remote.test'],
  )
  assert.equal(world.queue.dsns[0]?.queue?.sender.reversePath, null)
  assert.ok(world.queue.traces.some((event) => event.kind === 'check' && event.result === 'nobody'))
})

test('the sender’s mailbox is full: the outcome is recorded all the same, once', async () => {
  const world = new World()
  world.hosts.set('a.test', says(REFUSED))
  world.queue.add({}, ['x@a.test'])
  world.queue.dsnFailure = { kind: 'over-quota', cause: 'full' }
  world.runner.start()
  await world.clock.pass(MINUTE)
  assert.equal(world.jobs.length, 1)
  assert.equal(world.queue.items.size, 0)
  assert.ok(world.queue.traces.some((event) => event.kind === 'check' && event.result === 'lost'))
})

test('an outcome that can not be recorded is held until it can: nothing is sent twice', async () => {
  const world = new World()
  world.hosts.set('a.test', says(TAKEN))
  world.queue.add({}, ['x@a.test'])
  for (let i = 0; i < 5; i++) world.queue.failures.push({ kind: 'full', cause: 'disk full' })
  world.runner.start()
  await world.clock.pass(45_000)
  assert.equal(world.queue.items.size, 1)
  await world.clock.pass(10 * MINUTE)
  assert.equal(world.queue.items.size, 0)
  assert.equal(world.jobs.length, 1)
  assert.equal(world.logged.filter(({ name }) => name === 'store.fault').length, 5)
})

test('a stop waits for the attempt under way and records it; nothing new is begun', async () => {
  const world = new World()
  const answer = Promise.withResolvers<Delivery>()
  world.hosts.set('a.test', () => answer.promise)
  world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await settled()
  let stopped = false
  const stopping = world.runner.stop().then(() => {
    stopped = true
  })
  world.queue.add({}, ['y@b.test'])
  world.runner.wake()
  await settled()
  assert.equal(stopped, false)
  const [job] = world.jobs
  assert.ok(job)
  answer.resolve(await says(TAKEN)(job))
  await stopping
  assert.equal(world.jobs.length, 1)
  assert.equal(world.queue.items.size, 1)
  await world.clock.pass(MINUTE)
  assert.equal(world.jobs.length, 1)
})

test('a stop cuts short what a host has not been given: the message stays as it was', async () => {
  const world = new World()
  world.hosts.set(
    'a.test',
    (job) =>
      new Promise<Delivery>((resolve) =>
        job.signal?.addEventListener('abort', () =>
          resolve({ kind: 'no-contact', reply: reply(451, '4.3.2', 'stopped') }),
        ),
      ),
  )
  const id = world.queue.add({}, ['x@a.test'])
  const before = structuredClone(world.queue.items.get(id)?.item)
  world.runner.start()
  await settled()
  assert.equal(world.runner.attempts, 1)
  assert.equal(world.runner.isTrying(id), true)
  await world.runner.stop()
  assert.deepEqual(world.queue.items.get(id)?.item, before)
  assert.deepEqual(world.queue.traces, [])
})

test('a stop during a full disk does not hang; the message stays', async () => {
  const world = new World()
  world.hosts.set('a.test', says(TAKEN))
  world.queue.add({}, ['x@a.test'])
  for (let i = 0; i < 100; i++) world.queue.failures.push({ kind: 'full', cause: 'disk full' })
  world.runner.start()
  await settled()
  await world.runner.stop()
  assert.equal(world.queue.items.size, 1)
})

test('a slow domain holds neither other recipients of the message nor other messages', async () => {
  const world = new World()
  world.hosts.set('slow.test', NEVER)
  world.hosts.set('a.test', says(TAKEN))
  world.queue.add({}, ['x@slow.test', 'x@a.test'])
  for (let i = 0; i < 2 * MAX_DUE_ITEMS; i++) world.queue.add({}, [`u${i}@slow.test`])
  world.queue.add({}, ['last@a.test'])
  world.runner.start()
  await settled()
  assert.ok(world.tried.includes('x@a.test'))
  assert.ok(world.tried.includes('last@a.test'), 'behind two hundred messages for the slow one')
  assert.equal(world.tried.filter((to) => to.endsWith('slow.test')).length, MAX_PER_DOMAIN)
})

test('who waits for room goes on as soon as there is some, in order', async () => {
  const world = new World()
  const answers: (() => void)[] = []
  world.hosts.set(
    'a.test',
    (job) => new Promise((resolve) => void answers.push(() => resolve(says(TAKEN)(job) as Delivery))),
  )
  for (let i = 0; i < 12; i++) world.queue.add({}, [`u${i}@a.test`])
  world.runner.start()
  for (let done = 0; done < 12; done++) {
    await settled()
    assert.ok(world.jobs.length - done <= MAX_PER_DOMAIN)
    answers[done]?.()
  }
  await settled()
  assert.deepEqual(
    world.tried,
    Array.from({ length: 12 }, (_, i) => `u${i}@a.test`),
  )
  assert.equal(world.queue.items.size, 0)
})

test('no more connections at once than allowed', async () => {
  const world = new World({ maxConnections: 3 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    world.hosts.set(`${name}.test`, NEVER)
    world.queue.add({}, [`x@${name}.test`, `y@${name}2.test`])
    world.hosts.set(`${name}2.test`, NEVER)
  }
  world.runner.start()
  await settled()
  assert.equal(world.jobs.length, 3)
})

test('the next host where the first can not be reached, none where it may have the message', async () => {
  const world = new World()
  const kinds: Delivery[] = [
    { kind: 'no-contact', reply: reply(421, '4.3.2', 'busy') },
    { kind: 'unknown', reply: reply(451, '4.4.2', 'lost') },
  ]
  world.hosts.set('two.test', () => kinds.shift() ?? assert.fail('a third host'))
  world.queue.add({}, ['x@two.test'])
  world.runner.start()
  await settled()
  assert.deepEqual(
    world.jobs.map(({ hop }) => hop.name),
    ['mx1.two.test', 'mx2.two.test'],
  )
  const [item] = [...world.queue.items.values()]
  assert.equal(item?.item.recipients[0]?.lastReply?.enhanced, '4.4.2')
})

test('cancelled during the attempt: the outcome does not bring it back', async () => {
  const world = new World()
  const answer = Promise.withResolvers<Delivery>()
  world.hosts.set('a.test', () => answer.promise)
  const id = world.queue.add({}, ['x@a.test', 'y@b.test'])
  world.hosts.set('b.test', says(DEFERRED))
  world.runner.start()
  await settled()
  const item = await world.queue.get(id)
  const outcomes = (item?.recipients ?? []).map((one) => ({ ...one, state: 'cancelled' as const }))
  await world.queue.record({ id, outcomes, trace: [] })
  const [job] = world.jobs
  assert.ok(job)
  answer.resolve(await says(DEFERRED)(job))
  await world.clock.pass(10 * MINUTE)
  assert.equal(world.queue.items.size, 0)
  assert.equal(world.jobs.length, 2)
  assert.ok(world.queue.traces.some((event) => event.kind === 'attempt' && event.outcome === 'deferred'))
})

test('cancelled while it fails: the sender is told, without the message that is gone', async () => {
  const world = new World()
  const answer = Promise.withResolvers<Delivery>()
  world.hosts.set('a.test', () => answer.promise)
  const id = world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await settled()
  world.queue.items.delete(id)
  const [job] = world.jobs
  assert.ok(job)
  answer.resolve(await says(REFUSED)(job))
  await settled()
  assert.equal(world.queue.dsns.length, 1)
  assert.deepEqual(
    world.logged.filter(({ name }) => name === 'server.fault'),
    [],
  )
})

test('attack 29j: a fault of our own is a deferral: a message that trips us is given up in the end', async () => {
  const world = new World()
  world.hosts.set('a.test', () => {
    throw new Error('a bug')
  })
  world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await world.clock.pass(30 * MINUTE)
  assert.equal(world.queue.items.size, 0)
  assert.ok(world.jobs.length < 20)
  assert.ok(world.logged.some(({ name }) => name === 'server.fault'))
})

test('attack 29f: a clock put back by a day does not hold mail for a day', async () => {
  const world = new World()
  const nextAttemptAtMs = world.clock.nowMs + 24 * 60 * MINUTE
  world.hosts.set('a.test', says(TAKEN))
  world.queue.add({ arrivedAtMs: nextAttemptAtMs }, [{ address: address('x@a.test'), nextAttemptAtMs }])
  world.runner.start()
  await settled()
  assert.equal(world.queue.items.size, 0)
})

test('attack 29f: a clock that jumps forward by a year gives nothing up at once', async () => {
  const world = new World()
  world.hosts.set('a.test', says(DEFERRED))
  world.queue.add({}, ['x@a.test'])
  world.clock.nowMs += 365 * 24 * 60 * MINUTE
  world.runner.start()
  await settled()
  assert.equal(world.queue.items.size, 1)
  world.hosts.set('a.test', says(TAKEN))
  await world.clock.pass(2 * MINUTE)
  assert.equal(world.queue.items.size, 0)
})

test('everything goes through the smarthost; a wrong password there defers and keeps the mail', async () => {
  const policy = { tls: 'starttls', auth: { user: 'u', password: 'p' } } as const
  const world = new World({ smarthost: { host: 'smart.test', port: 587, policy } })
  world.hosts.set('smart.test', () => ({ kind: 'no-contact', reply: reply(535, '5.7.8', 'wrong password') }))
  world.queue.add({}, ['x@a.test', 'y@b.test'])
  world.runner.start()
  await settled()
  assert.deepEqual(world.tried, ['x@a.test y@b.test'])
  assert.deepEqual(world.jobs[0]?.hop, { name: 'smart.test', address: '192.0.2.1', port: 587 })
  assert.deepEqual(world.jobs[0]?.policy, policy)
  const [item] = [...world.queue.items.values()]
  assert.deepEqual(
    item?.item.recipients.map(({ lastReply }) => lastReply?.code),
    [535, 535],
  )
  assert.deepEqual(world.queue.dsns, [])
})

test('a domain that does not exist comes back at once', async () => {
  const world = new World()
  world.queue.add({}, ['x@nowhere.test'])
  world.runner.start()
  await settled()
  assert.deepEqual(world.jobs, [])
  assert.match(world.dsn(), /Status: 5\.1\.2/)
})

test('several outcomes of one attempt are one report', async () => {
  const world = new World()
  world.hosts.set('a.test', ({ recipients }) => ({
    kind: 'answered',
    answers: recipients.map(({ address: to }) => ({
      address: to,
      reply: to.local === 'bad' ? REFUSED : to.local === 'late' ? DEFERRED : TAKEN,
    })),
    dsnOffered: false,
  }))
  const notify = ['SUCCESS', 'FAILURE', 'DELAY'] as const
  const to = ['ok', 'bad', 'late'].map((local) => ({ address: address(`${local}@a.test`), notify }))
  world.queue.add({ arrivedAtMs: world.clock.nowMs - 400_000 }, to)
  world.runner.start()
  await settled()
  assert.equal(world.queue.dsns.length, 1)
  assert.equal(world.queue.records, 1)
  assert.deepEqual(
    [...world.dsn().matchAll(/^Action: (\w+)/gm)].map(([, action]) => action),
    ['relayed', 'failed', 'delayed'],
  )
  assert.match(world.dsn(), /^Subject: Your message could not be delivered\r$/m)
  assert.equal([...world.queue.items.keys()].length, 1)
})

test('a store that fails is asked again later, not at once', async () => {
  const world = new World()
  let asked = 0
  const due = world.queue.due.bind(world.queue)
  world.queue.due = async (query) => {
    asked++
    if (asked < 3) throw new Error('no disk')
    return due(query)
  }
  world.hosts.set('a.test', says(TAKEN))
  const id: QueueId = world.queue.add({}, ['x@a.test'])
  world.runner.start()
  await world.clock.pass(9_000)
  assert.equal(asked, 1)
  await world.clock.pass(20_000)
  assert.equal(world.queue.items.has(id), false)
})

test('attack 29j: a message whose octets are damaged is held back alone: others go out, the log and its sender are told', async () => {
  const world = new World()
  world.hosts.set('a.test', says(TAKEN))
  const broken = world.queue.add({}, ['x@a.test'])
  world.queue.damaged.set(broken, 'its checksum does not match')
  world.queue.add({}, ['y@a.test'])
  // As a deliverer does that takes the message in hand.
  world.hosts.set('a.test', async (job) => {
    for await (const _ of job.body());
    return says(TAKEN)(job)
  })
  world.runner.start()
  await world.clock.pass(MINUTE)
  assert.deepEqual([...world.queue.items.keys()], [broken], 'the other one is out')
  const asked = world.jobs.length
  await world.clock.pass(24 * 60 * MINUTE)
  assert.equal(world.jobs.length, asked, 'no host is called again for it')
  assert.ok(world.logged.some(({ name }) => name === 'message.damaged'))
  assert.ok(world.queue.traces.some((event) => JSON.stringify(event).includes('damaged on this server')))
  await world.clock.pass(7 * 24 * 60 * MINUTE)
  assert.equal(world.queue.items.size, 0, 'it is given up like any other')
})
