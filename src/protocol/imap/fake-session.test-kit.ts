import { DELETED, flagNames, SEEN } from '../../mail/flags.ts'
import { matchPattern } from '../../mail/mailbox-pattern.ts'
import { uidSetOf } from '../../mail/uid-set.ts'
import type { AppendCommand } from './commands/append.ts'
import type { CopyCommand } from './commands/copy.ts'
import type { FetchCommand } from './commands/fetch.ts'
import type { ListCommand } from './commands/list.ts'
import type { MoveCommand } from './commands/move.ts'
import type { StatusCommand } from './commands/status.ts'
import type { StoreCommand } from './commands/store.ts'
import { FakeMailbox, flagsOf } from './fake-mailbox.test-kit.ts'
import type { ImapServer } from './server.ts'
import type { AskedCommand, ImapAnswer, ImapAsk, ImapTell } from './types.ts'

const FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft']
const ok = (text: string, code?: Extract<ImapAnswer, { kind: 'done' }>['code']): ImapAnswer => ({
  kind: 'done',
  status: 'OK',
  text,
  code,
})
const no = (text: string, code?: Extract<ImapAnswer, { kind: 'done' }>['code']): ImapAnswer => ({
  kind: 'done',
  status: 'NO',
  text,
  code,
})

/** Answers a core's asks from memory at once: user `alice`, password `secret`. */
export class FakeSession {
  readonly server: ImapServer
  readonly mailboxes = new Map<string, FakeMailbox>()
  readonly subscribed = new Set<string>()
  /** Every tell but pieces of messages. */
  readonly tells: ImapTell[] = []
  capabilities = ['IMAP4rev1', 'LITERAL+', 'SASL-IR', 'ID', 'IDLE']
  selected: FakeMailbox | undefined
  #append: { readonly command: AppendCommand; octets: string } | undefined

  constructor(server: ImapServer) {
    this.server = server
    const inbox = new FakeMailbox()
    inbox.add('Subject: one\r\n\r\nBody', ['\\Seen'])
    inbox.add('Subject: two\r\n\r\nBody of two')
    this.mailboxes.set('INBOX', inbox)
    this.mailboxes.set('Sent', new FakeMailbox())
  }

