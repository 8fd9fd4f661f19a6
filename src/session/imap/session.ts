import { assert } from '../../mail/assert.ts'
import type {
  AskedCommand,
  ImapAnswer,
  ImapAsk,
  ImapServerMachine,
  ImapTell,
} from '../../protocol/imap/types.ts'
import type { ClientFacts, Link } from '../link.ts'
import { capabilities } from './capabilities.ts'
import { pushChanges, tellChanges } from './changes.ts'
import { ImapAppend } from './commands/append.ts'
import { ImapAuthentication } from './commands/authenticate.ts'
import { runCommand } from './commands.ts'
import { done, ImapContext, type ImapDeps } from './context.ts'

const SERVER_FAULT = 'Something went wrong in the server; it is in the log'

/** One IMAP connection: answers the core's questions by asking the store, and writes no bytes. */
export class ImapSession {
  readonly #context: ImapContext
  #authentication: ImapAuthentication | undefined
  #append: ImapAppend | undefined
  #isStoring = false

  constructor(deps: ImapDeps, client: ClientFacts, machine: ImapServerMachine) {
    this.#context = new ImapContext(deps, client, machine)
  }

  attached(link: Link): void {
    this.#context.attach(link)
    const { deps, client } = this.#context
    deps.log.event('imap.connect', { listener: client.listener, client: client.remoteAddress })
  }

  ask(ask: ImapAsk): ImapAnswer | Promise<ImapAnswer> {
    switch (ask.kind) {
      case 'connect':
        return {
          kind: 'greet',
          status: 'OK',
          code: { kind: 'capability', capabilities: capabilities(this.#context) },
          text: 'Hikyaku is ready',
        }
      case 'command':
        return this.#command(ask.command)
      case 'auth-response':
        assert(this.#authentication !== undefined, 'an answer to no challenge')
        return this.#authentication.respond(ask.octets)
      case 'append-start':
        this.#append = new ImapAppend(this.#context, ask.command)
        return this.#guarded('APPEND', this.#append.start())
      case 'append-end':
        return this.#appendEnd()
      case 'idle-start':
        return this.#idleStart()
      case 'idle-end':
        return this.#idleEnd(ask.clean ? done('OK', 'IDLE completed') : done('BAD', 'IDLE is ended by DONE'))
    }
  }

  tell(tell: ImapTell): void | Promise<void> {
    const { deps, client, login } = this.#context
    switch (tell.kind) {
      case 'append-data':
        return this.#append?.write(tell.octets)
      case 'append-abort':
        this.#append?.abort()
        this.#append = undefined
        return
      case 'auth-cancel':
        deps.log.event('auth.failed', {
          client: client.remoteAddress,
          protocol: 'imap',
          mechanism: this.#authentication?.mechanism,
          cause: `the client broke the exchange off: ${tell.cause}`,
        })
        this.#authentication = undefined
        return
      case 'attack':
        deps.log.event('attack', {
          client: client.remoteAddress,
          listener: client.listener,
          what: tell.what,
          detail: `${tell.octets} octets`,
        })
        return
      case 'bye':
        deps.log.event('imap.bye', {
          client: client.remoteAddress,
          login: login?.login,
          why: tell.why,
          cause: tell.cause,
        })
        return
      case 'deselect':
        this.#context.unselect()
        return
      case 'refused':
      case 'logout':
        return
    }
  }

  closed(reason: { readonly kind: string; readonly cause: string }): void {
    this.#append?.abort()
    this.#context.unselect()
    const { deps, client, login } = this.#context
    if (reason.kind === 'tls-failed')
      deps.log.event('tls.failed', {
        client: client.remoteAddress,
        listener: client.listener,
        cause: reason.cause,
      })
    deps.log.event('imap.disconnect', { client: client.remoteAddress, login: login?.login, why: reason.kind })
  }

  /** A message that is being uploaded is what can be let go, its client hears NO; one on its way to the disk can't. */
  shed(): boolean {
    return this.#isStoring || (this.#append?.drop() ?? false)
  }

  /** The server is stopping: the running command ends, then BYE. */
  stop(): void {
    this.#context.machine.shutdown({ text: 'The server is stopping' })
    this.#context.link.pump()
  }

  #command(command: AskedCommand): Promise<ImapAnswer> {
    if (command.kind === 'authenticate') {
      this.#authentication = new ImapAuthentication(this.#context, command)
      return this.#guarded('AUTHENTICATE', this.#authentication.start(command.initialResponse))
    }
    return this.#guarded(command.kind, this.#run(command))
  }

  async #run(command: Exclude<AskedCommand, { kind: 'authenticate' }>): Promise<ImapAnswer> {
    const answer = await runCommand(this.#context, command)
    if (!this.#context.link.gone) await this.#tellChanges('uid' in command && command.uid)
    return answer
  }

  async #appendEnd(): Promise<ImapAnswer> {
    const append = this.#append
    assert(append !== undefined, 'the end of no APPEND')
    this.#append = undefined
    this.#isStoring = true
    const answer = await this.#guarded('APPEND', append.end())
    this.#isStoring = false
    await this.#tellChanges(false)
    return answer
  }

  #idleStart(): ImapAnswer | Promise<ImapAnswer> {
    const told = this.#tellChanges(false)
    if (told !== undefined) return told.then(() => this.#idle())
    return this.#idle()
  }

  /** What came while the client was told before must not wait for the next news. */
  #idle(): ImapAnswer {
    this.#context.idling = true
    if (this.#context.selectedOrNone?.view.behind) pushChanges(this.#context)
    return { kind: 'idle' }
  }

  async #idleEnd(answer: ImapAnswer): Promise<ImapAnswer> {
    this.#context.idling = false
    await this.#context.telling
    await this.#tellChanges(false)
    return answer
  }

  /** What came meanwhile is told before the tagged answer; EXPUNGE only where rfc3501 §7.4.1 lets it. */
  #tellChanges(withUid: boolean): void | Promise<void> {
    return tellChanges(this.#context, { expunges: this.#context.machine.mayExpunge, withUid, push: false })
  }

  /** Our own fault ends the command, not the connection: the client hears NO, the log has the cause. */
  async #guarded(what: string, work: Promise<ImapAnswer>): Promise<ImapAnswer> {
    try {
      return await work
    } catch (error) {
      const { deps, login } = this.#context
      deps.log.event('server.fault', {
        where: `imap ${what}`,
        login: login?.login,
        cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      return done('NO', SERVER_FAULT, 'SERVERBUG')
    }
  }
}
