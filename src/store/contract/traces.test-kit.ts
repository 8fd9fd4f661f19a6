import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceEvent } from '../../mail/trace.ts'
import { Bench, eventually, type Implementation, mail } from './bench.test-kit.ts'

export function tracesContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`traces: ${title}`, () => Bench.run(implementation, body))

  on('found by id, by parts of the sender’s and the recipients’ addresses, newest first', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const made: string[] = []
    for (const [from, to] of [
      ['ben@far.test', 'anna@example.test'],
      ['Carl@FAR.test', 'nobody@example.test'],
      ['dora@near.test', 'anna@example.test'],
    ] as const) {
      const traceId = bench.traceId()
      made.push(traceId)
      const trace: TraceEvent[] = [
        { atMs: 1, kind: 'sender', reversePath: from },
        { atMs: 2, kind: 'recipient', address: to, as: 'account' },
      ]
      if (to.startsWith('anna')) await bench.deliver(mail('x'), anna, { traceId, trace })
      else bench.store.intake.trace(traceId, trace)
    }
    const find = async (query: {
      from?: string
      to?: string
      id?: string
      limit?: number
    }): Promise<string[]> => (await bench.store.traces.find({ limit: 10, ...query })).map(({ id }) => id)
    await eventually('all are there', async () => (await find({})).length === 3)
    assert.deepEqual(await find({ from: '@far.' }), [made[1], made[0]])
    assert.deepEqual(await find({ to: 'ANNA' }), [made[2], made[0]])
    assert.deepEqual(await find({ to: 'anna', from: 'dora' }), [made[2]])
    assert.deepEqual(await find({ id: made[1] as string }), [made[1]])
    assert.deepEqual(await find({ limit: 2 }), [made[2], made[1]])
    assert.deepEqual(await find({ from: 'nobody@nowhere' }), [])
    assert.deepEqual(await find({ id: 'unknown' }), [])
  })
}