  tell(tell: ImapTell): void {
    if (tell.kind === 'append-data' && this.#append !== undefined)
      this.#append.octets += Buffer.from(tell.octets).toString('latin1')
    else this.tells.push(tell)
    if (tell.kind === 'deselect') this.selected = undefined
  }

  ask(ask: ImapAsk): ImapAnswer {
    switch (ask.kind) {
      case 'connect':
        return { kind: 'greet', status: 'OK', text: 'ready' }
      case 'command':
        return this.command(ask.command)
      case 'auth-response':
        return this.#plain(ask.octets)
      case 'append-start':
        if (ask.command.sizeBytes > 1000) return no('over quota', 'OVERQUOTA')
        if (!this.mailboxes.has(ask.command.mailbox)) return no('no such mailbox', 'TRYCREATE')
        this.#append = { command: ask.command, octets: '' }
        return { kind: 'accept' }
      case 'append-end':
        return this.#appended()
      case 'idle-start':
        return { kind: 'idle' }
      case 'idle-end':
        return ok('IDLE completed')
    }
  }

  command(command: AskedCommand): ImapAnswer {
    const done = ok(`${command.kind.toUpperCase()} completed`)
    switch (command.kind) {
      case 'capability':
        this.server.send({ kind: 'capability', capabilities: this.capabilities })
        return done
      case 'login':
        return command.user === 'alice' && command.password === 'secret'
          ? ok('logged in', { kind: 'capability', capabilities: this.capabilities })
          : no('wrong', 'AUTHENTICATIONFAILED')
      case 'authenticate':
        if (command.mechanism !== 'PLAIN') return no('no such mechanism')
        return command.initialResponse === undefined
          ? { kind: 'challenge', octets: new Uint8Array() }
          : this.#plain(command.initialResponse)
      case 'select':
      case 'examine':
        return this.#select(command.mailbox, command.kind === 'examine')
      case 'create':
        if (this.mailboxes.has(command.mailbox)) return no('exists', 'ALREADYEXISTS')
        this.mailboxes.set(command.mailbox, new FakeMailbox())
        return done
      case 'delete':
        return this.mailboxes.delete(command.mailbox) ? done : no('no such mailbox', 'NONEXISTENT')
      case 'rename': {
        const mailbox = this.mailboxes.get(command.from)
        if (mailbox === undefined) return no('no such mailbox', 'NONEXISTENT')
        this.mailboxes.delete(command.from)
        this.mailboxes.set(command.to, mailbox)
        return done
      }
      case 'subscribe':
        this.subscribed.add(command.mailbox)
        return done
      case 'unsubscribe':
        this.subscribed.delete(command.mailbox)
        return done
      case 'list':
        return this.#list(command)
      case 'lsub':
        for (const name of this.subscribed)
          if (matchPattern(command.pattern, name)) this.server.send({ kind: 'lsub', attributes: [], name })
        return done
      case 'status':
        return this.#status(command)
      case 'id':
        this.server.send({ kind: 'id', fields: [['name', 'fake']] })
        return done
      case 'namespace':
        this.server.send({
          kind: 'namespace',
          personal: [{ prefix: '', separator: '/' }],
          others: [],
          shared: [],
        })
        return done
      case 'enable':
        this.server.send({ kind: 'enabled', capabilities: [] })
        return done
      case 'starttls':
      case 'noop':
      case 'check':
        return done
      case 'close':
      case 'unselect':
        if (command.kind === 'close') this.selected?.expunge(undefined)
        this.selected = undefined
        return done
      default:
        return this.#inMailbox(command, this.selected as FakeMailbox) ?? done
    }
  }

  #inMailbox(
    command: Extract<AskedCommand, { kind: 'expunge' | 'search' | 'fetch' | 'store' | 'copy' | 'move' }>,
    mailbox: FakeMailbox,
  ): ImapAnswer | undefined {
    switch (command.kind) {
      case 'expunge':
        for (const sequence of mailbox.expunge(command.uids)) this.server.send({ kind: 'expunge', sequence })
        return undefined
      case 'search': {
        const hits = mailbox.search(command.key)
        const numbers = hits.map((i) => (command.uid ? (mailbox.messages[i]?.uid ?? 0) : i + 1))
        this.server.send({ kind: 'search', numbers })
        return undefined
      }
      case 'fetch':
        return this.#fetch(command, mailbox)
      case 'store':
        return this.#store(command, mailbox)
      case 'copy':
      case 'move':
        return this.#copy(command, mailbox)
    }
  }

