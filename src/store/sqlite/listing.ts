import type { MailboxId } from '../../mail/ids.ts'
import type { MailboxInfo, SpecialUse } from '../../ports/mailboxes.ts'
import type { Answers, InfoRow } from './questions.ts'

/** All mailboxes of an account, ascending by name. */
export function listedMailboxes(answer: Answers['mailboxes']): MailboxInfo[] {
  const subscribed = new Set(answer.subscriptions)
  const rows = [...answer.rows].sort(([, a], [, b]) => (a < b ? -1 : 1))
  const parents = parentsAmong(rows.map(([, name]) => name))
  return rows.map(([id, name, specialUse, selectable]) =>
    mailboxInfo({
      id,
      name,
      specialUse,
      selectable: selectable === 1,
      subscribed: subscribed.has(name),
      hasChildren: parents.has(name),
    }),
  )
}

/** Names that have others below them. A name's parents all exist, so the nearest one above is enough. */
function parentsAmong(names: readonly string[]): ReadonlySet<string> {
  const parents = new Set<string>()
  for (const name of names) {
    const at = name.lastIndexOf('/')
    if (at > 0) parents.add(name.slice(0, at))
  }
  return parents
}

export function mailboxInfo(row: InfoRow): MailboxInfo {
  return {
    id: row.id as MailboxId,
    name: row.name,
    specialUse: (row.specialUse as SpecialUse | null) ?? undefined,
    subscribed: row.subscribed,
    selectable: row.selectable,
    hasChildren: row.hasChildren,
    mailboxId: `F${row.id.toString(36)}`,
  }
}
