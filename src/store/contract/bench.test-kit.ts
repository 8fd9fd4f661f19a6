import assert from 'node:assert/strict'
import { type Address, parseAddress } from '../../mail/address.ts'
import { type AccountId, makeTraceId, type TraceId } from '../../mail/ids.ts'
import type { TraceEvent } from '../../mail/trace.ts'
import type { AccountStore } from '../../ports/accounts.ts'
import type { Directory } from '../../ports/directory.ts'
import type { FetchRow, FetchWanted, Mailboxes, MailboxView, SectionBytes } from '../../ports/mailboxes.ts'
import type { NewHold } from '../../ports/new-hold.ts'
import type { NewQueueItem } from '../../ports/new-queue-item.ts'
import type { Quarantine } from '../../ports/quarantine.ts'
import type { QueueStore } from '../../ports/queue.ts'
import type { ReportStore } from '../../ports/reports.ts'
import type {
  AcceptedEntry,
  AcceptMessage,
  Access,
  Intake,
  StagedBody,
  Stored,
  Traces,
} from '../../ports/store.ts'
import type { TrustList } from '../../ports/trust.ts'

/** What the contract is tested on: ports alone. */
export interface ContractStore {
  readonly intake: Intake
  readonly traces: Traces
  readonly queue: QueueStore
  readonly mailboxes: Mailboxes
  readonly accounts: AccountStore
  readonly directory: Directory
  readonly reports: ReportStore
  readonly quarantine: Quarantine
  readonly trust: TrustList
  close(): Promise<void>
}

/** One implementation. Domains are `example.test` and `second.test`, the separator is `+`. */
export interface Implementation {
  readonly name: string
  /** A store without anything in it. */
  open(): Promise<OpenedStore>
}

export interface OpenedStore {
  readonly store: ContractStore
  /** Closes it and opens the same data again. */
  reopen(): Promise<ContractStore>
  /** Closes it and removes its data. */
  dispose(): Promise<void>
}

/** A store for one test, with helpers; disposed of when the test ends. */
export class Bench {
  store: ContractStore
  readonly #opened: OpenedStore
  #traces = 0

  constructor(opened: OpenedStore) {
    this.#opened = opened
    this.store = opened.store
  }

  static async run(implementation: Implementation, test: (bench: Bench) => Promise<void>): Promise<void> {
    const opened = await implementation.open()
    try {
      await test(new Bench(opened))
    } finally {
      await opened.dispose()
    }
  }

  async reopen(): Promise<void> {
    this.store = await this.#opened.reopen()
  }

  async account(login: string, quotaBytes?: number): Promise<Access> {
    const made = await this.store.accounts.addAccount({ login, quotaBytes })
    assert(made.ok, `account ${login}`)
    return accessOf(made.value.id)
  }

  async stage(text: string | Uint8Array): Promise<StagedBody> {
    const writer = this.store.intake.body(1 << 30)
    await writer.write(Buffer.from(text))
    const staged = await writer.finish()
    assert(staged.ok)
    return staged.value
  }

  async message(
    text: string | Uint8Array,
    to: readonly Access[],
    more: {
      readonly mailbox?: string
      readonly flags?: readonly string[]
      readonly prefix?: string
      readonly queue?: NewQueueItem
      readonly trace?: readonly TraceEvent[]
      readonly traceId?: TraceId
      readonly receivedAtMs?: number
      readonly hold?: NewHold
    } = {},
  ): Promise<AcceptMessage> {
    const { flags = [], mailbox = 'INBOX', prefix = '' } = more
    return {
      traceId: more.traceId ?? this.traceId(),
      trace: more.trace ?? [],
      body: await this.stage(text),
      prefix: Buffer.from(prefix),
      reversePath: addr('sender@elsewhere.test'),
      receivedAtMs: more.receivedAtMs ?? 1_000_000,
      deliveries: to.map(({ owner }) => ({ owner, mailbox, flags, recipient: addr('someone@example.test') })),
      queue: more.queue,
      hold: more.hold,
    }
  }

