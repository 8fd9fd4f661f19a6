import { assert } from '../../mail/assert.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import { readResponse, writeChallenge } from '../sasl/wire.ts'
import type { ImapCommand } from './command.ts'
import { dropRest, type ReadCommand, type ReadContext, readCommand } from './command-flow.ts'
import { type Flow, Input } from './input.ts'
import type { ImapLimits } from './limits.ts'
import { literalMark } from './literal.ts'
import { Output } from './output.ts'
import type { RefusedCommand } from './parse-command.ts'
import { encodeCondition } from './responses/condition.ts'
import { forbidsExpunge, type ImapState, stateAfter } from './states.ts'
import type { AskedCommand, Bye, ByeReason, ImapAnswer, ImapAsk, ImapTell } from './types.ts'

type Done = Extract<ImapAnswer, { kind: 'done' }>
type AppendRead = Extract<ReadCommand, { ok: 'append' }>

/** What the server says and asks, in the order in which it happens. One flow a command; false ends the connection. */
export class Conversation {
  readonly input = new Input()
  readonly out = new Output()
  readonly #limits: ImapLimits
  readonly #literals: 'LITERAL+' | 'LITERAL-'
  state: ImapState = 'not-authenticated'
  tls: TlsFacts | undefined
  /** What a wait for input is part of. */
  doing: 'greeting' | 'nothing' | 'append' | 'auth' | 'idle' | 'tls' = 'greeting'
  /** rfc3501 §7.4.1. */
  mayExpunge = false
  /** Set from outside: say BYE instead of reading another command. */
  stopping: Bye | undefined
  #commands = 0
  #badCommands = 0

  constructor(options: {
    readonly limits: ImapLimits
    readonly literals: 'LITERAL+' | 'LITERAL-'
    readonly tls: TlsFacts | undefined
  }) {
    this.#limits = options.limits
    this.#literals = options.literals
    this.tls = options.tls
  }

  *run(): Flow {
    let goOn = yield* this.#greet()
    while (goOn) {
      this.doing = 'nothing'
      this.mayExpunge = false
      if (this.stopping !== undefined) {
        yield* this.#bye('shutdown', this.stopping)
        return
      }
      const { loginTimeoutMs, idleTimeoutMs } = this.#limits
      this.input.timer.start(this.state === 'not-authenticated' ? loginTimeoutMs : idleTimeoutMs)
      const read = yield* readCommand(this.#context())
      this.input.timer.stop()
      goOn = (yield* this.#handle(read)) && (yield* this.#fewEnough())
      this.input.keptOctets = 0
    }
  }

  #context(): ReadContext {
    return {
      input: this.input,
      out: this.out,
      limits: this.#limits,
      literals: this.#literals,
      state: this.state,
    }
  }

  *#greet(): Flow<boolean> {
    const answer = yield* this.#ask({ kind: 'connect', tls: this.tls })
    assert(answer?.kind === 'greet', 'connect is answered by greet')
    const { status, code, text } = answer
    this.out.text(encodeCondition({ kind: 'condition', status, code, text }))
    if (status === 'PREAUTH') this.state = 'authenticated'
    if (status === 'BYE') yield tell({ kind: 'bye', why: 'refused', cause: text })
    return status !== 'BYE'
  }

