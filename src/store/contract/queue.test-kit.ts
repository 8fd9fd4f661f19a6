import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewQueueItem } from '../../ports/new-queue-item.ts'
import type { QueueItem, RecipientOutcome } from '../../ports/queue.ts'
import { addr, Bench, eventually, type Implementation, mail } from './bench.test-kit.ts'

const SENDER = { reversePath: addr('anna@example.test'), bodyType: '8BITMIME', smtputf8: false } as const

function item(nextAttemptAtMs: number, ...to: string[]): NewQueueItem {
  return {
    sender: SENDER,
    skipBytes: 0,
    recipients: to.map((text) => ({ address: addr(text), notify: ['FAILURE'], orcpt: `rfc822;${text}` })),
    nextAttemptAtMs,
  }
}

function outcome(of: string, state: RecipientOutcome['state'], nextAttemptAtMs = 0): RecipientOutcome {
  const lastReply = { code: 450, enhanced: '4.2.0', lines: ['later'] }
  return { address: addr(of), state, attempts: 1, nextAttemptAtMs, lastReply, lastHost: 'mx.out.test' }
}

export function queueContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`queue: ${title}`, () => Bench.run(implementation, body))
  const due = (bench: Bench, nowMs: number, busy: readonly QueueItem[] = []): Promise<readonly QueueItem[]> =>
    bench.store.queue.due({ nowMs, limit: 10, busy: new Set(busy.map(({ id }) => id)) })

  on('what is queued is there with its commit, due in its time, told of', async (bench) => {
    let told = 0
    bench.store.queue.onChange(() => told++)
    const queue = item(500, 'x@out.test', 'y@out.test')
    const traceId = bench.traceId()
    const stored = await bench.accept(mail('out'), [], { queue, traceId, prefix: 'Received: z\r\n' })
    assert(stored.ok)
    await eventually('the runner is told', () => told > 0)
    assert.deepEqual(await due(bench, 499), [])
    assert.equal(await bench.store.queue.nextDueAtMs(), 500)
    const [found] = await due(bench, 500)
    assert(found)
    assert.deepEqual(
      { ...found, id: 0 },
      {
        id: 0,
        traceId,
        sender: SENDER,
        sizeBytes: `Received: z\r\n${mail('out')}`.length,
        arrivedAtMs: 1_000_000,
        recipients: ['x@out.test', 'y@out.test'].map((text) => ({
          address: addr(text),
          notify: ['FAILURE'],
          orcpt: `rfc822;${text}`,
          state: 'waiting',
          attempts: 0,
          nextAttemptAtMs: 500,
        })),
      },
    )
    assert.deepEqual(await due(bench, 500, [found]), [], 'what is in work is not given again')
    assert.deepEqual(await bench.store.queue.list({ limit: 5 }), [found])
    assert.deepEqual(await bench.store.queue.list({ limit: 5, after: found.id }), [])
  })

  on('the message goes out without what is for final delivery only', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const prefix = 'Return-Path: <a@b.test>\r\nReceived: z\r\n'
    const queue = { ...item(1, 'x@out.test'), skipBytes: 'Return-Path: <a@b.test>\r\n'.length }
    const large = Buffer.concat([Buffer.from(mail('out', '')), Buffer.alloc(500_000, 'text\r\n')])
    for (const text of [Buffer.from(mail('out')), large]) {
      await bench.accept(text, [anna], { queue, prefix })
      const found = (await due(bench, 5)).at(-1)
      assert(found)
      const octets: Uint8Array[] = []
      for await (const piece of bench.store.queue.read(found.id)) octets.push(piece)
      const whole = Buffer.concat(octets)
      assert(whole.equals(Buffer.concat([Buffer.from('Received: z\r\n'), text])))
      assert.equal(found.sizeBytes, whole.length)
      const header = Buffer.from(await bench.store.queue.readHeader(found.id)).toString()
      assert.equal(header, `Received: z\r\n${mail('out', '')}`)
    }
    assert.match((await bench.octets(anna, await bench.view(anna), 1)).toString(), /^Return-Path/)
  })

  on('outcomes: deferred ones wait, the last one takes the item along', async (bench) => {
    const traceId = bench.traceId()
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test', 'y@out.test', 'z@out.test'), traceId })
    const [found] = await due(bench, 5)
    assert(found)
    const outcomes = [outcome('x@out.test', 'delivered'), outcome('y@out.test', 'waiting', 900)]
    const attempt = { atMs: 7, kind: 'attempt', recipients: ['x@out.test'], outcome: 'delivered' } as const
    assert((await bench.store.queue.record({ id: found.id, outcomes, trace: [attempt] })).ok)
    const later = await bench.store.queue.get(found.id)
    assert.deepEqual(
      later?.recipients.map(({ address, attempts, nextAttemptAtMs }) => [
        address.local,
        attempts,
        nextAttemptAtMs,
      ]),
      [
        ['y', 1, 900],
        ['z', 0, 1],
      ],
    )
    assert.deepEqual(later?.recipients[0]?.lastReply, { code: 450, enhanced: '4.2.0', lines: ['later'] })
    assert.equal(later?.recipients[0]?.orcpt, 'rfc822;y@out.test', 'what the sender asked for stays')
    const rest = [outcome('y@out.test', 'failed'), outcome('z@out.test', 'cancelled')]
    await bench.store.queue.record({ id: found.id, outcomes: rest, trace: [] })
    assert.equal(await bench.store.queue.get(found.id), undefined)
    assert.equal(await bench.store.queue.nextDueAtMs(), undefined)
    const [trace] = await bench.store.traces.find({ id: traceId, limit: 1 })
    assert.deepEqual(
      trace?.events.map(({ kind }) => kind),
      ['attempt'],
    )
  })

  on('the DSN comes with the outcome or not at all', async (bench) => {
    const text = mail('DSN')
    const anna = await bench.account('anna@example.test', 10)
    await bench.accept(mail('fills it up'), [anna])
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test') })
    const [found] = await due(bench, 5)
    assert(found)
    const outcomes = [outcome('x@out.test', 'failed')]
    const noRoom = await bench.message(text, [anna])
    const refused = await bench.store.queue.record({ id: found.id, outcomes, trace: [], dsn: noRoom })
    assert(!refused.ok && refused.failure.kind === 'over-quota')
    assert.equal((await due(bench, 5)).length, 1, 'the item waits as before')
    await bench.store.accounts.setQuota('anna@example.test', undefined)
    const dsn = await bench.message(text, [anna])
    assert((await bench.store.queue.record({ id: found.id, outcomes, trace: [], dsn })).ok)
    assert.deepEqual(await due(bench, 5), [])
    assert.match((await bench.octets(anna, await bench.view(anna), 2)).toString(), /DSN/)
  })

  on('what is held is never due, stays listed, and goes on when it is let go', async (bench) => {
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test', 'y@out.test') })
    const [found] = await due(bench, 5)
    assert(found)
    const { queue } = bench.store
    const held = [outcome('x@out.test', 'held', 1), outcome('y@out.test', 'held', 1)]
    assert((await queue.record({ id: found.id, outcomes: held, trace: [] })).ok)
    assert.deepEqual(await due(bench, Number.MAX_SAFE_INTEGER), [])
    assert.equal(await queue.nextDueAtMs(), undefined)
    await bench.reopen()
    const [listed] = await bench.store.queue.list({ limit: 5 })
    assert.deepEqual(
      listed?.recipients.map(({ state }) => state),
      ['held', 'held'],
    )
    const letGo = [outcome('x@out.test', 'waiting', 4)]
    assert((await bench.store.queue.record({ id: found.id, outcomes: letGo, trace: [] })).ok)
    const [again] = await due(bench, 5)
    assert.deepEqual(
      again?.recipients.map(({ state }) => state),
      ['waiting', 'held'],
    )
  })

  on('the outcome of an item that was cancelled meanwhile is no fault', async (bench) => {
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test') })
    const [found] = await due(bench, 5)
    assert(found)
    const { queue } = bench.store
    await queue.record({ id: found.id, outcomes: [outcome('x@out.test', 'cancelled')], trace: [] })
    assert(
      (await queue.record({ id: found.id, outcomes: [outcome('x@out.test', 'waiting', 9)], trace: [] })).ok,
    )
    assert.equal(await queue.get(found.id), undefined)
  })

  on('what became of a cancelled item is told in its trace', async (bench) => {
    const traceId = bench.traceId()
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test'), traceId })
    const [found] = await due(bench, 5)
    assert(found)
    const { queue } = bench.store
    await queue.record({ id: found.id, outcomes: [outcome('x@out.test', 'cancelled')], trace: [] })
    const attempt = { atMs: 7, kind: 'attempt', recipients: ['x@out.test'], outcome: 'delivered' } as const
    const outcomes = [outcome('x@out.test', 'delivered')]
    assert((await queue.record({ id: found.id, traceId, outcomes, trace: [attempt] })).ok)
    const [trace] = await bench.store.traces.find({ id: traceId, limit: 1 })
    assert.deepEqual(trace?.events.at(-1), attempt)
  })

  on('the trace of a cancelled item does not end with a promise to try again', async (bench) => {
    const traceId = bench.traceId()
    await bench.accept(mail('out'), [], { queue: item(1, 'x@out.test'), traceId })
    const [found] = await due(bench, 5)
    assert(found)
    const { queue } = bench.store
    await queue.record({ id: found.id, outcomes: [outcome('x@out.test', 'cancelled')], trace: [] })
    const attempt = { atMs: 7, kind: 'attempt', recipients: ['x@out.test'], outcome: 'deferred' } as const
    const outcomes = [outcome('x@out.test', 'waiting', 9)]
    const trace = [{ ...attempt, nextAttemptAtMs: 9 }]
    assert((await queue.record({ id: found.id, traceId, outcomes, trace })).ok)
    const [told] = await bench.store.traces.find({ id: traceId, limit: 1 })
    assert.deepEqual(told?.events.at(-1), attempt)
  })

  on('a due time that no clock of ours can have set is due', async (bench) => {
    for (const at of [100, 700, 900_000])
      await bench.accept(mail(`${at}`), [], { queue: item(at, `x${at}@out.test`) })
    const found = await bench.store.queue.due({ nowMs: 500, beyondMs: 800, limit: 5, busy: new Set() })
    assert.deepEqual(
      found.map(({ recipients }) => recipients[0]?.address.local),
      ['x100', 'x900000'],
    )
  })

  on('what waits longest comes first, after a restart too', async (bench) => {
    for (const at of [300, 100, 200])
      await bench.accept(mail(`${at}`), [], { queue: item(at, `x${at}@out.test`) })
    await bench.reopen()
    const items = await due(bench, 1000)
    assert.deepEqual(
      items.map(({ recipients }) => recipients[0]?.address.local),
      ['x100', 'x200', 'x300'],
    )
    assert.equal((await bench.store.queue.due({ nowMs: 1000, limit: 2, busy: new Set() })).length, 2)
  })
}
