import type { MailboxInfo } from '../../ports/mailboxes.ts'
import { CACHED_ROWS, FAN_OUT_MS, FAN_OUT_SLICE } from '../limits.ts'
import type { Columns } from './columns.ts'
import { RecentUids } from './recent.ts'
import { type FlagsEvent, SharedMailbox } from './shared.ts'
import { View } from './view.ts'

/** What a store tells of a mailbox, after its commit. */
export type MailboxEvent =
  | {
      readonly e: 'added'
      readonly mailbox: number
      readonly modseq: number
      /** uid, message, flags, uid, message, flags, … */
      readonly rows: readonly number[]
    }
  | FlagsEvent
  | {
      readonly e: 'expunged'
      readonly mailbox: number
      readonly modseq: number
      readonly uids: readonly number[]
    }
  | { readonly e: 'keywords'; readonly mailbox: number; readonly keywords: readonly string[] }
  | { readonly e: 'renamed'; readonly mailbox: number; readonly name: string }
  | { readonly e: 'gone'; readonly mailbox: number }

export interface LoadedRows {
  readonly name: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModseq: number
  readonly keywords: readonly string[]
  readonly columns: Columns
}

export interface HubOptions {
  /** The mailbox in one snapshot that is not older than the call; undefined where it is gone. */
  load(owner: number, mailbox: number): Promise<LoadedRows | undefined>
  /** No view shows what was expunged up to this MODSEQ; null: nor anything of a deleted mailbox. */
  release(mailbox: number, upTo: number | null): void
  /** Monotonic. */
  nowMs(): number
  /** Runs the callback in a later turn of the event loop. */
  later(callback: () => void): void
}

/** A mailbox that is being read. */
interface Loading {
  readonly shared: Promise<SharedMailbox | undefined>
  /** Events that came meanwhile: the snapshot may be older than they are. */
  readonly missed: MailboxEvent[]
}

/** All mailboxes in memory: applies the store's events, hands out views, tells sessions in slices. */
export class ViewHub {
  readonly recent = new RecentUids()
  readonly #options: HubOptions
  /** In the order of their last use, the oldest first. */
  readonly #mailboxes = new Map<number, SharedMailbox>()
  readonly #loading = new Map<number, Loading>()
  #views = 0
  readonly #toTell = new Set<SharedMailbox>()
  #telling = false

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** A view of the mailbox; undefined where it is gone. Rejects where the store can't be read. */
  async open(
    owner: number,
    mailbox: MailboxInfo,
    options: { readonly readOnly: boolean },
  ): Promise<View | undefined> {
    const shared = this.#mailboxes.get(mailbox.id) ?? (await this.#load(owner, mailbox.id))
    if (shared === undefined || shared.gone !== undefined || shared.owner !== owner) return undefined
    this.#mailboxes.delete(shared.id)
    this.#mailboxes.set(shared.id, shared)
    const number = ++this.#views
    return new View(
      shared,
      { mailbox, readOnly: options.readOnly, number },
      { moved: (of) => this.#release(of), closed: (view) => this.#closed(view.shared) },
    )
  }

  apply(event: MailboxEvent): void {
    if (event.e === 'added' && event.rows[0] !== undefined) this.recent.arrived(event.mailbox, event.rows[0])
    if (event.e === 'gone') this.recent.forget(event.mailbox)
    const loading = this.#loading.get(event.mailbox)
    const shared = this.#mailboxes.get(event.mailbox)
    if (loading !== undefined) loading.missed.push(event)
    else if (shared === undefined) this.#releaseUnseen(event)
    else {
      applyTo(shared, event)
      this.#after(shared)
    }
  }

  #load(owner: number, id: number): Promise<SharedMailbox | undefined> {
    const running = this.#loading.get(id)
    if (running !== undefined) return running.shared
    const missed: MailboxEvent[] = []
    const shared = this.#loadNow(owner, id, missed)
    this.#loading.set(id, { shared, missed })
    return shared
  }

  async #loadNow(
    owner: number,
    id: number,
    missed: readonly MailboxEvent[],
  ): Promise<SharedMailbox | undefined> {
    let shared: SharedMailbox | undefined
    try {
      const rows = await this.#options.load(owner, id)
      if (rows !== undefined) shared = new SharedMailbox({ id, owner, ...rows }, this.recent)
    } finally {
      this.#loading.delete(id)
      if (shared === undefined) for (const event of missed) this.#releaseUnseen(event)
    }
    if (shared === undefined) return undefined
    for (const event of missed) applyTo(shared, event)
    this.#mailboxes.set(id, shared)
    this.#release(shared)
    // Deleted meanwhile: nobody will open it, so nobody will close it either.
    this.#closed(shared)
    return shared
  }

  /** Nobody has the mailbox open: what was expunged in it is seen by nobody. */
  #releaseUnseen(event: MailboxEvent): void {
    if (event.e === 'expunged') this.#options.release(event.mailbox, event.modseq)
    if (event.e === 'gone') this.#options.release(event.mailbox, null)
  }

  #after(shared: SharedMailbox): void {
    this.#release(shared)
    if (shared.gone !== undefined) this.#closed(shared)
    if (shared.views.size === 0) return
    this.#toTell.add(shared)
    if (this.#telling) return
    this.#telling = true
    this.#options.later(() => this.#tell())
  }

  /** Thousands of idle sessions are told a slice at a time, so that mail goes on coming in. */
  #tell(): void {
    let left = FAN_OUT_SLICE
    const startMs = this.#options.nowMs()
    for (const shared of this.#toTell) {
      for (const view of shared.views) {
        if (view.told === shared.version) continue
        // A thousand flag changes cost each session a millisecond or two: there the time counts, not the sessions.
        if (left-- === 0 || this.#options.nowMs() - startMs > FAN_OUT_MS) {
          this.#options.later(() => this.#tell())
          return
        }
        view.told = shared.version
        if (view.behind) view.listener?.()
      }
      this.#toTell.delete(shared)
    }
    this.#telling = false
  }

  #release(shared: SharedMailbox): void {
    const upTo = shared.takeReleasable()
    if (upTo !== undefined) this.#options.release(shared.id, upTo)
  }

  #closed(shared: SharedMailbox): void {
    if (shared.views.size > 0) return
    if (shared.gone !== undefined) {
      if (this.#mailboxes.delete(shared.id)) this.#options.release(shared.id, null)
    } else this.#trim()
  }

  /** Drops mailboxes that no session has open, those used longest ago first. */
  #trim(): void {
    let rows = 0
    for (const shared of this.#mailboxes.values()) if (shared.views.size === 0) rows += shared.rows
    for (const shared of this.#mailboxes.values()) {
      if (rows <= CACHED_ROWS) return
      if (shared.views.size > 0) continue
      rows -= shared.rows
      this.#mailboxes.delete(shared.id)
    }
  }
}

function applyTo(shared: SharedMailbox, event: MailboxEvent): void {
  if (event.e === 'added') shared.added(event.modseq, event.rows)
  else if (event.e === 'flags') shared.flagsChanged(event)
  else if (event.e === 'expunged') shared.expunged(event.modseq, event.uids)
  else if (event.e === 'keywords') shared.keywordsChanged(event.keywords)
  else if (event.e === 'renamed') shared.name = event.name
  else shared.deleted()
}
