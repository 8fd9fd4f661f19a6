// The owner of one account, at work by IMAP until the server is gone: one change under way at a time.

import type { Chance } from './chance.ts'
import { ImapClient } from './imap-client.ts'
import {
  type AccountLedger,
  appended,
  type Change,
  type Copy,
  compare,
  copied,
  created,
  deleted,
  expunged,
  flagged,
  INBOX,
  moved,
  renamed,
} from './ledger.ts'
import { letterOf } from './letter.ts'
import { letterSize, type Post, password } from './post.ts'
import { Gone, type HandParts } from './smtp-hands.ts'

const flagSets = ['', '\\Seen', '\\Flagged \\Seen', 'Kept \\Answered', 'Kept'] as const
const maxMailboxes = 8
const named = 'BODY.PEEK[HEADER.FIELDS (X-Letter)]'

export async function imapHand(parts: HandParts, name: string): Promise<void> {
  const client = new ImapClient(await parts.serving.open('imap'))
  const ledger = parts.post.account(name)
  await client.logIn(ledger.login, password)
  const hand = new ImapHand(parts, client, ledger)
  while (!parts.isOver()) await hand.step()
  client.close()
}

interface Row extends Copy {
  readonly uid: number
}

class ImapHand {
  readonly #post: Post
  readonly #chance: Chance
  readonly #profile: HandParts['profile']
  readonly #client: ImapClient
  readonly #ledger: AccountLedger
  /** INBOX may be large: what was seen of it in this session. */
  readonly #inbox = new Map<number, string>()
  #lastInboxUid = 0
  #names = 0

  constructor({ post, chance, profile }: HandParts, client: ImapClient, ledger: AccountLedger) {
    this.#post = post
    this.#chance = chance
    this.#profile = profile
    this.#client = client
    this.#ledger = ledger
  }

  async step(): Promise<void> {
    const what = this.#chance.next()
    if (what < 0.3) await this.#append()
    else if (what < 0.45) await this.#mailboxes()
    else await this.#messages()
  }

  async #change(change: Change, command: string, literal?: Uint8Array): Promise<void> {
    this.#ledger.begin(change)
    await this.#client.command(command, literal)
    this.#needDisk()
    this.#ledger.done()
    this.#post.acknowledged++
  }

  #needDisk(): void {
    if (this.#post.disk !== 'there') throw new Gone('the disk is gone')
  }

  #some(): string {
    return this.#chance.pick([...this.#ledger.mailboxes.keys()])
  }

  #append(): Promise<void> {
    const id = this.#post.newLetter(letterSize(this.#chance, this.#profile))
    const flags = this.#chance.pick(flagSets)
    const mailbox = this.#some()
    return this.#change(appended(mailbox, { id, flags }), `APPEND "${mailbox}" (${flags})`, letterOf(id))
  }

  async #mailboxes(): Promise<void> {
    await this.#client.command('NOOP')
    const own = [...this.#ledger.mailboxes.keys()].filter((name) => name.startsWith('m-'))
    const one = own.length === 0 ? undefined : this.#chance.pick(own)
    const name = `m-${this.#post.newLetter(0).split('.')[0]}-${++this.#names}`
    const what = this.#chance.next()
    if (one === undefined || (what < 0.4 && own.length < maxMailboxes))
      return this.#change(created(name), `CREATE "${name}"`)
    if (what < 0.7) return this.#change(renamed(one, name), `RENAME "${one}" "${name}"`)
    return this.#change(deleted(one), `DELETE "${one}"`)
  }

  async #messages(): Promise<void> {
    const mailbox = this.#chance.is(0.5) ? INBOX : this.#some()
    await this.#client.select(mailbox)
    const rows = mailbox === INBOX ? await this.#seeInbox() : await this.#see(mailbox)
    if (rows.length > 0) await this.#act(mailbox, this.#chance.some(rows, 5))
    // So that nothing of it is selected when it is renamed or deleted.
    await this.#client.command('UNSELECT')
  }

  async #act(mailbox: string, rows: readonly Row[]): Promise<void> {
    const uids = rows.map(({ uid }) => uid).join(',')
    const ids = new Set(rows.map(({ id }) => id))
    const what = this.#chance.next()
    if (what < 0.25) {
      const flags = this.#chance.pick(flagSets)
      return this.#change(flagged(mailbox, ids, flags), `UID STORE ${uids} FLAGS.SILENT (${flags})`)
    }
    if (what < 0.45) {
      await this.#change(flagged(mailbox, ids, '\\Deleted'), `UID STORE ${uids} FLAGS (\\Deleted)`)
      await this.#change(expunged(mailbox, ids), `UID EXPUNGE ${uids}`)
      return this.#forget(mailbox, rows)
    }
    const to = this.#some()
    if (to === mailbox) return
    const there = new Set(this.#ledger.copies(to).map(({ id }) => id))
    // Two copies in one mailbox could not be told apart afterwards.
    if (rows.some(({ id }) => there.has(id))) return
    if (to === INBOX) this.#lastInboxUid = 0
    if (what < 0.65) return this.#change(copied(mailbox, ids, to), `UID COPY ${uids} "${to}"`)
    await this.#change(moved(mailbox, ids, to), `UID MOVE ${uids} "${to}"`)
    this.#forget(mailbox, rows)
  }

  #forget(mailbox: string, rows: readonly Row[]): void {
    if (mailbox === INBOX) for (const { uid } of rows) this.#inbox.delete(uid)
  }

  /** What INBOX holds now is there to stay. */
  async #seeInbox(): Promise<readonly Row[]> {
    if (this.#lastInboxUid === 0) this.#inbox.clear()
    const fetched = await this.#client.fetch(`${this.#lastInboxUid + 1}:*`, `UID FLAGS ${named}`)
    this.#needDisk()
    const rows = rowsOf(fetched.filter(({ uid }) => uid > this.#lastInboxUid))
    this.#post.problems.push(...this.#ledger.seen(rows))
    for (const { uid, id } of rows) this.#inbox.set(uid, id)
    this.#lastInboxUid = Math.max(this.#lastInboxUid, ...fetched.map(({ uid }) => uid))
    return [...this.#inbox].map(([uid, id]) => ({ uid, id, flags: '' }))
  }

  /** Only its owner changes any other mailbox: it must be as the answers were. */
  async #see(mailbox: string): Promise<readonly Row[]> {
    const rows = rowsOf(await this.#client.fetch('1:*', `UID FLAGS ${named}`))
    this.#needDisk()
    const expected = new Map([[mailbox, this.#ledger.copies(mailbox)]])
    this.#post.problems.push(...compare(this.#ledger.login, expected, new Map([[mailbox, rows]])))
    return rows
  }
}

/** Reports of the server's own have no name: they are left alone. */
function rowsOf(
  fetched: readonly { readonly uid: number; readonly flags: string; readonly octets: Buffer | undefined }[],
): readonly Row[] {
  return fetched.flatMap(({ uid, flags, octets }) => {
    const id = /^X-Letter: (\S+)\r\n/m.exec(octets?.toString('latin1') ?? '')?.[1]
    return id === undefined ? [] : [{ uid, flags, id }]
  })
}