  *#handle(read: ReadCommand): Flow<boolean> {
    if (read.ok === 'lost') return yield* this.#bye('too-big', { code: 'TOOBIG', text: read.cause })
    if (read.ok === false) return yield* this.#refuse(read)
    if (read.ok === 'append') return yield* this.#append(read)
    const { tag, command } = read
    switch (command.kind) {
      case 'logout':
        return yield* this.#logout(tag)
      case 'idle':
        return yield* this.#idle(tag, { kind: 'idle-start', tag, command })
      case 'starttls':
        return yield* this.#startTls(tag, command)
      case 'append':
        // Its reader has seen no announced literal, so it never parses whole.
        return this.#complete(tag, 'append', { kind: 'done', status: 'BAD', text: 'expected a message' })
      default:
        this.mayExpunge = !forbidsExpunge(command)
        return yield* this.#command(tag, command)
    }
  }

  /** Any command that the session answers, with the challenges of AUTHENTICATE. */
  *#command(tag: string, command: AskedCommand): Flow<boolean> {
    let answer = yield* this.#ask({ kind: 'command', tag, command })
    while (answer?.kind === 'challenge') {
      assert(command.kind === 'authenticate', 'a challenge outside AUTHENTICATE')
      this.out.text(`+ ${writeChallenge(answer.octets)}\r\n`)
      const line = yield* this.#authLine()
      if (line === undefined) return yield* this.#bye('too-big', { code: 'TOOBIG', text: 'line too long' })
      const read = readResponse(line)
      if (read.kind !== 'response')
        return yield* this.#cancelAuth(tag, read.kind === 'cancelled' ? 'cancelled' : 'not base64')
      answer = yield* this.#ask({ kind: 'auth-response', tag, octets: read.bytes })
    }
    return this.#complete(tag, command.kind, answer)
  }

  *#authLine(): Flow<string | undefined> {
    this.doing = 'auth'
    this.input.timer.start(this.#limits.loginTimeoutMs)
    const line = yield* this.input.line(this.#limits.authLineOctets)
    this.input.timer.stop()
    this.doing = 'nothing'
    if (line === undefined) yield tell({ kind: 'auth-cancel', cause: 'line too long' })
    return line
  }

  *#cancelAuth(tag: string, cause: string): Flow<boolean> {
    yield tell({ kind: 'auth-cancel', cause })
    return this.#complete(tag, 'authenticate', {
      kind: 'done',
      status: 'BAD',
      text: `authentication ${cause}`,
    })
  }

  /** rfc3501 §6.2.1. What came behind the command in clear text is dropped: nothing may be injected into TLS. */
  *#startTls(tag: string, command: AskedCommand): Flow<boolean> {
    if (this.tls !== undefined)
      return this.#complete(tag, 'starttls', { kind: 'done', status: 'BAD', text: 'TLS stands already' })
    const answer = yield* this.#ask({ kind: 'command', tag, command })
    this.#complete(tag, 'starttls', answer)
    if (answer?.kind !== 'done' || answer.status !== 'OK') return true
    const octets = this.input.queue.length
    this.input.clear()
    if (octets > 0) yield tell({ kind: 'attack', what: 'plaintext-behind-starttls', octets })
    this.doing = 'tls'
    this.input.timer.start(this.#limits.loginTimeoutMs)
    yield { kind: 'start-tls' }
    while (this.tls === undefined) yield { kind: 'need-input' }
    return true
  }

  *#append(read: AppendRead): Flow<boolean> {
    const { tag, command, waits } = read
    this.mayExpunge = true
    const answer = yield* this.#ask({ kind: 'append-start', tag, command, waits })
    if (answer?.kind !== 'accept') {
      if (!waits && !(yield* dropRest(this.#context(), command.sizeBytes, this.#limits.commandTextOctets)))
        return yield* this.#bye('too-big', { code: 'TOOBIG', text: 'refused message too big to skip' })
      return this.#complete(tag, 'append', answer)
    }
    if (waits) this.out.text('+ go on\r\n')
    this.doing = 'append'
    this.input.timer.start(this.#limits.stallTimeoutMs)
    this.input.total.start(this.#limits.appendTotalMs)
    for (let left = command.sizeBytes; left > 0; ) {
      const octets = yield* this.input.chunk(left)
      left -= octets.length
      yield tell({ kind: 'append-data', octets })
    }
    const rest = yield* this.input.line(this.#limits.commandTextOctets)
    this.doing = 'nothing'
    this.input.total.stop()
    if (rest !== '') return yield* this.#badAppend(tag, rest)
    this.input.timer.stop()
    return this.#complete(tag, 'append', yield* this.#ask({ kind: 'append-end', tag }))
  }

  /** Something stands behind the message: more messages (rfc3502, which we do not speak) or nonsense. */
  *#badAppend(tag: string, rest: string | undefined): Flow<boolean> {
    yield tell({ kind: 'append-abort', cause: 'more than one literal' })
    const mark = rest === undefined ? undefined : literalMark(rest)
    const skipped =
      mark === undefined || mark.waits
        ? rest !== undefined
        : yield* dropRest(this.#context(), mark.sizeBytes, this.#limits.commandTextOctets)
    if (!skipped) return yield* this.#bye('too-big', { code: 'TOOBIG', text: 'too much behind a message' })
    return this.#complete(tag, 'append', { kind: 'done', status: 'BAD', text: 'one message at a time' })
  }

  /** rfc2177 §3: only DONE ends it well. */
  *#idle(tag: string, ask: Extract<ImapAsk, { kind: 'idle-start' }>): Flow<boolean> {
    this.mayExpunge = true
    const answer = yield* this.#ask(ask)
    if (answer?.kind !== 'idle') return this.#complete(tag, 'idle', answer)
    this.out.text('+ idling\r\n')
    this.doing = 'idle'
    this.input.timer.start(this.#limits.idleTimeoutMs)
    const line = yield* this.input.line(this.#limits.commandTextOctets)
    this.input.timer.stop()
    this.doing = 'nothing'
    const clean = line !== undefined && /^done$/i.test(line)
    const done = yield* this.#ask({ kind: 'idle-end', tag, clean })
    if (line === undefined) return yield* this.#bye('too-big', { code: 'TOOBIG', text: 'line too long' })
    const bad: Done = { kind: 'done', status: 'BAD', text: 'expected DONE' }
    return this.#complete(tag, 'idle', clean ? done : bad)
  }

  *#logout(tag: string): Flow<boolean> {
    this.out.text(encodeCondition({ kind: 'condition', status: 'BYE', text: 'logging out' }))
    this.#complete(tag, 'logout', { kind: 'done', status: 'OK', text: 'LOGOUT completed' })
    yield tell({ kind: 'logout' })
    return false
  }

  *#refuse(refused: RefusedCommand): Flow<boolean> {
    const { tag, verb, fault } = refused
    yield tell({ kind: 'refused', tag, status: fault.status, cause: fault.text })
    this.out.text(encodeCondition({ kind: 'condition', ...fault }, tag ?? '*'))
    this.#count(fault.status)
    if (fault.status === 'NO' && (verb === 'SELECT' || verb === 'EXAMINE') && this.state === 'selected') {
      this.state = stateAfter(this.state, 'select', 'NO')
      yield tell({ kind: 'deselect' })
    }
    return true
  }

  /** The tagged completion, and what it does to the state. */
  #complete(tag: string, command: ImapCommand['kind'], answer: ImapAnswer | undefined): true {
    assert(answer?.kind === 'done', `${command} is not answered by ${answer?.kind}`)
    const { status, code, text } = answer
    this.out.text(encodeCondition({ kind: 'condition', status, code, text }, tag))
    this.state = stateAfter(this.state, command, status)
    this.#count(status)
    return true
  }

  #count(status: 'OK' | 'NO' | 'BAD'): void {
    this.#commands++
    if (status === 'BAD') this.#badCommands++
    // A phone that stays connected for days may well send one bad command an hour.
    else if (this.state !== 'not-authenticated' && this.#badCommands > 0) this.#badCommands--
  }

  *#fewEnough(): Flow<boolean> {
    const before = this.state === 'not-authenticated'
    const { badCommands, badCommandsBeforeLogin, commandsBeforeLogin } = this.#limits
    if (this.#badCommands >= (before ? badCommandsBeforeLogin : badCommands))
      return yield* this.#bye('too-many-commands', { text: 'too many bad commands' })
    if (before && this.#commands >= commandsBeforeLogin)
      return yield* this.#bye('too-many-commands', { text: 'too many commands before login' })
    return true
  }

  *#bye(why: ByeReason, bye: Bye): Flow<false> {
    this.out.text(encodeCondition({ kind: 'condition', status: 'BYE', ...bye }))
    yield tell({ kind: 'bye', why, cause: bye.text })
    return false
  }

  *#ask(ask: ImapAsk): Flow<ImapAnswer | undefined> {
    return yield { kind: 'ask', ask }
  }
}

function tell(what: ImapTell): { readonly kind: 'tell'; readonly tell: ImapTell } {
  return { kind: 'tell', tell: what }
}
