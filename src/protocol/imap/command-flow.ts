import type { AppendCommand } from './commands/append.ts'
import type { CommandFault } from './fault.ts'
import type { Flow, Input } from './input.ts'
import type { ImapLimits } from './limits.ts'
import { formFault, type LiteralMark, literalFault, literalMark } from './literal.ts'
import type { Output } from './output.ts'
import { checkVerb, type ParsedCommand, parseCommand, type RefusedCommand } from './parse-command.ts'
import type { WirePart } from './reader.ts'
import type { ImapState } from './states.ts'

export type ReadCommand =
  | ParsedCommand
  /** APPEND up to its message, which has not been let in yet. */
  | { readonly ok: 'append'; readonly tag: string; readonly command: AppendCommand; readonly waits: boolean }
  /** There is no way to go on: what comes next cannot be told from commands. */
  | { readonly ok: 'lost'; readonly cause: string }

export interface ReadContext {
  readonly input: Input
  readonly out: Output
  readonly limits: ImapLimits
  readonly literals: 'LITERAL+' | 'LITERAL-'
  readonly state: ImapState
}

/**
 * Reads one command with its literals. Each literal is asked for only after everything before it was found
 * right so far; a refused literal that comes anyway is read and dropped with the rest of its command, so that
 * the next command starts where the client thinks it does.
 */
export function* readCommand(context: ReadContext): Flow<ReadCommand> {
  const { input, limits } = context
  const loggedIn = context.state !== 'not-authenticated'
  const parts: WirePart[] = []
  let textLeft = loggedIn ? limits.commandTextOctets : limits.commandTextOctetsBeforeLogin
  let octets = 0
  for (;;) {
    const line = yield* input.line(textLeft)
    if (line === undefined) return { ok: 'lost', cause: 'command line too long' }
    textLeft -= line.length
    octets += line.length
    input.keptOctets = octets
    const mark = literalMark(line)
    const text = mark?.text ?? line
    const first = parts.length === 0 ? checkVerb(text, context.state) : undefined
    parts.push({ kind: 'text', text })
    if (mark === undefined) return first ?? parseCommand(parts)
    const append = first === undefined ? atMessage(parts, mark, context) : undefined
    if (append?.ok === 'append') return append
    const literal =
      append ??
      first ??
      refuse(literalFault(mark, { ...context, loggedIn, count: parts.length >> 1, octets }), parts)
    if (literal !== undefined) return yield* refuseLiteral(literal, mark, context, textLeft)
    if (mark.waits) context.out.text('+ go on\r\n')
    input.timer.start(loggedIn ? limits.stallTimeoutMs : limits.loginTimeoutMs)
    const value = yield* input.octets(mark.sizeBytes)
    octets += mark.sizeBytes
    input.keptOctets = octets
    parts.push({ kind: 'literal', octets: value.toString('latin1') })
  }
}

/**
 * Drops `first` octets of a refused literal and what else belongs to its command: the rest of the line, and
 * further literals while they do not wait for us.
 * @returns false where there is too much of it.
 */
export function* dropRest(context: ReadContext, first: number, textOctets: number): Flow<boolean> {
  const { input, limits } = context
  const loggedIn = context.state !== 'not-authenticated'
  let left = loggedIn ? limits.discardOctets : limits.discardOctetsBeforeLogin
  let size = first
  let textLeft = textOctets
  input.timer.start(loggedIn ? limits.stallTimeoutMs : limits.loginTimeoutMs)
  for (;;) {
    if (size > left) return false
    left -= size
    while (size > 0) size -= (yield* input.chunk(size)).length
    const line = yield* input.line(textLeft)
    if (line === undefined) return false
    textLeft -= line.length
    const mark = literalMark(line)
    if (mark === undefined || mark.waits) return true
    size = mark.sizeBytes
  }
}

const TOO_BIG: CommandFault = { status: 'NO', code: 'TOOBIG', text: 'message too big' }

/** The message literal of APPEND, refused or not; undefined where the literal is any other. */
function atMessage(
  parts: readonly WirePart[],
  mark: LiteralMark,
  context: ReadContext,
): Extract<ReadCommand, { ok: 'append' | false }> | undefined {
  const first = parts[0]?.kind === 'text' ? parts[0].text : ''
  if (!/^[^ ]+ APPEND /i.test(first)) return undefined
  // Nothing between the verb and the brace: this literal is the mailbox's name.
  if (parts.length === 1 && /^[^ ]+ APPEND $/i.test(first)) return undefined
  const parsed = parseCommand([...parts, { kind: 'announced', sizeBytes: mark.sizeBytes }])
  if (!parsed.ok) return parsed
  const form = formFault(mark, context.literals)
  if (form !== undefined) return { ok: false, tag: parsed.tag, verb: 'APPEND', fault: form }
  if (mark.sizeBytes > context.limits.appendOctets)
    return { ok: false, tag: parsed.tag, verb: 'APPEND', fault: TOO_BIG }
  if (parsed.command.kind !== 'append') return undefined
  return { ok: 'append', tag: parsed.tag, command: parsed.command, waits: mark.waits }
}

function refuse(fault: CommandFault | undefined, parts: readonly WirePart[]): RefusedCommand | undefined {
  if (fault === undefined) return undefined
  const first = parts[0]?.kind === 'text' ? parts[0].text : ''
  // checkVerb has let this tag and verb pass.
  const [tag, verb] = first.split(' ')
  return { ok: false, tag, verb: (verb ?? '').toUpperCase(), fault }
}

function* refuseLiteral(
  refused: RefusedCommand,
  mark: LiteralMark,
  context: ReadContext,
  textLeft: number,
): Flow<ReadCommand> {
  if (mark.waits) return refused
  const whole = yield* dropRest(context, mark.sizeBytes, textLeft)
  return whole ? refused : { ok: 'lost', cause: `refused literal of ${mark.sizeBytes} octets` }
}
