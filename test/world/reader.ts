import { makeFlagSet } from '../../src/mail/flags.ts'
import { INBOX, type MailboxName } from '../../src/mail/mailbox-name.ts'
import type { UidSet } from '../../src/mail/uid-set.ts'
import type { ImapCommand } from '../../src/protocol/imap/command.ts'
import type { FetchItem } from '../../src/protocol/imap/commands/fetch.ts'
import type { ResponseCode } from '../../src/protocol/imap/responses/code.ts'
import type { Chance } from './chance.ts'
import { type Done, ImapLink } from './imap-link.ts'
import type { Ledger, Sent } from './ledger.ts'
import { makeContent } from './message.ts'
import type { Network } from './network.ts'
import { pause } from './pause.ts'
import { PASSWORD } from './people.ts'
import { type Known, Picture } from './picture.ts'
import { BUSY_MS, type ImapPlan } from './plan.ts'
import type { Scheduler } from './scheduler.ts'
import type { WorldServer } from './server.ts'

export interface ReaderParts {
  readonly plan: ImapPlan
  readonly chance: Chance
  readonly scheduler: Scheduler
  readonly network: Network
  readonly ledger: Ledger
  readonly server: WorldServer
  note(text: string): void
}

/** Mailboxes that clients make; `Temp` is the one that is deleted, with all that is in it. */
const NAMES = ['INBOX', 'Work', 'Work 2', 'Temp'] as const
const TEMP = 'Temp' as MailboxName
const SUBJECT: FetchItem = {
  kind: 'section',
  name: 'BODY',
  section: { part: [], text: { kind: 'header-fields', not: false, fields: ['SUBJECT'] } },
  peek: true,
}
const WHOLE: FetchItem = { kind: 'section', name: 'BODY', section: { part: [] }, peek: true }
const OVERVIEW: readonly FetchItem[] = [{ kind: 'uid' }, { kind: 'flags' }, SUBJECT]
const ALL: UidSet = { bounds: [], star: { low: 1, high: 1 } }

type Act =
  | 'noop'
  | 'idle'
  | 'fetch'
  | 'whole'
  | 'flags'
  | 'flags by uid'
  | 'append'
  | 'move'
  | 'search'
  | 'select'
  | 'delete'
  | 'expunge'
  | 'copy'
  | 'close'
  | 'create'
  | 'rename'
  | 'remove'

const GENTLE: Readonly<Partial<Record<Act, number>>> = {
  noop: 3,
  idle: 3,
  fetch: 3,
  whole: 1,
  flags: 4,
  'flags by uid': 3,
  append: 3,
  move: 2,
  search: 1,
  select: 1,
}
const ROUGH: Readonly<Partial<Record<Act, number>>> = {
  ...GENTLE,
  delete: 5,
  expunge: 4,
  copy: 3,
  close: 0.5,
  create: 1,
  rename: 0.5,
  remove: 0.4,
}

/** An IMAP client at one account, with a picture of its mailbox, through as many connections as it takes. */
export class Reader {
  readonly parts: ReaderParts
  readonly account: string
  picture: Picture | undefined
  mailbox: MailboxName = INBOX
  #link: ImapLink | undefined
  #appended = 0

  constructor(parts: ReaderParts) {
    this.parts = parts
    this.account = `${parts.plan.account}@${parts.server.domain}`
  }

  get isConnected(): boolean {
    return this.#link !== undefined && !this.#link.isLost && this.picture !== undefined
  }

  /** Everything that it does while mail goes. */
  async work(): Promise<void> {
    const { plan, chance, scheduler } = this.parts
    const weights = plan.isRough ? ROUGH : GENTLE
    for (let i = 0; i < plan.commands; i++) {
      await pause(scheduler, chance, (4 * BUSY_MS) / plan.commands)
      if (!this.isConnected && !(await this.#connect())) continue
      await this.#act(chance.weighted(weights as Record<Act, number>))
    }
  }

  /** The last look: what changed since is told now. False where the connection is gone. */
  async settle(): Promise<boolean> {
    if (!this.isConnected) return false
    const { status } = await this.#run({ kind: 'noop' })
    return status === 'OK'
  }

  leave(): void {
    this.#link?.leave()
  }

  async #connect(): Promise<boolean> {
    const { network, server, scheduler } = this.parts
    this.picture = undefined
    const socket = await network.connect('127.0.0.1', `${server.address} 143`, 30_000)
    if (typeof socket === 'string') return false
    const link = new ImapLink({
      socket,
      scheduler,
      onResponse: (response, during) => this.picture?.told(response, during),
    })
    this.#link = link
    if (!(await link.greeted())) return false
    const login = await link.run({ kind: 'login', user: this.account, password: PASSWORD })
    if (login.status === 'NO') link.leave()
    return login.status === 'OK' && (await this.#select(INBOX))
  }

  async #select(mailbox: MailboxName): Promise<boolean> {
    const { ledger, server, plan } = this.parts
    this.mailbox = mailbox
    this.picture = new Picture({
      broke: (what) => ledger.broke(`${plan.name} in ${mailbox}: ${what}`),
      saw: (uidValidity, uid, token) => ledger.saw(server.domain, uidValidity, uid, token),
      read: (token, octets) => ledger.read(token, octets),
    })
    const { status } = await this.#run({ kind: 'select', mailbox })
    if (status !== 'OK') {
      this.picture = undefined
      if (status === 'NO') this.#link?.leave()
      return false
    }
    await this.#overview()
    return this.isConnected
  }

  async #overview(): Promise<void> {
    if (this.#messages.length > 0) await this.#run({ kind: 'fetch', uid: false, set: ALL, items: OVERVIEW })
  }

  get #messages(): readonly Known[] {
    return this.picture?.messages ?? []
  }