  async accept(
    text: string | Uint8Array,
    to: readonly Access[],
    more: Parameters<Bench['message']>[2] = {},
  ): Promise<Stored<readonly AcceptedEntry[]>> {
    return this.store.intake.accept(await this.message(text, to, more))
  }

  /** Delivers and gives the UID of the first entry. */
  async deliver(
    text: string | Uint8Array,
    to: Access,
    more: Parameters<Bench['message']>[2] = {},
  ): Promise<number> {
    const stored = await this.accept(text, [to], more)
    assert(stored.ok, stored.ok ? '' : stored.failure.cause)
    return stored.value[0]?.uid as number
  }

  async deliverMany(count: number, to: Access): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => this.deliver(mail(`number ${i + 1}`), to))
    await Promise.all(messages)
  }

  async view(access: Access, name = 'INBOX', readOnly = false): Promise<MailboxView> {
    const opened = await this.store.mailboxes.open(access, name, { readOnly })
    assert(opened.ok, opened.ok ? '' : opened.error.kind)
    return opened.value
  }

  async rows(
    access: Access,
    view: MailboxView,
    seqs: readonly number[],
    wanted: FetchWanted,
  ): Promise<FetchRow[]> {
    const rows: FetchRow[] = []
    for await (const batch of this.store.mailboxes.fetch(access, view, seqs, wanted)) rows.push(...batch)
    return rows
  }

  /** The whole message as text. */
  async octets(access: Access, view: MailboxView, seq: number): Promise<Buffer> {
    const [row] = await this.rows(access, view, [seq], { sections: [{ path: [], what: 'all' }] })
    return collect(row?.sections?.[0])
  }

  traceId(): TraceId {
    this.#traces++
    const random = new Uint8Array(10)
    new DataView(random.buffer).setUint32(0, this.#traces)
    return makeTraceId(1_000_000 + this.#traces, random)
  }
}

export function accessOf(owner: AccountId): Access {
  return { actor: { kind: 'account', account: owner }, owner }
}

export function addr(text: string): Address {
  const address = parseAddress(text)
  assert(address !== undefined)
  return address
}

/** Why a message is held, with evidence. */
export function aHold(over: Partial<NewHold> = {}): NewHold {
  return {
    reasons: [{ rule: 'dmarc', text: 'author.test asks for such mail to be held' }],
    evidence: {
      spf: { result: 'fail', domain: 'author.test', identity: 'mailfrom', why: '-all' },
      dkim: [{ result: 'fail', domain: 'author.test', selector: 's1', signs: ['from', 'subject'] }],
      arc: { result: 'none', sealers: [] },
      dmarc: { result: 'fail', domain: 'author.test', policy: 'quarantine', aligned: {} },
      dns: [{ name: '_dmarc.author.test', type: 'TXT', said: 'v=DMARC1; p=quarantine' }],
      limits: [],
    },
    untilMs: 9_000_000,
    from: 'Author 著者 <me@author.test>',
    subject: 'held',
    client: '192.0.2.7',
    helo: 'mail.author.test',
    ...over,
  }
}

export function mail(subject: string, body = 'Hello.\r\n', more = ''): string {
  return `From: Anna <anna@example.test>\r\nSubject: ${subject}\r\n${more}\r\n${body}`
}

export async function collect(section: SectionBytes | undefined): Promise<Buffer> {
  assert(section !== undefined && section !== null, 'the section is there')
  if (section instanceof Uint8Array) return Buffer.from(section)
  const pieces: Uint8Array[] = []
  for await (const piece of section.stream()) pieces.push(piece)
  const all = Buffer.concat(pieces)
  assert.equal(all.length, section.sizeBytes)
  return all
}

/** All UIDs of a view. */
export function uids(view: MailboxView): number[] {
  return Array.from({ length: view.exists }, (_, i) => view.uid(i + 1))
}

/** Waits for something that other threads bring about; fails after a generous while. */
export async function eventually(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 20_000
  while (!(await isTrue())) {
    assert(Date.now() < until, `in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
