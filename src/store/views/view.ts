import { assert, Bug } from '../../mail/assert.ts'
import { flagNames, SEEN } from '../../mail/flags.ts'
import type { MessageId } from '../../mail/ids.ts'
import type { MailboxInfo, MailboxView, ViewChange } from '../../ports/mailboxes.ts'
import { keywordsOf } from '../flag-bits.ts'
import { LISTED_FLAGS, RECENT_RANGES } from '../limits.ts'
import type { Columns } from './columns.ts'
import type { Generation, SharedMailbox, Watcher } from './shared.ts'

const ALL_SYSTEM_BITS = 31

/** What a view needs to do outside of itself. */
export interface ViewHooks {
  /** It moved on or closed: expunged messages may be released. */
  moved(shared: SharedMailbox): void
  closed(view: View): void
}

/** One session's place in a shared mailbox: a generation, how many of its rows it has been told of, and some counts. */
export class View implements MailboxView, Watcher {
  readonly mailbox: MailboxInfo
  readonly readOnly: boolean
  readonly shared: SharedMailbox
  /** Names the view in events: its own silent changes are not told to it. */
  readonly number: number
  /** The version of the shared mailbox that its listener was last told of. */
  told: number
  listener: (() => void) | undefined
  readonly #hooks: ViewHooks
  #generation: Generation
  #seen: number
  #logAt: number
  #keywords: number
  #uidNext: number
  #highestModseq: number
  /** Flag changes up to this MODSEQ have been told. */
  #flagsModseq: number
  /** UIDs that are recent for this session: pairs first, last. */
  #recent: readonly number[] = []
  #cutOff: string | undefined
  #closed = false

  constructor(
    shared: SharedMailbox,
    options: { readonly mailbox: MailboxInfo; readonly readOnly: boolean; readonly number: number },
    hooks: ViewHooks,
  ) {
    this.shared = shared
    this.mailbox = options.mailbox
    this.readOnly = options.readOnly
    this.number = options.number
    this.#hooks = hooks
    this.#generation = shared.enter()
    this.#seen = shared.newest.columns.count
    this.#logAt = shared.logEnd
    this.#keywords = shared.keywords.length
    this.#uidNext = shared.uidNext
    this.#highestModseq = shared.highestModseq
    this.#flagsModseq = shared.highestModseq
    this.told = shared.version
    shared.views.add(this)
    this.#claimRecent()
  }

  get uidValidity(): number {
    return this.shared.uidValidity
  }

  get uidNext(): number {
    return this.#uidNext
  }

  get highestModseq(): number {
    return this.#highestModseq
  }

  get exists(): number {
    return this.#seen
  }

