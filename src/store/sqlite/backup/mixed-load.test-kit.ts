import assert from 'node:assert/strict'
import type { MailboxView } from '../../../ports/mailboxes.ts'
import type { NewQueueItem } from '../../../ports/new-queue-item.ts'
import type { Access } from '../../../ports/store.ts'
import { addr, type Bench, mail } from '../../contract/bench.test-kit.ts'
import { Random } from '../random.test-kit.ts'

/** Bodies of more than `INLINE_BODY_BYTES` are files. */
const LARGE = 'A large body, kept in a file of its own.\r\n'.repeat(7000)
const MIDDLE = 'A body in the database.\r\n'.repeat(900)

/** One hand that does everything that changes a store, each step after the answer to the one before. */
export class Hand {
  readonly #bench: Bench
  readonly #own: Access
  readonly #others: readonly Access[]
  readonly #random: (below: number) => number
  #count = 0

  constructor(bench: Bench, own: Access, others: readonly Access[], seed: number) {
    this.#bench = bench
    this.#own = own
    this.#others = others
    const random = new Random(seed)
    this.#random = (below) => random.below(below)
  }

  async run(isOver: () => boolean): Promise<void> {
    const view = await this.#bench.view(this.#own)
    while (!isOver()) {
      await this.#step(view)
      view.sync({ expunges: true })
    }
    view.close()
  }

  async #step(view: MailboxView): Promise<void> {
    const { mailboxes } = this.#bench.store
    const kind = this.#random(20)
    const name = `${this.#own.owner}/${++this.#count}`
    if (kind < 6) await this.#deliver(name, [this.#own])
    else if (kind < 8) await this.#deliver(name, [this.#own, ...this.#others])
    else if (kind < 9) await this.#deliver(name, [], { queue: queueItem(`${this.#count}@far.test`) })
    else if (kind < 10) await this.#outcome()
    else if (kind < 11) {
      const body = await this.#bench.stage(mail(name, this.#text()))
      const message = { body, flags: ['\\Seen', 'Work'], internalDateMs: 1, internalDateZoneMinutes: 0 }
      await mailboxes.append(this.#own, 'Sent', [message])
    } else if (kind < 14) {
      const flags = [
        ['\\Flagged', '\\Seen', '\\Deleted', `Word${this.#random(5)}`][this.#random(4)] as string,
      ]
      const action = this.#random(2) === 0 ? 'add' : 'remove'
      await mailboxes.storeFlags(this.#own, view, { uids: this.#uids(view, 5), action, flags, silent: false })
    } else if (kind < 16) {
      const uids = this.#uids(view, 2)
      await mailboxes.storeFlags(this.#own, view, { uids, action: 'add', flags: ['\\Deleted'], silent: true })
      await mailboxes.expunge(this.#own, view, uids)
    } else if (kind < 17) await mailboxes.move(this.#own, view, this.#uids(view, 2), 'Archive')
    else if (kind < 18) await mailboxes.copy(this.#own, view, this.#uids(view, 2), 'Trash')
    else if (kind < 19) {
      await mailboxes.create(this.#own, `folder ${name}`)
      await mailboxes.rename(this.#own, `folder ${name}`, `renamed ${name}`)
      if (this.#random(2) === 0) await mailboxes.delete(this.#own, `renamed ${name}`)
    } else await this.#bench.store.accounts.setAlias(`a${this.#count}@example.test`, ['x@example.test'])
  }

  async #deliver(
    name: string,
    to: readonly Access[],
    more: { readonly queue?: NewQueueItem } = {},
  ): Promise<void> {
    const stored = await this.#bench.accept(mail(name, this.#text()), to, {
      prefix: 'Received: x\r\n',
      ...more,
    })
    assert(stored.ok, stored.ok ? '' : stored.failure.cause)
  }

  /** Something became of the oldest message in the queue. */
  async #outcome(): Promise<void> {
    const { queue } = this.#bench.store
    const [item] = await queue.list({ limit: 1 })
    const recipient = item?.recipients[0]
    if (item === undefined || recipient === undefined) return
    const state = this.#random(2) === 0 ? 'delivered' : 'waiting'
    const outcome = { ...recipient, state, attempts: recipient.attempts + 1, nextAttemptAtMs: 9 } as const
    const trace = [{ atMs: 5, kind: 'retry-asked', by: 'the test' }] as const
    await queue.record({ id: item.id, outcomes: [outcome], trace })
  }

  #text(): string {
    const size = this.#random(10)
    return size === 0 ? LARGE : size < 4 ? MIDDLE : 'Short.\r\n'
  }

  #uids(view: MailboxView, most: number): number[] {
    if (view.exists === 0) return []
    return Array.from({ length: 1 + this.#random(most) }, () => view.uid(1 + this.#random(view.exists)))
      .sort((a, b) => a - b)
      .filter((uid, index, all) => uid !== all[index - 1])
  }
}

export function queueItem(to: string): NewQueueItem {
  return {
    sender: { reversePath: addr('anna@example.test'), bodyType: '8BITMIME', smtputf8: false },
    skipBytes: 0,
    recipients: [{ address: addr(to), notify: ['FAILURE'], orcpt: undefined }],
    nextAttemptAtMs: 10,
  }
}
