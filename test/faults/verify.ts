// After a crash: asks the server what it has, and compares it with what was promised.

import { listNames, waitingRecipients, withName } from './admin-hand.ts'
import { ImapClient } from './imap-client.ts'
import type { AccountLedger, Copy, Mailboxes } from './ledger.ts'
import { addressOf, type Found, readLetter } from './letter.ts'
import { accountNames, type Post, password } from './post.ts'
import type { Serving } from './serving.ts'
import { refusing } from './sink.ts'

/** Octets read so far, by UIDVALIDITY and UID, which are never used again for others. */
export type ReadBefore = Map<string, Found>

/** Enough at once: what is compared is held in memory. */
const bodiesAtOnce = 50

/** Gives what is wrong. Afterwards the ledger holds what is there. */
export async function verify(
  serving: Serving,
  post: Post,
  readBefore: ReadBefore,
): Promise<readonly string[]> {
  const problems = [...settleAdmin(post, await listNames(serving))]
  const waitingFirst = await waitingRecipients(serving)
  const reports = new Map<string, number>()
  await Promise.all(
    accountNames.map(async (name) => {
      const ledger = post.account(name)
      if (!post.admin.has(addressOf(name))) return
      const actual = await readAccount(serving, ledger, readBefore, problems)
      for (const about of actual.reports) reports.set(about, (reports.get(about) ?? 0) + 1)
      problems.push(...ledger.settle(actual.mailboxes))
    }),
  )
  const waitingAfter = await waitingRecipients(serving)
  if (waitingFirst === undefined || waitingAfter === undefined)
    problems.push('the queue is too long to be compared')
  else problems.push(...checkOutgoing(post, { waitingFirst, waitingAfter, reports }))
  problems.push(...post.problems.splice(0), ...post.sink.problems.splice(0))
  return problems
}

function settleAdmin(post: Post, actual: ReadonlyMap<string, string>): readonly string[] {
  const pending = post.adminPending
  const before = compareNames(post.admin, actual)
  const after =
    pending === undefined ? before : compareNames(withName(post.admin, pending.name, pending.value), actual)
  post.admin = actual
  post.adminPending = undefined
  return after.length < before.length ? after : before
}

function compareNames(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((name) =>
    expected.get(name) === actual.get(name)
      ? []
      : [
          `operator: ${name} is ${JSON.stringify(actual.get(name))}, not ${JSON.stringify(expected.get(name))}`,
        ],
  )
}

/** Mail for elsewhere waits or was taken; what was refused there waits or was reported, once. */
function checkOutgoing(
  post: Post,
  seen: {
    readonly waitingFirst: ReadonlySet<string>
    readonly waitingAfter: ReadonlySet<string>
    readonly reports: ReadonlyMap<string, number>
  },
): readonly string[] {
  const problems: string[] = []
  const { outgoing, sink } = post
  for (const [recipient, { id, acknowledged }] of outgoing) {
    const reports = seen.reports.get(recipient) ?? 0
    const isRefused = recipient.endsWith(`@${refusing}`)
    const isDone = isRefused ? reports > 0 : sink.taken.has(recipient)
    if (reports > 1) problems.push(`${recipient}: reported ${reports} times`)
    if (reports > 0 && !isRefused) problems.push(`${recipient}: reported though it was not refused`)
    if (reports > 0 && seen.waitingAfter.has(recipient)) problems.push(`${recipient}: reported, and it waits`)
    if (acknowledged && !isDone && !seen.waitingFirst.has(recipient))
      problems.push(`${recipient}: ${id} is neither in the queue nor was it delivered`)
    // Whatever exists now must go on existing.
    else if (isDone || seen.waitingAfter.has(recipient))
      outgoing.set(recipient, { ...at(outgoing, recipient), acknowledged: true })
    // Never answered, and not there: it never was.
    else if (!acknowledged) outgoing.delete(recipient)
  }
  const known = (recipient: string): boolean => outgoing.has(recipient)
  for (const recipient of [...seen.waitingAfter, ...seen.reports.keys(), ...sink.taken.keys()])
    if (!known(recipient)) problems.push(`${recipient}: was never sent or was refused`)
  return problems
}

function at<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  return map.get(key) as V
}

interface Read {
  readonly mailboxes: Mailboxes
  /** Recipients that reports in INBOX tell of, each as often as it is told. */
  readonly reports: readonly string[]
}

async function readAccount(
  serving: Serving,
  ledger: AccountLedger,
  readBefore: ReadBefore,
  problems: string[],
): Promise<Read> {
  const client = new ImapClient(await serving.open('imap'))
  await client.logIn(ledger.login, password)
  const mailboxes = new Map<string, readonly Copy[]>()
  const reports: string[] = []
  for (const name of await client.list()) {
    const copies: Copy[] = []
    for (const { found, flags } of await readMailbox(client, name, readBefore)) {
      if (found.kind === 'letter') copies.push({ id: found.id, flags })
      else if (found.kind === 'report') reports.push(...found.about)
      else problems.push(`${ledger.login} ${name}: ${found.why}`)
    }
    mailboxes.set(name, copies)
  }
  client.close()
  return { mailboxes, reports }
}

async function readMailbox(
  client: ImapClient,
  name: string,
  readBefore: ReadBefore,
): Promise<readonly { readonly found: Found; readonly flags: string }[]> {
  const validity = await client.select(name, 'EXAMINE')
  const rows = await client.fetch('1:*', 'UID FLAGS')
  const key = (uid: number): string => `${validity}/${uid}`
  const unread = rows.map(({ uid }) => uid).filter((uid) => !readBefore.has(key(uid)))
  for (let from = 0; from < unread.length; from += bodiesAtOnce) {
    const uids = unread.slice(from, from + bodiesAtOnce).join(',')
    for (const { uid, octets } of await client.fetch(uids, 'UID BODY.PEEK[]'))
      readBefore.set(key(uid), readLetter(octets ?? Buffer.alloc(0)))
  }
  return rows.map(({ uid, flags }) => ({
    flags,
    found: readBefore.get(key(uid)) ?? { kind: 'broken', why: `UID ${uid} could not be read` },
  }))
}
