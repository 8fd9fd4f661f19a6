import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeTraceId } from '../../../mail/ids.ts'
import type { AcceptMessage, Access } from '../../../ports/store.ts'
import { accessOf, aHold, Bench, mail, uids } from '../../contract/bench.test-kit.ts'
import { openAt } from '../open.test-kit.ts'
import type { Store } from '../open.ts'
import type { Random } from '../random.test-kit.ts'

/*
 * A data folder as a server leaves it when the power goes: several accounts, mailboxes, small and large messages, flags,
 * deleted mail, a queue; part of it in the database, part in its log.
 */

export const MAILBOXES = ['INBOX', 'Sent', 'Archive/2025', '飛脚/v1.2', 'Archive.2025'] as const
const ACCOUNTS = ['anna@example.test', 'ben@example.test', 'chiyo@example.test'] as const
const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '\\Deleted', '\\Draft', '$Junk', 'Later', 'Blue']

/** Digests of all that an account was ever given, by login; '' has those of all. */
export type Given = ReadonlyMap<string, ReadonlySet<string>>

/** Fills a store in two rounds, and copies its folder while the second round is still in the log. */
export async function makeDataFolder(into: string, random: Random, messages: number): Promise<Given> {
  const given = new Map<string, Set<string>>()
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-make-'))
  try {
    let store = await openAt(folder)
    await fill(store, random, { messages: Math.ceil(messages / 2), isFirst: true, given })
    await store.close()
    store = await openAt(folder)
    await fill(store, random, { messages: Math.floor(messages / 2), isFirst: false, given })
    // What nobody waits for is done, too: the log stands still.
    await store.accounts.setAlias(`last@example.test`, ['anna@example.test'])
    await new Promise((later) => setTimeout(later, 100))
    cpSync(folder, into, { recursive: true })
    await store.close()
    return given
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function fill(
  store: Store,
  random: Random,
  how: { readonly messages: number; readonly isFirst: boolean; readonly given: Map<string, Set<string>> },
): Promise<void> {
  const { given, isFirst, messages } = how
  const bench = new Bench({ store, reopen: () => assert.fail(), dispose: () => store.close() })
  const owners: (readonly [string, Access])[] = []
  for (const login of ACCOUNTS)
    owners.push([login, isFirst ? await bench.account(login) : await accessTo(store, login)])
  if (isFirst)
    for (const [, owner] of owners)
      for (const name of MAILBOXES.slice(2)) assert((await store.mailboxes.create(owner, name)).ok)
  let waiting: AcceptMessage[] = []
  for (let i = 0; i < messages; i++) {
    const to = owners.filter(() => random.chance(0.5))
    const { prefix, text, ...more } = someMessage(random, `${isFirst ? 'one' : 'two'} ${i}`)
    const digest = hash('sha256', prefix + text)
    for (const login of [...to.map(([one]) => one), ''])
      given.set(login, (given.get(login) ?? new Set()).add(digest))
    const access = to.map(([, owner]) => owner)
    waiting.push(await bench.message(text, access, { prefix, ...more }))
    // Those of one turn are one commit.
    if (waiting.length < 5 && i < messages - 1) continue
    for (const stored of await Promise.all(waiting.map((one) => store.intake.accept(one)))) assert(stored.ok)
    waiting = []
  }
  for (const [, owner] of owners) await change(bench, owner, random)
}

function someMessage(random: Random, name: string) {
  const size = random.chance(0.04) ? 300_000 : random.below(random.chance(0.3) ? 30_000 : 800)
  const id = random.chance(0.1)
    ? ''
    : `Message-ID: <${name.replace(' ', '.')}.${random.below(1e9)}@far.test>\r\n`
  const queue = {
    sender: { reversePath: { local: 'a', domain: 'far.test' }, bodyType: '8BITMIME', smtputf8: false },
    recipients: [{ address: { local: 'r', domain: 'far.test' } }],
    nextAttemptAtMs: 5e12,
    skipBytes: 0,
  } as const
  return {
    text: mail(name, `${textOf(random, size)}\r\n`, id),
    prefix: `Return-Path: <s@far.test>\r\nReceived: from far.test by example.test; ${random.below(1e9)}\r\n`,
    mailbox: random.pick(MAILBOXES),
    flags: FLAGS.filter(() => random.chance(0.25)),
    receivedAtMs: 1_700_000_000_000 + random.below(1e9),
    ...(random.chance(0.1) ? { queue } : {}),
    ...(random.chance(0.2) ? { hold: aHold() } : {}),
    // Of two rounds no two are alike.
    traceId: makeTraceId(
      1_700_000_000_000,
      Uint8Array.from({ length: 10 }, () => random.below(256)),
    ),
  }
}

async function accessTo(store: Store, login: string): Promise<Access> {
  const account = await store.accounts.findAccount(login)
  assert(account !== undefined)
  return accessOf(account.id)
}

/** Flags, copies and expunges, so that pages are given up and rows are written again. */
async function change(bench: Bench, owner: Access, random: Random) {
  const { mailboxes } = bench.store
  const view = await bench.view(owner, random.pick(MAILBOXES))
  const some = uids(view).filter(() => random.chance(0.4))
  await mailboxes.copy(owner, view, some, 'Sent')
  await mailboxes.storeFlags(owner, view, { uids: some, action: 'add', flags: ['\\Deleted'], silent: true })
  if (random.chance(0.7)) await mailboxes.expunge(owner, view)
  view.close()
}

function textOf(random: Random, bytes: number): string {
  let text = ''
  while (text.length < bytes)
    text += `${random.below(2 ** 31).toString(36)}${random.chance(0.1) ? '\r\n' : ' '}`
  return text.slice(0, bytes)
}