  async #run(command: ImapCommand, content?: Uint8Array): Promise<Done> {
    const done: Done = (await this.#link?.run(command, content)) ?? { status: 'lost' }
    this.parts.note(`${this.parts.plan.name} ${command.kind} ${done.status} ${done.condition?.text ?? ''}`)
    if (done.status === 'BAD') this.parts.ledger.broke(`${this.parts.plan.name}: BAD to ${command.kind}`)
    if (done.status === 'lost') this.picture = undefined
    return done
  }

  async #act(act: Act): Promise<void> {
    const { chance } = this.parts
    switch (act) {
      case 'noop':
        await this.#run({ kind: 'noop' })
        return this.#overview()
      case 'idle': {
        const done = await this.#link?.idle(chance.between(10, 20_000))
        if (done?.status !== 'OK') this.picture = undefined
        return
      }
      case 'fetch':
        return this.#overview()
      case 'whole':
        return this.#whole()
      case 'flags':
        return this.#flags(false)
      case 'flags by uid':
        return this.#flags(true)
      case 'append':
        return this.#append()
      case 'search':
        return void (await this.#run({ kind: 'search', uid: false, key: { kind: 'all' } } as ImapCommand))
      case 'select':
        return void (await this.#select(chance.pick(NAMES.slice(0, 3)) as MailboxName))
      case 'move':
      case 'copy':
        return this.#copy(act)
      case 'delete':
        return this.#delete()
      case 'expunge':
        return this.#expunge()
      case 'close':
        return this.#close()
      default:
        return this.#change(act)
    }
  }

  /** The number of some message and what is known of it. */
  #some(): { readonly sequence: number; readonly known: Known } | undefined {
    const { chance } = this.parts
    if (this.#messages.length === 0) return undefined
    const index = chance.below(this.#messages.length)
    return { sequence: index + 1, known: this.#messages[index] as Known }
  }

  async #whole(): Promise<void> {
    const some = this.#some()
    if (some === undefined) return
    const { sequence: n } = some
    await this.#run({ kind: 'fetch', uid: false, set: { bounds: [n, n] }, items: [{ kind: 'uid' }, WHOLE] })
  }

  async #flags(byUid: boolean): Promise<void> {
    const { chance } = this.parts
    const some = this.#some()
    const uid = some?.known.uid
    if (some === undefined || (byUid && uid === undefined)) return
    const n = byUid ? (uid as number) : some.sequence
    const names = [chance.pick(['\\Seen', '\\Flagged', '$k1', '$k2', 'Work'])]
    const action = chance.pick(['add', 'remove'] as const)
    const silent = chance.happens(0.4)
    // What it asked for silently is what it believes, until it is told otherwise (rfc3501 §6.4.6).
    const believes = silent ? changedFlags(some.known.flags, action, names) : undefined
    const { known } = some
    if (silent) known.flags = believes
    const done = await this.#store({ n, byUid, action, silent, names })
    if (silent && done.status !== 'OK') known.flags = undefined
  }

  #store(how: {
    readonly n: number
    readonly byUid: boolean
    readonly action: 'add' | 'remove'
    readonly silent: boolean
    readonly names: readonly string[]
  }): Promise<Done> {
    const { n, byUid, action, silent, names } = how
    const flags = makeFlagSet(names)
    if (flags === undefined) throw new Error(`no flags: ${names.join(' ')}`)
    return this.#run({ kind: 'store', uid: byUid, set: { bounds: [n, n] }, action, silent, flags })
  }

  async #delete(): Promise<void> {
    const { chance, ledger } = this.parts
    const some = this.#some()
    // Only what it knows: reports that come back have no token, and nobody here deletes them.
    if (some?.known.token === undefined || some.known.token === '-' || !this.#isMine(some.known)) return
    ledger.mayBeGone(this.account, some.known.token)
    const byUid = some.known.uid !== undefined && chance.happens(0.4)
    const n = byUid ? (some.known.uid as number) : some.sequence
    await this.#store({ n, byUid, action: 'add', silent: false, names: ['\\Deleted'] })
  }

  /** Reports quote the Subject of what they report in their body only; what has a token of ours was sent. */
  #isMine(known: Known): boolean {
    return known.token !== undefined && this.parts.ledger.sent.has(known.token)
  }

  async #expunge(): Promise<void> {
    const { chance } = this.parts
    const uids = this.#messages.flatMap(({ uid }) => (uid === undefined ? [] : [uid]))
    const from = uids[chance.below(Math.max(1, uids.length))]
    const isPart = from !== undefined && chance.happens(0.3)
    await this.#run({ kind: 'expunge', uids: isPart ? { bounds: [from, 0xffff_fffe] } : undefined })
  }

  async #close(): Promise<void> {
    await this.#run({ kind: 'close' })
    this.picture = undefined
    if (this.#link?.isLost === false) await this.#select(INBOX)
  }

  async #copy(kind: 'copy' | 'move'): Promise<void> {
    const { chance, ledger } = this.parts
    const some = this.#some()
    if (some?.known.token === undefined || !this.#isMine(some.known)) return
    const { token } = some.known
    const mailbox = chance.pick(this.parts.plan.isRough ? NAMES : NAMES.slice(0, 3)) as MailboxName
    if (kind === 'copy') ledger.copied(this.account, token)
    else {
      ledger.moved(this.account, token)
      if (mailbox === TEMP) ledger.mayBeGone(this.account, token)
    }
    const byUid = some.known.uid !== undefined && chance.happens(0.4)
    const n = byUid ? (some.known.uid as number) : some.sequence
    const done = await this.#run({ kind, uid: byUid, set: { bounds: [n, n] }, mailbox })
    this.#sawCopy(done.condition?.code, token)
    if (done.condition?.code === 'TRYCREATE') await this.#run({ kind: 'create', mailbox } as ImapCommand)
  }

  #sawCopy(code: ResponseCode | undefined, token: string): void {
    if (typeof code !== 'object' || code.kind !== 'copyuid') return
    const uid = code.target.bounds[0]
    if (uid !== undefined) this.parts.ledger.saw(this.parts.server.domain, code.uidValidity, uid, token)
  }

  async #append(): Promise<void> {
    const { chance, ledger, server, plan } = this.parts
    const token = `${plan.name.replace(' ', '')}-append-${++this.#appended}`
    const content = makeContent(chance, { token, from: this.account })
    const outcomes: Sent['outcomes'] = new Map([[this.account, 'unknown']])
    const sent: Sent = {
      ...{ token, content, outcomes, via: 'append', server: server.domain, sender: this.account },
      recipients: [this.account],
    }
    ledger.sent.set(token, sent)
    const flags = makeFlagSet(chance.happens(0.5) ? ['\\Seen'] : ['$k1'])
    if (flags === undefined) throw new Error('these are flags')
    const mailbox = chance.happens(0.8) ? this.mailbox : ('Work' as MailboxName)
    const command = { kind: 'append', mailbox, flags, sizeBytes: content.length } as const
    const { status, condition } = await this.#run(command, content)
    outcomes.set(this.account, status === 'OK' ? 'accepted' : status === 'lost' ? 'unknown' : 'refused')
    const code = condition?.code
    if (typeof code === 'object' && code.kind === 'appenduid')
      ledger.saw(server.domain, code.uidValidity, code.uid, token)
    if (mailbox === TEMP) ledger.mayBeGone(this.account, token)
  }

  /** Mailboxes come, go and change their names. */
  async #change(act: 'create' | 'rename' | 'remove'): Promise<void> {
    const { chance } = this.parts
    if (act === 'create') {
      const mailbox = chance.pick(NAMES.slice(1)) as MailboxName
      await this.#run({ kind: 'create', mailbox } as ImapCommand)
    } else if (act === 'remove') await this.#run({ kind: 'delete', mailbox: TEMP } as ImapCommand)
    else {
      const [from, to] = chance.pick([
        ['Work', 'Work 2'],
        ['Work 2', 'Work'],
        ['INBOX', `Old ${chance.below(1e9)}`],
      ] as const) as [MailboxName, MailboxName]
      await this.#run({ kind: 'rename', from, to } as ImapCommand)
    }
  }
}

function changedFlags(
  before: string | undefined,
  action: 'add' | 'remove',
  names: readonly string[],
): string | undefined {
  if (before === undefined) return undefined
  const set = new Set(before.split(' ').filter((name) => name !== ''))
  for (const name of names)
    if (action === 'add') set.add(name)
    else set.delete(name)
  return [...set].sort().join(' ')
}
