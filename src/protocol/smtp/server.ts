import type { Line } from '../../bytes/lines.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import { auth } from './auth.ts'
import { answerReply, helo, help, mail, noop, quit, rcpt, rset, STARTTLS_FIRST, vrfy } from './commands.ts'
import { FlowMachine } from './flow.ts'
import type { Command, CommandFault, Verb } from './parse.ts'
import { parseCommand } from './parse.ts'
import { bdat, data } from './receive.ts'
import type { Outcome, ServerFlow } from './server-context.ts'
import { ServerContext } from './server-context.ts'
import { starttls } from './starttls.ts'
import { orderRefusal } from './states.ts'
import type { ServerAnswer, ServerAsk, ServerOptions, ServerTell, SmtpServer } from './types.ts'

/** rfc3207 §4: what may come before TLS where TLS is required. */
const BEFORE_TLS: ReadonlySet<Verb> = new Set(['NOOP', 'EHLO', 'LHLO', 'STARTTLS', 'QUIT'])

/** One SMTP or LMTP connection, seen from the server's side. */
export function smtpServer(options: ServerOptions): SmtpServer {
  return new ServerMachine(new ServerContext(options))
}

class ServerMachine extends FlowMachine<ServerAsk, ServerTell, ServerAnswer> implements SmtpServer {
  readonly #context: ServerContext

  constructor(context: ServerContext) {
    super(context.wire, converse(context))
    this.#context = context
  }

  offerAuth(mechanisms: readonly string[]): void {
    this.#context.mechanisms = mechanisms
  }

  shutdown(said: Reply): void {
    this.#context.shutdown = said
    this.#context.wire.posted = true
  }
}

function* converse(c: ServerContext): ServerFlow {
  let outcome = yield* greet(c)
  while (outcome !== 'closed') {
    const line = yield* readLine(c)
    outcome = line === 'closed' ? line : yield* execute(c, line)
  }
}

function* greet(c: ServerContext): ServerFlow<Outcome> {
  const answer = yield* c.wire.ask({ kind: 'connect' }, c.limits.greetMs)
  if (answer === undefined)
    return yield* c.sayAndClose('no-answer', reply(421, '4.3.0', 'No answer from ourselves'))
  const given = answerReply(answer)
  if (c.wire.input.length > 0) {
    // rfc5321 §3.1 and §4.3.1: a client waits for the greeting. Those who don't are nearly always bots.
    yield* c.attack('early-talker', `${c.wire.input.length} octets before the greeting`)
    return yield* c.sayAndClose('attack', reply(554, '5.5.1', 'You spoke before the greeting'))
  }
  if (given !== undefined && !isPositive(given)) {
    c.phase = 'refused'
    return yield* c.say(given)
  }
  const { hostname, protocol, greetingText } = c.options
  const words = [hostname, protocol === 'lmtp' ? 'LMTP' : 'ESMTP', greetingText ?? '']
  return yield* c.say(given ?? { code: 220, lines: [words.join(' ').trimEnd()] })
}

function* readLine(c: ServerContext): ServerFlow<Line | 'closed'> {
  c.wire.timer.start(c.limits.commandMs)
  for (;;) {
    // A message whose chunks are still coming is finished first.
    if (c.shutdown !== undefined && c.phase !== 'chunks') {
      yield* c.sayAndClose('shutdown', c.shutdown)
      return 'closed'
    }
    const line = c.lines.next(c.limits.commandLineBytes)
    if (line.kind === 'line') return line
    if (line.kind === 'too-long') {
      yield* c.attack('command-too-long', `more than ${c.limits.commandLineBytes} octets`)
      // rfc5321 §4.5.3.1.9 says 500, but nothing that needs such a line is worth looking for its end.
      yield* c.sayAndClose('attack', reply(421, '4.7.0', `${c.options.hostname} Command line too long`))
      return 'closed'
    }
    const woken = yield* c.wire.wait()
    if (woken === 'expired' || woken === 'ended') {
      yield* c.lost(woken)
      return 'closed'
    }
  }
}

function* execute(c: ServerContext, line: Line): ServerFlow<Outcome> {
  if (++c.idleCommands > c.limits.idleCommands) {
    yield* c.attack('flood', `${c.idleCommands} commands without a message`)
    return yield* c.sayAndClose('attack', reply(421, '4.7.0', 'Too many commands without a message'))
  }
  const { offers, protocol, bareNewlines } = c.options
  const command = parseCommand(line, {
    protocol,
    bareNewlines,
    smtputf8: offers.smtputf8,
    dsn: offers.dsn,
    utf8Transaction: c.sender?.smtputf8 === true,
    maxParameters: c.limits.parameters,
  })
  if ('kind' in command) return yield* faulty(c, command)
  const refusal = mayNotCome(c, command.verb)
  if (command.verb === 'BDAT') return yield* bdat(c, command, refusal)
  if (refusal !== undefined) return yield* c.refuse(command.verb, refusal)
  return yield* run(c, command)
}

function* faulty(c: ServerContext, fault: CommandFault): ServerFlow<Outcome> {
  if (fault.attack !== undefined) yield* c.attack(fault.attack, `in ${fault.verb}`)
  if (fault.fatal !== true) return yield* c.refuse(fault.verb, fault.reply)
  yield* c.wire.tell({ kind: 'refused', verb: fault.verb, reply: fault.reply })
  return yield* c.sayAndClose(fault.attack === undefined ? 'refused' : 'attack', fault.reply)
}

function mayNotCome(c: ServerContext, verb: Verb): Reply | undefined {
  if (c.options.requireTls && !c.tls && !BEFORE_TLS.has(verb)) return STARTTLS_FIRST
  return orderRefusal(verb, c.phase)
}

function run(c: ServerContext, command: Exclude<Command, { verb: 'BDAT' }>): ServerFlow<Outcome> {
  switch (command.verb) {
    case 'HELO':
    case 'EHLO':
    case 'LHLO':
      return helo(c, command)
    case 'MAIL':
      return mail(c, command)
    case 'RCPT':
      return rcpt(c, command)
    case 'DATA':
      return data(c)
    case 'RSET':
      return rset(c)
    case 'NOOP':
      return noop(c)
    case 'QUIT':
      return quit(c)
    case 'HELP':
      return help(c)
    case 'VRFY':
    case 'EXPN':
      return vrfy(c, command)
    case 'STARTTLS':
      return starttls(c)
    case 'AUTH':
      return auth(c, command)
  }
}
