// Reads everything out of a data folder by the store itself, its threads run right here: cheap enough for thousands.

import { EventEmitter } from 'node:events'
import type { AccountId } from '../../src/mail/ids.ts'
import type { FetchRow } from '../../src/ports/mailboxes.ts'
import type { Access } from '../../src/ports/store.ts'
import { openStore, type Store } from '../../src/store/sqlite/open.ts'
import type { StartThread, StoreThread, ThreadPort } from '../../src/store/sqlite/threads.ts'
import { runStoreThread } from '../harness/store-threads.ts'
import { AccountRead, type AllRead, type FoundCopy } from './compare.ts'
import { sortedFlags } from './imap-client.ts'
import { addressOf, domain, readLetter } from './letter.ts'
import { accountNames } from './post.ts'

/** Opens the folder as a start does, reads all of it, and closes it. Rejects where it cannot be opened or read. */
export async function readFolder(folder: string): Promise<AllRead> {
  const faults: string[] = []
  const opened = await openStore({
    folder,
    directory: { domains: [domain], separator: '+' },
    now: () => Date.now(),
    startThread: threadsHere,
    onFault: (cause) => faults.push(cause),
  })
  if (!opened.ok) throw new Error(`${opened.error.path}: ${opened.error.problem}`)
  const { store } = opened
  let all: AllRead
  try {
    all = await readAll(store)
  } finally {
    await store.close()
  }
  if (faults.length > 0) throw new Error(`the store stopped: ${faults.join('; ')}`)
  return all
}

async function readAll(store: Store): Promise<AllRead> {
  const names = new Map<string, string>()
  const accounts = new Map<string, AccountRead>()
  for (const { login, id } of await store.accounts.listAccounts()) {
    names.set(login, '')
    const name = accountNames.find((one) => addressOf(one) === login)
    if (name !== undefined) accounts.set(name, await readAccount(store, login, id))
  }
  for (const { alias, targets } of await store.accounts.listAliases())
    names.set(alias, targets.toSorted().join(', '))
  const waiting = new Set<string>()
  for (const { recipients } of await store.queue.list({ limit: 100_000 }))
    for (const { address, state } of recipients)
      if (state === 'waiting') waiting.add(`${address.local}@${address.domain}`)
  const held = (await store.quarantine.list({ limit: 10_000 })).map(({ subject }) =>
    subject.replace(/^letter /, ''),
  )
  return { names, accounts, held, waitingFirst: waiting, waitingAfter: waiting }
}

async function readAccount(store: Store, login: string, owner: AccountId): Promise<AccountRead> {
  const access: Access = { actor: { kind: 'system', what: 'replay' }, owner }
  const read = new AccountRead(login)
  for (const { name, selectable } of await store.mailboxes.list(access))
    if (selectable) read.put(name, await readMailbox(store, access, name))
  return read
}

async function readMailbox(store: Store, access: Access, name: string): Promise<readonly FoundCopy[]> {
  const opened = await store.mailboxes.open(access, name, { readOnly: true })
  if (!opened.ok) throw new Error(`${name}: ${opened.error.kind}`)
  const view = opened.value
  const seqs = Array.from({ length: view.exists }, (_, index) => index + 1)
  const sections = [{ path: [], what: 'all' }] as const
  const found: FoundCopy[] = []
  for await (const rows of store.mailboxes.fetch(access, view, seqs, { sections }))
    for (const row of rows)
      found.push({
        flags: sortedFlags(view.flags(row.seq).join(' ')),
        found: readLetter(await octetsOf(row)),
      })
  view.close()
  return found
}

async function octetsOf({ sections }: FetchRow): Promise<Buffer> {
  const section = sections?.[0]
  if (section === undefined || section === null) return Buffer.alloc(0)
  if (section instanceof Uint8Array) return Buffer.from(section)
  return Buffer.concat(await Array.fromAsync(section.stream()))
}

/** A thread's work, done between other things. */
const threadsHere: StartThread = (name, data) => {
  const outside = new EventEmitter()
  const waiting: unknown[] = []
  let listener: (message: unknown) => void = () => {}
  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      outside.emit('error', error)
      outside.emit('exit', 1)
    }
  }
  const port: ThreadPort<unknown, unknown> = {
    onMessage: (given) => {
      listener = given
    },
    receive: () => waiting.shift(),
    post: (message) => void setImmediate(() => outside.emit('message', message)),
    close: () => void setImmediate(() => outside.emit('exit', 0)),
  }
  const thread = Object.assign(outside, {
    postMessage: (message: unknown, transfer: readonly ArrayBuffer[] = []) => {
      waiting.push(structuredClone(message, { transfer: [...transfer] }))
      setImmediate(() => {
        const next = waiting.shift()
        if (next !== undefined) guarded(() => listener(next))
      })
    },
  })
  setImmediate(() => guarded(() => runStoreThread(name, port, data)))
  return thread as unknown as StoreThread
}
