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

  on(
    'what is appended has its trace as soon as it is there, and nothing has one that was refused',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const append = async (mailbox: string): Promise<string> => {
        const id = bench.traceId()
        const events: TraceEvent[] = [{ atMs: 5, kind: 'appended', login: 'anna@example.test', mailbox }]
        const body = await bench.stage('x')
        const date = { internalDateMs: 0, internalDateZoneMinutes: 0 }
        await bench.store.mailboxes.append(anna, mailbox, [
          { body, flags: [], ...date, trace: { id, events } },
        ])
        return id
      }
      const [stored, refused] = [await append('INBOX'), await append('nosuch')]
      const kept = await bench.store.traces.find({ id: stored, limit: 1 })
      const where = { account: 'anna@example.test', mailbox: 'INBOX', uid: 1 }
      assert.deepEqual(kept[0]?.events.slice(1), [{ atMs: 5, kind: 'stored', ...where }])
      assert.deepEqual(await bench.store.traces.find({ id: refused, limit: 1 }), [])
    },
  )
}
