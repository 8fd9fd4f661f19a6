import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Reply, reply } from '../../src/mail/reply.ts'
import type { DeliveryJob } from '../../src/ports/deliverer.ts'
import type { QueueItem, QueueStore } from '../../src/ports/queue.ts'
import { Ledger } from './ledger.ts'
import { observe } from './observed.ts'
import { addressOf } from './submitter.ts'

const REFUSED = reply(550, '5.1.1', 'There is no mailbox')
const LOST = reply(451, '4.4.2', 'The server closed the connection')

/** Doubts about u1 after one attempt at a host that took so many pieces of two and then said this of u1; nobody was refused. */
async function doubtsAfter(pieces: number, said: Reply): Promise<number> {
  const ledger = new Ledger()
  const recipients = ['nobody@b.test', 'u1@b.test'].map((text) => ({ address: addressOf(text) }))
  const item = { traceId: 'trace', recipients } as unknown as QueueItem
  const { queue, deliverer } = observe({
    ledger,
    life: {},
    queue: { due: () => Promise.resolve([item]) } as unknown as QueueStore,
    deliverer: {
      deliver: async (job) => {
        let left = pieces
        for await (const _ of job.body()) if (--left <= 0) break
        const answers = job.recipients.map(({ address }, at) => ({
          address,
          reply: at === 0 ? REFUSED : said,
        }))
        return { kind: 'answered', answers, dsnOffered: false }
      },
    },
  })
  await queue.due({ nowMs: 0, limit: 1, busy: new Set() })
  const body = async function* () {
    yield new Uint8Array(1)
    yield new Uint8Array(1)
  }
  await deliverer.deliver({ recipients, body } as unknown as DeliveryJob)
  return ledger.doubtsOf('trace', 'u1@b.test')
}

test('a second copy may come of a host that was lost behind the content, though it had refused others', async () => {
  assert.equal(await doubtsAfter(3, LOST), 1)
})

test('none may come of a host that was lost within the content, or that answered', async () => {
  assert.equal(await doubtsAfter(1, LOST), 0)
  assert.equal(await doubtsAfter(3, reply(250, '2.0.0', 'Accepted')), 0)
})
