// The operator: makes aliases and accounts and takes them away, and looks at the queue.

import { setTimeout as sleep } from 'node:timers/promises'
import { ImapClient } from './imap-client.ts'
import { addressOf, domain } from './letter.ts'
import { accountNames, type Post, password, team, teamAlias } from './post.ts'
import { Refused, type Serving } from './serving.ts'
import { Gone, type HandParts } from './smtp-hands.ts'

export async function adminHand({ serving, post, chance, isOver }: HandParts): Promise<void> {
  while (!isOver()) {
    const known = [...post.admin.keys()].filter((name) => /^x/.test(name))
    const gone = known.length > 3 || (known.length > 0 && chance.is(0.3)) ? chance.pick(known) : undefined
    const name = gone ?? `x${post.newLetter(0).split('.')[0]}@${domain}`
    const isAccount = gone === undefined ? chance.is(0.2) : post.admin.get(gone) === ''
    if (isAccount) await changeAccount(serving, post, name, gone === undefined)
    else await changeAlias(serving, post, name, gone === undefined ? chance.some(accountNames, 3) : undefined)
    await watchQueue(serving, post)
    await sleep(chance.within(1, 30))
  }
}

async function changeAccount(serving: Serving, post: Post, name: string, isNew: boolean): Promise<void> {
  await change(post, name, isNew ? '' : undefined, () =>
    isNew
      ? serving.control('account.add', { address: name, password })
      : serving.control('account.remove', { address: name, withMail: true, withAliases: true }),
  )
}

async function changeAlias(
  serving: Serving,
  post: Post,
  alias: string,
  targets: readonly string[] | undefined,
): Promise<void> {
  const addresses = targets?.map(addressOf)
  await change(post, alias, addresses?.toSorted().join(', '), () =>
    addresses === undefined
      ? serving.control('alias.remove', { alias })
      : serving.control('alias.set', { alias, targets: addresses }),
  )
}

async function change(
  post: Post,
  name: string,
  value: string | undefined,
  run: () => Promise<unknown>,
): Promise<void> {
  post.beginAdmin(name, value)
  try {
    await run()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    // A disk that fails leaves open what became of it: nothing more is asked.
    post.refusals.push(error.message)
    throw new Gone('the operator is refused')
  }
  if (post.disk !== 'there') throw new Gone('the disk is gone')
  post.doneAdmin()
}

/** Recipients that still wait. Undefined where there are too many to be listed. */
export async function waitingRecipients(serving: Serving): Promise<ReadonlySet<string> | undefined> {
  const lines = await serving.control('queue.list')
  if (lines.some((line) => line.startsWith('…'))) return undefined
  const waiting = lines.flatMap((line) => /^ {4}to (\S+): waiting,/.exec(line)?.[1] ?? [])
  return new Set(waiting)
}

/** What was taken elsewhere and has left the queue is done with: it must never come again. */
async function watchQueue(serving: Serving, post: Post): Promise<void> {
  const { deliveries } = post
  const taken = [...deliveries.taken.keys()].filter((recipient) => !deliveries.settled.has(recipient))
  const waiting = await waitingRecipients(serving)
  if (waiting === undefined || post.disk !== 'there') return
  for (const recipient of taken) if (!waiting.has(recipient)) deliveries.settled.add(recipient)
}

/** Every account and the alias of the team, as far as they are not there yet. */
export async function setUp(serving: Serving, post: Post): Promise<void> {
  const there = await listNames(serving)
  for (const name of accountNames.map(addressOf)) {
    if (there.has(name)) continue
    await change(post, name, '', () => serving.control('account.add', { address: name, password }))
  }
  for (const ledger of post.accounts.values()) {
    if (ledger.isKnown) continue
    const client = new ImapClient(await serving.open('imap'))
    await client.logIn(ledger.login, password)
    ledger.adopt(await client.list())
    client.close()
  }
  if (there.has(teamAlias)) return
  const targets = team.map(addressOf)
  await change(post, teamAlias, targets.toSorted().join(', '), () =>
    serving.control('alias.set', { alias: teamAlias, targets }),
  )
}

/** Aliases with their targets, accounts with ''. */
export async function listNames(serving: Serving): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  for (const line of await serving.control('account.list')) {
    const login = /^(\S+@\S+) {2}/.exec(line)?.[1]
    if (login !== undefined) names.set(login, '')
  }
  for (const line of await serving.control('alias.list')) {
    const [, alias, targets] = /^(\S+@\S+) {2}(.*)$/.exec(line) ?? []
    if (alias !== undefined) names.set(alias, (targets ?? '').split(', ').toSorted().join(', '))
  }
  return names
}
