// After a crash: asks the server what it has, and compares it with what was promised.

import { listNames, waitingRecipients } from './admin-hand.ts'
import { AccountRead, compareAll, type FoundCopy } from './compare.ts'
import { heldIds } from './held-hand.ts'
import { ImapClient } from './imap-client.ts'
import { addressOf, type Found, readLetter } from './letter.ts'
import { accountNames, type Post, password } from './post.ts'
import type { Serving } from './serving.ts'

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
  const names = await listNames(serving)
  const waitingFirst = await waitingRecipients(serving)
  const there = accountNames.filter((name) => names.has(addressOf(name)))
  const accounts = new Map<string, AccountRead>()
  await Promise.all(
    there.map(
      async (name) => void accounts.set(name, await readAccount(serving, addressOf(name), readBefore)),
    ),
  )
  const waitingAfter = await waitingRecipients(serving)
  const held = await heldIds(serving)
  return compareAll(post, { names, accounts, held, waitingFirst, waitingAfter })
}

async function readAccount(serving: Serving, login: string, readBefore: ReadBefore): Promise<AccountRead> {
  const client = new ImapClient(await serving.open('imap'))
  await client.logIn(login, password)
  const read = new AccountRead(login)
  for (const name of await client.list()) read.put(name, await readMailbox(client, name, readBefore))
  client.close()
  return read
}

async function readMailbox(
  client: ImapClient,
  name: string,
  readBefore: ReadBefore,
): Promise<readonly FoundCopy[]> {
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