  get keywords(): readonly string[] {
    return this.shared.keywords
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get recent(): number {
    let count = 0
    for (let i = 0; i + 1 < this.#recent.length; i += 2)
      count +=
        this.#indexAtOrAfter((this.#recent[i + 1] as number) + 1) -
        this.#indexAtOrAfter(this.#recent[i] as number)
    return count
  }

  uid(seq: number): number {
    return this.#generation.columns.uids[this.#index(seq)] as number
  }

  seqOfUid(uid: number): number {
    const index = this.#generation.columns.indexOf(uid)
    return index < this.#seen ? index + 1 : 0
  }

  seqAtOrAfterUid(uid: number): number {
    return this.#indexAtOrAfter(uid) + 1
  }

  flagBits(seq: number): number {
    return this.#generation.columns.flags[this.#index(seq)] as number
  }

  flags(seq: number): readonly string[] {
    return this.shared.namesOf(this.flagBits(seq), namesOfBits)
  }

  isRecent(seq: number): boolean {
    const uid = this.uid(seq)
    const ranges = this.#recent
    for (let i = 0; i + 1 < ranges.length; i += 2)
      if (uid >= (ranges[i] as number) && uid <= (ranges[i + 1] as number)) return true
    return false
  }

  modseq(seq: number): number {
    return this.#generation.columns.modseqs[this.#index(seq)] as number
  }

  message(seq: number): MessageId {
    return this.#generation.columns.messages[this.#index(seq)] as MessageId
  }

  firstUnseen(): number {
    const { flags } = this.#generation.columns
    for (let i = 0; i < this.#seen; i++) if (((flags[i] as number) & SEEN) === 0) return i + 1
    return 0
  }

  sync(options: { readonly expunges: boolean }): readonly ViewChange[] {
    return [...this.changes(options)]
  }

  changes(options: { readonly expunges: boolean }): Iterable<ViewChange> {
    assert(!this.#closed, 'a closed view is not synced')
    const why = this.#cutOff ?? this.shared.gone
    if (why !== undefined) return [{ kind: 'gone', why }]
    const moved = options.expunges && this.#generation !== this.shared.newest
    const parts: Iterable<ViewChange>[] = moved ? this.#takeExpunges() : []
    const known = this.#seen
    const news: ViewChange[] = []
    this.#takeArrivals(news)
    if (this.shared.keywords.length > this.#keywords) news.push({ kind: 'keywords' })
    this.#keywords = this.shared.keywords.length
    parts.push(news, this.#takeFlags(known))
    this.told = this.shared.version
    if (moved) this.#hooks.moved(this.shared)
    return oneByOne(parts)
  }

  /** True where `sync` would report something. */
  get behind(): boolean {
    if (this.#cutOff !== undefined || this.shared.gone !== undefined) return true
    const { shared } = this
    return (
      this.#generation !== shared.newest ||
      this.#seen !== shared.newest.columns.count ||
      this.#keywords !== shared.keywords.length ||
      this.#flagsWaiting()
    )
  }

  onChange(listener: () => void): void {
    this.listener = listener
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.listener = undefined
    this.shared.views.delete(this)
    this.shared.leave(this.#generation)
    this.#hooks.moved(this.shared)
    this.#hooks.closed(this)
  }

  /** Where the session stands on one of these: what it sees stays until it closes, but it is told to go. */
  cutOff(from: ReadonlySet<Generation>, why: string): void {
    if (from.has(this.#generation)) this.#cutOff = why
  }

  /** Pairs first, last of UIDs for UIDs of this view: between them is nothing that it does not show. */
  rangesOf(uids: readonly number[]): number[] {
    const { columns } = this.#generation
    const ranges: number[] = []
    let end = -2
    for (const index of columns.indexesOf(uids)) {
      if (index >= this.#seen) break
      const uid = columns.uids[index] as number
      if (index === end + 1) ranges[ranges.length - 1] = uid
      else ranges.push(uid, uid)
      end = index
    }
    return ranges
  }

  #index(seq: number): number {
    // Asked for each message of long answers: a text for each of them would take as long as all else.
    if (!(seq >= 1 && seq <= this.#seen)) throw new Bug(`sequence number ${seq} of ${this.#seen}`)
    return seq - 1
  }

  #indexAtOrAfter(uid: number): number {
    return Math.min(this.#generation.columns.lowerBound(uid), this.#seen)
  }

  /** Moves on to the newest generation at once; what it has to tell of it is spelt out while it is read. */
  #takeExpunges(): Iterable<ViewChange>[] {
    const told: Iterable<ViewChange>[] = []
    while (this.#generation !== this.shared.newest) {
      const { columns } = this.#generation
      const indexes = this.shared.removedIndexes(this.#generation)
      const from = indexes.findIndex((index) => index < this.#seen)
      if (from >= 0) {
        told.push(expunges(columns, indexes.subarray(from)))
        this.#seen -= indexes.length - from
      }
      this.#generation = this.shared.step(this.#generation)
    }
    return told
  }

  #takeArrivals(changes: ViewChange[]): void {
    const { shared } = this
    this.#uidNext = shared.uidNext
    this.#highestModseq = shared.highestModseq
    const count = this.#generation.columns.count
    if (count === this.#seen) return
    this.#seen = count
    changes.push({ kind: 'exists', count })
    const before = this.recent
    this.#claimRecent()
    const recent = this.recent
    if (recent !== before) changes.push({ kind: 'recent', count: recent })
  }

  #claimRecent(): void {
    const { id, recent, uidNext } = this.shared
    const first = this.readOnly ? recent.firstOf(id) : recent.claim(id, uidNext)
    if (first === undefined) return
    const last = this.#recent.at(-1)
    // One range where they touch: the usual case of one session that hears of every arrival.
    if (last !== undefined && first <= last + 1) this.#recent = [...this.#recent.slice(0, -1), uidNext - 1]
    else this.#recent = [...this.#recent, first, uidNext - 1].slice(-2 * RECENT_RANGES)
  }

  #takeFlags(known: number): Iterable<ViewChange> {
    const { columns } = this.#generation
    const changes = flagChanges(columns, this.#changedRows(known))
    this.#logAt = this.shared.logEnd
    this.#flagsModseq = this.shared.highestModseq
    return changes
  }

  /** Indexes below `known` whose flags changed since the last sync, ascending. */
  #changedRows(known: number): Iterable<number> {
    const { columns } = this.#generation
    const batches = this.shared.flagsSince(this.#logAt)
    if (batches === undefined) return changedSince(columns, known, this.#flagsModseq)
    const rows = new Set<number>()
    let listed = 0
    for (const { count, silentFor } of batches) if (silentFor !== this.number) listed += count
    // Thousands of sessions may each have such a list to tell: they read it out of what they share.
    if (listed > LISTED_FLAGS) return changedSince(columns, known, this.#flagsModseq)
    for (const { uids, silentFor } of batches) {
      if (silentFor === this.number) continue
      for (const uid of uids) {
        const index = columns.indexOf(uid)
        if (index >= 0 && index < known) rows.add(index)
      }
    }
    return [...rows].sort((a, b) => a - b)
  }

  #flagsWaiting(): boolean {
    if (this.#logAt === this.shared.logEnd) return false
    const batches = this.shared.flagsSince(this.#logAt)
    return batches === undefined || batches.some(({ silentFor }) => silentFor !== this.number)
  }
}

function* oneByOne(parts: readonly Iterable<ViewChange>[]): Generator<ViewChange, void> {
  for (const part of parts) yield* part
}

/** From the highest number down: each is right whatever was reported before it. */
function* expunges(columns: Columns, indexes: Uint32Array): Generator<ViewChange, void> {
  for (const index of indexes) yield { kind: 'expunge', seq: index + 1, uid: columns.uids[index] as number }
}

function* flagChanges(columns: Columns, indexes: Iterable<number>): Generator<ViewChange, void> {
  for (const index of indexes) yield { kind: 'flags', seq: index + 1, uid: columns.uids[index] as number }
}

/** All that has a later MODSEQ: for a session too far behind for the log, and for very many. */
function* changedSince(columns: Columns, known: number, modseq: number): Generator<number, void> {
  const { modseqs } = columns
  for (let i = 0; i < known; i++) if ((modseqs[i] as number) > modseq) yield i
}

function namesOfBits(bits: number, keywords: readonly string[]): readonly string[] {
  return flagNames({ system: bits & ALL_SYSTEM_BITS, keywords: keywordsOf(bits, keywords) })
}