  #fetch(command: FetchCommand, mailbox: FakeMailbox): ImapAnswer | undefined {
    const picked = mailbox.pick(command.set, command.uid)
    if (picked === undefined) return { kind: 'done', status: 'BAD', text: 'no such message' }
    for (const i of picked)
      this.server.send({ kind: 'fetch', sequence: i + 1, items: mailbox.fetch(i, command.items) })
    return undefined
  }

  #store(command: StoreCommand, mailbox: FakeMailbox): ImapAnswer | undefined {
    const picked = mailbox.pick(command.set, command.uid)
    if (picked === undefined) return { kind: 'done', status: 'BAD', text: 'no such message' }
    for (const i of picked) {
      mailbox.store(i, command)
      const message = mailbox.messages[i]
      if (command.silent || message === undefined) continue
      const uid = command.uid ? [{ kind: 'uid', uid: message.uid } as const] : []
      this.server.send({ kind: 'fetch', sequence: i + 1, items: [...uid, flagsOf(message)] })
    }
    return undefined
  }

  #copy(command: CopyCommand | MoveCommand, mailbox: FakeMailbox): ImapAnswer | undefined {
    const target = this.mailboxes.get(command.mailbox)
    if (target === undefined) return no('no such mailbox', 'TRYCREATE')
    const picked = mailbox.pick(command.set, command.uid) ?? []
    if (picked.length === 0) return undefined
    const messages = picked.flatMap((i) => mailbox.messages[i] ?? [])
    const copies = messages.map((one) =>
      target.add(one.octets.toString('latin1'), flagNames(one.flags), one.date),
    )
    const code = {
      kind: 'copyuid',
      uidValidity: target.uidValidity,
      source: uidSetOf(messages.map((one) => one.uid)),
      target: uidSetOf(copies.map((one) => one.uid)),
    } as const
    if (command.kind === 'copy') return ok('COPY completed', code)
    this.server.send({ kind: 'condition', status: 'OK', code, text: 'moved' })
    for (const one of messages) one.flags = { ...one.flags, system: one.flags.system | DELETED }
    for (const sequence of mailbox.expunge(code.source)) this.server.send({ kind: 'expunge', sequence })
    return undefined
  }

  #plain(octets: Uint8Array): ImapAnswer {
    return Buffer.from(octets).toString() === '\0alice\0secret'
      ? ok('logged in')
      : no('wrong', 'AUTHENTICATIONFAILED')
  }

  #select(name: string, readOnly: boolean): ImapAnswer {
    const mailbox = this.mailboxes.get(name)
    this.selected = mailbox
    if (mailbox === undefined) return no('no such mailbox', 'NONEXISTENT')
    const { server } = this
    server.send({ kind: 'flags', flags: FLAGS })
    server.send({ kind: 'exists', count: mailbox.messages.length })
    server.send({ kind: 'recent', count: mailbox.messages.filter((one) => one.recent).length })
    const unseen = mailbox.messages.findIndex((one) => (one.flags.system & SEEN) === 0)
    const condition = { kind: 'condition', status: 'OK' } as const
    if (unseen >= 0)
      server.send({ ...condition, code: { kind: 'unseen', value: unseen + 1 }, text: 'first unseen' })
    const flags = readOnly ? [] : FLAGS
    server.send({ ...condition, code: { kind: 'permanentflags', flags, any: !readOnly }, text: 'kept' })
    server.send({ ...condition, code: { kind: 'uidnext', value: mailbox.uidNext }, text: 'next' })
    server.send({ ...condition, code: { kind: 'uidvalidity', value: mailbox.uidValidity }, text: 'valid' })
    return ok(readOnly ? 'EXAMINE completed' : 'SELECT completed', readOnly ? 'READ-ONLY' : 'READ-WRITE')
  }

  #list(command: ListCommand): ImapAnswer {
    if (command.patterns.length === 0)
      this.server.send({ kind: 'list', attributes: ['\\Noselect'], name: '' })
    for (const name of this.mailboxes.keys()) {
      if (!command.patterns.some((pattern) => matchPattern(pattern, name))) continue
      if (command.select.includes('SPECIAL-USE') && name !== 'Sent') continue
      this.server.send({ kind: 'list', attributes: name === 'Sent' ? ['\\Sent'] : [], name })
    }
    return ok('LIST completed')
  }

  #status(command: StatusCommand): ImapAnswer {
    const mailbox = this.mailboxes.get(command.mailbox)
    if (mailbox === undefined) return no('no such mailbox', 'NONEXISTENT')
    const values = {
      MESSAGES: mailbox.messages.length,
      RECENT: mailbox.messages.filter((one) => one.recent).length,
      UIDNEXT: mailbox.uidNext,
      UIDVALIDITY: mailbox.uidValidity,
      UNSEEN: mailbox.search({ kind: 'flag', bit: SEEN, set: false }).length,
      SIZE: mailbox.messages.reduce((sum, one) => sum + one.octets.length, 0),
      APPENDLIMIT: null,
    }
    const items = command.items.map((item) => [item, values[item]] as const)
    this.server.send({ kind: 'status', mailbox: command.mailbox, items })
    return ok('STATUS completed')
  }

  #appended(): ImapAnswer {
    if (this.#append === undefined) return no('nothing came')
    const { command, octets } = this.#append
    const mailbox = this.mailboxes.get(command.mailbox) as FakeMailbox
    const { uid } = mailbox.add(octets, flagNames(command.flags), command.internalDate)
    this.#append = undefined
    return ok('APPEND completed', { kind: 'appenduid', uidValidity: mailbox.uidValidity, uid })
  }
}
