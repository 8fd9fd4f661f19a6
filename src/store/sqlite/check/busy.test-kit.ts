import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { MailboxView } from '../../../ports/mailboxes.ts'
import type { Access } from '../../../ports/store.ts'
import { addr, type Bench, mail, uids } from '../../contract/bench.test-kit.ts'
import { Random } from '../random.test-kit.ts'

const NAMES = [
  'INBOX',
  'Archive',
  'Trash',
  'Junk',
  'a',
  'a/b',
  'a/b/c',
  'お知らせ/仕事',
] as readonly string[] as readonly MailboxName[]
const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', 'Later', '$Work', 'K1', 'K2']
const LARGE = 300_000

/** Does anything that a store can be asked for, as several clients at once would. Refusals are answers like others. */
export class BusyClients {
  readonly #bench: Bench
  readonly #random: Random
  readonly #people = new Map<string, Access>()
  readonly #views: MailboxView[] = []
  #sent = 0

  constructor(bench: Bench, seed: number) {
    this.#bench = bench
    this.#random = new Random(seed)
  }

  async work(steps: number): Promise<void> {
    for (const name of ['anna', 'ben']) await this.#arrive(`${name}@example.test`)
    const waiting = new Set<Promise<unknown>>()
    for (let i = 0; i < steps; i++) {
      const one: Promise<unknown> = this.#step().finally(() => waiting.delete(one))
      waiting.add(one)
      // Some at once, so that they meet in groups.
      if (waiting.size > 6) await Promise.race(waiting)
    }
    await Promise.all(waiting)
  }

  leave(): void {
    for (const view of this.#views.splice(0)) view.close()
  }

  async #step(): Promise<unknown> {
    const [login, access] = this.#one([...this.#people])
    const { mailboxes } = this.#bench.store
    const name = this.#one(NAMES)
    const dice = this.#random.next() * 100
    if (dice < 28) return this.#deliver(access)
    if (dice < 36) return this.#append(access, name)
    if (dice < 40) return this.#queue()
    if (dice < 44) return this.#recordSome()
    if (dice < 84) return this.#inView(access, name)
    if (dice < 88) return mailboxes.create(access, name)
    if (dice < 91) return mailboxes.delete(access, name)
    if (dice < 94)
      return mailboxes.rename(
        access,
        name,
        `${this.#one(NAMES)}${Math.floor(this.#random.next() * 4)}` as MailboxName,
      )
    if (dice < 96) return mailboxes.subscribe(access, name, this.#random.next() < 0.5)
    if (dice < 97) return this.#leaveAndComeBack(login)
    const view = this.#views.shift()
    return view?.close()
  }

  async #arrive(login: string): Promise<void> {
    const made = await this.#bench.store.accounts.addAccount({ login })
    if (!made.ok) return
    this.#people.set(login, { actor: { kind: 'account', account: made.value.id }, owner: made.value.id })
  }

  async #leaveAndComeBack(login: string): Promise<void> {
    await this.#bench.store.accounts.removeAccount(login)
    await this.#arrive(login)
  }

  #text(): Buffer {
    const n = ++this.#sent
    const size = this.#random.next() < 0.15 ? LARGE : Math.floor(this.#random.next() * 5000)
    const id = `Message-ID: <${n % 40}@example.test>\r\nReferences: <${(n * 7) % 40}@example.test>\r\n`
    return Buffer.from(mail(`number ${n}`, 'some text\r\n'.repeat(Math.ceil(size / 11)), id))
  }

  async #deliver(access: Access): Promise<void> {
    const others = [...this.#people.values()].filter(() => this.#random.next() < 0.3)
    const to = [...new Set([access, ...others])]
    const flags = FLAGS.filter(() => this.#random.next() < 0.2)
    await this.#accept(to, { flags, mailbox: this.#one(NAMES) })
  }

  async #accept(to: readonly Access[], more: Parameters<Bench['message']>[2]): Promise<void> {
    const message = await this.#bench.message(this.#text(), to, { ...more, prefix: 'Received: here\r\n' })
    const stored = await this.#bench.store.intake.accept(message)
    if (!stored.ok) message.body.discard()
  }

  async #append(access: Access, name: MailboxName): Promise<void> {
    const body = await this.#bench.stage(this.#text())
    const message = { body, flags: ['Later'], internalDateMs: -5, internalDateZoneMinutes: 540 }
    const appended = await this.#bench.store.mailboxes.append(access, name, [message])
    if (!appended.ok) body.discard()
  }

  #queue(): Promise<void> {
    const sender = { reversePath: addr('anna@example.test'), bodyType: '8BITMIME', smtputf8: false } as const
    const recipients = ['x@out.test', 'y@out.test'].map((to) => ({ address: addr(to) }))
    return this.#accept([], { queue: { sender, recipients, nextAttemptAtMs: 1, skipBytes: 0 } })
  }

  async #recordSome(): Promise<unknown> {
    const { queue } = this.#bench.store
    const [item] = await queue.due({ nowMs: 10, limit: 1, busy: new Set() })
    const address = item?.recipients[0]?.address
    if (item === undefined || address === undefined) return undefined
    const state = this.#random.next() < 0.7 ? 'delivered' : 'waiting'
    const outcome = { address, state, attempts: 1, nextAttemptAtMs: 5 } as const
    const trace = [{ atMs: 5, kind: 'retry-asked', by: 'test' }] as const
    return queue.record({ id: item.id, traceId: item.traceId, outcomes: [outcome], trace })
  }

  async #inView(access: Access, name: MailboxName): Promise<unknown> {
    const { mailboxes } = this.#bench.store
    const opened = await mailboxes.open(access, name, { readOnly: false })
    if (!opened.ok) return undefined
    const view = opened.value
    const some = uids(view).filter(() => this.#random.next() < 0.3)
    const flags = FLAGS.filter(() => this.#random.next() < 0.4)
    const action = this.#one(['add', 'remove', 'replace'] as const)
    const dice = this.#random.next()
    if (dice < 0.4) await mailboxes.storeFlags(access, view, { uids: some, action, flags, silent: false })
    else if (dice < 0.65) await mailboxes.expunge(access, view)
    else if (dice < 0.8) await mailboxes.copy(access, view, some, this.#one(NAMES))
    else await mailboxes.move(access, view, some, this.#one(NAMES))
    // Some sessions stay and lag behind: what they show stays, too.
    if (this.#random.next() < 0.2) this.#views.push(view)
    else view.close()
    return undefined
  }

  #one<T>(of: readonly T[]): T {
    return this.#random.pick(of)
  }
}
