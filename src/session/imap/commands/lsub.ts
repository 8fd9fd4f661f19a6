import { compilePattern } from '../../../mail/mailbox-pattern.ts'
import type { LsubCommand } from '../../../protocol/imap/commands/lsub.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { compareNames } from './list.ts'

/** A name has up to 20 parents, which are tried as well. */
const NAMES_PER_TURN = 10

/**
 * rfc3501 §6.3.9. With `%` a name that is not subscribed but has subscribed names below it is told as
 * \Noselect, so that a client that walks down level by level finds them.
 */
export async function lsub(context: ImapContext, command: LsubCommand): Promise<ImapAnswer> {
  const { mailboxes } = context.deps
  const subscriptions = new Set(await mailboxes.subscriptions(context.access))
  const known = new Map((await mailboxes.list(context.access)).map((info) => [info.name, info]))
  const matches = compilePattern(command.pattern)
  const told = new Map<string, readonly string[]>()
  let tried = 0
  for (const name of subscriptions) {
    // As for LIST: long patterns on very many long names take their time.
    if (++tried % NAMES_PER_TURN === 0 && !(await context.takeTurns()))
      return done('NO', 'The connection is gone')
    if (matches(name)) told.set(name, known.get(name)?.selectable === false ? ['\\Noselect'] : [])
    if (!command.pattern.includes('%')) continue
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const parent = name.slice(0, at)
      if (!told.has(parent) && !subscriptions.has(parent) && matches(parent)) told.set(parent, ['\\Noselect'])
    }
  }
  for (const [name, attributes] of [...told].sort(([a], [b]) => compareNames(a, b))) {
    context.machine.send({ kind: 'lsub', attributes, name })
    const room = context.hasRoom()
    if (room !== true && !(await room)) return done('NO', 'The connection is gone')
  }
  return done('OK', 'LSUB completed')
}
