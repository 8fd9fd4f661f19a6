import { compilePattern } from '../../../mail/mailbox-pattern.ts'
import type { MailboxInfo } from '../../../ports/mailboxes.ts'
import type { ListCommand } from '../../../protocol/imap/commands/list.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { sendStatus } from './status.ts'

/** Patterns tried on names between two looks at the clock. */
const PATTERNS_PER_TURN = 100

/** One line of the answer, if its name fits a pattern. */
interface Listed {
  readonly name: string
  readonly info: MailboxInfo | undefined
  readonly subscribed: boolean
  /** rfc5258 §3.5: selection options that something below met, and the name itself did not. */
  readonly childInfo: readonly string[] | undefined
}

/** LIST (rfc3501 §6.3.8) with the options of rfc5258 §3, rfc6154 §3 and rfc5819 §2. */
export async function list(context: ImapContext, command: ListCommand): Promise<ImapAnswer> {
  if (command.patterns.length === 0) {
    context.machine.send({ kind: 'list', attributes: ['\\Noselect'], name: '' })
    return done('OK', 'LIST completed')
  }
  const { mailboxes } = context.deps
  const all = await mailboxes.list(context.access)
  const subscriptions = new Set(await mailboxes.subscriptions(context.access))
  const matchers = command.patterns.map(compilePattern)
  let tried = 0
  for (const listed of chosen(all, subscriptions, command)) {
    // A name of 1,000 octets and a pattern of as many stars cost some 50 µs, and there may be 50 times 10,000 of them.
    tried += matchers.length
    if (tried >= PATTERNS_PER_TURN) {
      tried = 0
      if (!(await context.takeTurns())) return done('NO', 'The connection is gone')
    }
    if (!matchers.some((matches) => matches(listed.name))) continue
    context.machine.send({
      kind: 'list',
      attributes: attributesOf(listed, command),
      name: listed.name,
      childInfo: listed.childInfo,
    })
    const room = context.hasRoom()
    if (room !== true && !(await room)) return done('NO', 'The connection is gone')
    if (command.status.length === 0 || listed.info === undefined || !listed.info.selectable) continue
    const found = await mailboxes.status(context.access, listed.name)
    // One that was deleted meanwhile has no status; the list itself stays right (rfc5819 §2).
    if (found.ok) sendStatus(context, { mailbox: listed.name, status: found.value, items: command.status })
  }
  return done('OK', 'LIST completed')
}

function chosen(
  all: readonly MailboxInfo[],
  subscriptions: ReadonlySet<string>,
  command: ListCommand,
): readonly Listed[] {
  const byName = new Map(all.map((info) => [info.name, info]))
  const bySubscription = command.select.includes('SUBSCRIBED')
  const bySpecialUse = command.select.includes('SPECIAL-USE')
  const recursive = command.select.includes('RECURSIVEMATCH')
  // A subscription may name what is not there (any more): rfc5258 §3 wants it listed as \NonExistent.
  const names = bySubscription ? new Set([...byName.keys(), ...subscriptions]) : new Set(byName.keys())
  const meets = (name: string): boolean =>
    (!bySubscription || subscriptions.has(name)) &&
    (!bySpecialUse || byName.get(name)?.specialUse !== undefined)
  const met = [...names].filter(meets)
  const above = new Set(recursive ? met.flatMap(parentsOf) : [])
  for (const name of above) names.add(name)
  const listed: Listed[] = []
  for (const name of [...names].sort(compareNames)) {
    const below = above.has(name)
    if (!meets(name) && !below) continue
    listed.push({
      name,
      info: byName.get(name),
      subscribed: subscriptions.has(name),
      childInfo: below ? command.select.filter((option) => option !== 'RECURSIVEMATCH') : undefined,
    })
  }
  return listed
}

/** rfc5258 §3.5: a name that is not there itself is told too, where something below it is subscribed. */
function parentsOf(name: string): readonly string[] {
  const parents: string[] = []
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1))
    parents.push(name.slice(0, at))
  return parents
}

function attributesOf({ info, subscribed }: Listed, command: ListCommand): readonly string[] {
  const attributes: string[] = []
  if (info === undefined) attributes.push('\\NonExistent')
  else if (!info.selectable) attributes.push('\\Noselect')
  attributes.push(info?.hasChildren === true ? '\\HasChildren' : '\\HasNoChildren')
  // rfc6154 §2 lets a plain LIST tell them too, and phones look only there.
  if (info?.specialUse !== undefined) attributes.push(info.specialUse)
  if (subscribed && (command.returns.includes('SUBSCRIBED') || command.select.includes('SUBSCRIBED')))
    attributes.push('\\Subscribed')
  return attributes
}

/** INBOX first, then by code units: a stable order that clients show as it comes. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0
  if (a === 'INBOX') return -1
  if (b === 'INBOX') return 1
  return a < b ? -1 : 1
}
