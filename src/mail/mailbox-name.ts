/**
 * A mailbox's name as a value: Unicode NFC, components separated by `/`. Two names are one mailbox exactly
 * when the strings are equal. Modified UTF-7 exists on the wire only.
 */
export type MailboxName = string & { readonly isMailboxName: true }

export const SEPARATOR = '/'
export const INBOX = 'INBOX' as MailboxName

/** A path of folders that a person made fits many times; a name stands in many rows and responses. */
export const MAX_NAME_OCTETS = 1000
/** What file systems allow a component, so that exports to folders work. */
export const MAX_COMPONENT_OCTETS = 255
/** Deeper trees come from programs that run wild; RENAME and LIST cost a step for each level. */
export const MAX_DEPTH = 20

/**
 * Refused everywhere in a name: controls (they break log lines and responses), halves of surrogate pairs and
 * noncharacters (modified UTF-7 has no right form for them), line and paragraph separators, and `%` and `*`
 * (rfc3501 §6.3.8: a client could not LIST such a name without catching others).
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u2028\u2029%*]/u

/**
 * Checks and canonicalises: NFC, and INBOX in any case as the first component becomes `INBOX`
 * (rfc3501 §5.1). A leading `#` is refused: it marks namespaces (rfc3501 §5.1.2).
 * @returns undefined where the text is no possible name; never throws.
 */
export function parseMailboxName(text: string): MailboxName | undefined {
  if (text.length > MAX_NAME_OCTETS || FORBIDDEN.test(text) || text.startsWith('#')) return undefined
  const components = text.normalize('NFC').split(SEPARATOR)
  if (components.length > MAX_DEPTH || !components.every(isComponent)) return undefined
  // No toUpperCase(): it would take a dotless i for an I.
  if (/^inbox$/i.test(components[0] ?? '')) components[0] = INBOX
  const name = components.join(SEPARATOR)
  return Buffer.byteLength(name) > MAX_NAME_OCTETS ? undefined : (name as MailboxName)
}

/** As CREATE names a mailbox: one separator at the end only says that children will follow (rfc3501 §6.3.3). */
export function parseNewMailboxName(text: string): MailboxName | undefined {
  return parseMailboxName(text.endsWith(SEPARATOR) ? text.slice(0, -1) : text)
}

/** The mailbox above, undefined at the top. */
export function parentMailbox(name: MailboxName): MailboxName | undefined {
  const at = name.lastIndexOf(SEPARATOR)
  return at < 0 ? undefined : (name.slice(0, at) as MailboxName)
}

/** All mailboxes above, the topmost first. */
export function mailboxAncestors(name: MailboxName): MailboxName[] {
  const above: MailboxName[] = []
  for (let at = name.indexOf(SEPARATOR); at >= 0; at = name.indexOf(SEPARATOR, at + 1))
    above.push(name.slice(0, at) as MailboxName)
  return above
}

export function isBelow(name: MailboxName, ancestor: MailboxName): boolean {
  return name.length > ancestor.length && name.startsWith(ancestor) && name[ancestor.length] === SEPARATOR
}

function isComponent(component: string): boolean {
  // `.` and `..` would leave the folder that an export or another server makes of the name.
  if (component === '' || component === '.' || component === '..') return false
  return Buffer.byteLength(component) <= MAX_COMPONENT_OCTETS
}
