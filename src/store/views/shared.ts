import { assert } from '../../mail/assert.ts'
import { changedFlags, type FlagAction } from '../flag-bits.ts'
import { FLAG_LOG_BATCHES, FLAG_SETS, LISTED_FLAGS, OLD_GENERATIONS } from '../limits.ts'
import type { Columns } from './columns.ts'
import type { RecentUids } from './recent.ts'

/**
 * The rows of a mailbox between two expunges. All sessions that have been told the same expunges share one;
 * a session that lags stays on an older one, which still grows and takes flag changes, until it syncs.
 */
export interface Generation {
  readonly columns: Columns
  /** Sessions on it. */
  sessions: number
  /** UIDs that the next generation no longer has. */
  removed: readonly number[]
  /** MODSEQ of the first expunge after it; what was expunged from there on must stay fetchable. */
  removedAt: number | undefined
  next: Generation | undefined
}

/** A session's view, as the mailbox sees it. */
export interface Watcher {
  /** The version that it was last told of. */
  told: number
  readonly listener: (() => void) | undefined
  /** Whether it has anything to sync. */
  readonly behind: boolean
  /** Where it stands on one of these: what it sees stays until it closes, but it is told to go. */
  cutOff(from: ReadonlySet<Generation>, why: string): void
}

/** What a STORE did, not what came of it: that follows from the rows, which are the store's own. */
export interface FlagsEvent extends FlagAction {
  readonly e: 'flags'
  readonly mailbox: number
  readonly modseq: number
  /** Pairs first, last of UIDs. */
  readonly ranges: readonly number[]
  /** Rows with a later MODSEQ stayed as they were; null: all were changed. */
  readonly unchangedSince: number | null
  /** The view that need not be told of a silent change, 0 for none. */
  readonly view: number
  readonly silent: boolean
}

interface FlagBatch {
  /** All of them where they are few, see `LISTED_FLAGS`. */
  readonly uids: readonly number[]
  readonly count: number
  /** A view that need not be told; 0 for none. */
  readonly silentFor: number
}

/** One mailbox as all its sessions see it, kept current by the store's events. Pure: no clock, no I/O. */
export class SharedMailbox {
  readonly id: number
  readonly owner: number
  readonly uidValidity: number
  readonly recent: RecentUids
  name: string
  uidNext: number
  highestModseq: number
  keywords: readonly string[]
  gone: string | undefined
  newest: Generation
  readonly views = new Set<Watcher>()
  /** Counts every change: a session whose number is equal has nothing to sync. */
  version = 0
  #older: Generation[] = []
  #log: FlagBatch[] = []
  #logStart = 0
  #lastExpungeAt = 0
  #released = 0
  #removedIndexes: { readonly removed: readonly number[]; readonly indexes: Uint32Array } | undefined
  readonly #names = new Map<number, readonly string[]>()

  constructor(
    state: {
      readonly id: number
      readonly owner: number
      readonly name: string
      readonly uidValidity: number
      readonly uidNext: number
      readonly highestModseq: number
      readonly keywords: readonly string[]
      readonly columns: Columns
    },
    recent: RecentUids,
  ) {
    this.id = state.id
    this.owner = state.owner
    this.name = state.name
    this.uidValidity = state.uidValidity
    this.uidNext = state.uidNext
    this.highestModseq = state.highestModseq
    this.keywords = state.keywords
    this.recent = recent
    this.newest = generation(state.columns)
  }

  get rows(): number {
    return this.newest.columns.count
  }

  get logEnd(): number {
    return this.#logStart + this.#log.length
  }

  /** Flag batches from `at` on; undefined where they are forgotten already. */
  flagsSince(at: number): readonly FlagBatch[] | undefined {
    return at < this.#logStart ? undefined : this.#log.slice(at - this.#logStart)
  }

  added(modseq: number, rows: readonly number[]): void {
    if (modseq <= this.highestModseq) return
    for (let i = 0; i + 2 < rows.length; i += 3) {
      const [uid, message, flags] = [rows[i] as number, rows[i + 1] as number, rows[i + 2] as number]
      for (const each of this.#live()) each.columns.append({ uid, message, flags, modseq })
      this.uidNext = uid + 1
    }
    this.#changed(modseq)
  }

  flagsChanged(event: FlagsEvent): void {
    const { modseq, ranges, silent, view } = event
    if (modseq <= this.highestModseq) return
    const since = event.unchangedSince ?? Number.POSITIVE_INFINITY
    const { columns } = this.newest
    const uids: number[] = []
    let count = 0
    for (let i = 0; i + 1 < ranges.length; i += 2) {
      const last = ranges[i + 1] as number
      for (let at = columns.lowerBound(ranges[i] as number); at < columns.count; at++) {
        const uid = columns.uids[at] as number
        if (uid > last) break
        const before = columns.flags[at] as number
        const after = changedFlags(event, before)
        if (after === before || (columns.modseqs[at] as number) > since) continue
        columns.setFlags(at, after, modseq)
        for (const older of this.#older) older.columns.setFlags(older.columns.indexOf(uid), after, modseq)
        if (count++ < LISTED_FLAGS) uids.push(uid)
      }
    }
    this.#log.push({ uids, count, silentFor: silent ? view : 0 })
    if (this.#log.length > FLAG_LOG_BATCHES) {
      const excess = this.#log.length - FLAG_LOG_BATCHES / 2
      this.#log = this.#log.slice(excess)
      this.#logStart += excess
    }
    this.#changed(modseq)
  }

  expunged(modseq: number, uids: readonly number[]): void {
    if (modseq <= this.highestModseq) return
    this.#lastExpungeAt = modseq
    const indexes = uids.map((uid) => this.newest.columns.indexOf(uid)).filter((index) => index >= 0)
    indexes.sort((a, b) => a - b)
    const before = this.newest
    const after = generation(before.columns.without(indexes))
    if (before.sessions > 0) {
      this.#older.push(before)
      Object.assign(before, { next: after, removed: [...uids], removedAt: modseq })
    } else {
      // Nobody stands between the last generation and this one: they become one step.
      const last = this.#older.at(-1)
      if (last !== undefined) Object.assign(last, { next: after, removed: last.removed.concat(uids) })
    }
    this.newest = after
    this.#dropFarBehind()
    this.#changed(modseq)
  }

  keywordsChanged(keywords: readonly string[]): void {
    if (keywords.length <= this.keywords.length) return
    this.keywords = keywords
    this.#names.clear()
    this.version++
  }

  deleted(): void {
    this.gone = 'the mailbox was deleted'
    this.version++
  }

  /** Flag names of a set of bits; computed once for each set in use. */
  namesOf(
    bits: number,
    make: (bits: number, keywords: readonly string[]) => readonly string[],
  ): readonly string[] {
    let names = this.#names.get(bits)
    if (names === undefined) {
      if (this.#names.size >= FLAG_SETS) this.#names.clear()
      names = make(bits, this.keywords)
      this.#names.set(bits, names)
    }
    return names
  }

  /** Indexes of the rows that the next generation no longer has, from the highest down. Shared: not to be changed. */
  removedIndexes({ columns, removed }: Generation): Uint32Array {
    const cached = this.#removedIndexes
    if (cached?.removed === removed) return cached.indexes
    const indexes = columns.indexesOf(removed).reverse()
    // Sessions are told in turn, so that the last one serves nearly all of them.
    this.#removedIndexes = { removed, indexes }
    return indexes
  }

  enter(): Generation {
    this.newest.sessions++
    return this.newest
  }

  leave(from: Generation): void {
    assert(from.sessions > 0, 'a generation is left once for each time it is entered')
    from.sessions--
    if (from.sessions === 0 && from !== this.newest) this.#drop(from)
  }

  /** One step towards the newest generation. */
  step(from: Generation): Generation {
    const next = from.next
    assert(next !== undefined, 'only an older generation has a next one')
    next.sessions++
    this.leave(from)
    return next
  }

  /**
   * Up to which MODSEQ expunged messages are shown by no session; undefined where that has not changed since
   * the last call.
   */
  takeReleasable(): number | undefined {
    const oldest = this.#older[0]
    const upTo = oldest?.removedAt === undefined ? this.#lastExpungeAt : oldest.removedAt - 1
    if (upTo <= this.#released) return undefined
    this.#released = upTo
    return upTo
  }

  #live(): Generation[] {
    return [...this.#older, this.newest]
  }

  /** An older generation that nobody stands on: whoever comes from before it takes both steps at once. */
  #drop(empty: Generation): void {
    const index = this.#older.indexOf(empty)
    if (index < 0) return
    const before = this.#older[index - 1]
    if (before !== undefined) {
      before.next = empty.next
      before.removed = before.removed.concat(empty.removed)
    }
    this.#older.splice(index, 1)
  }

  #dropFarBehind(): void {
    if (this.#older.length <= OLD_GENERATIONS) return
    const tooOld = new Set(this.#older.slice(0, -OLD_GENERATIONS))
    for (const view of this.views) view.cutOff(tooOld, 'too many changes since the last command')
  }

  #changed(modseq: number): void {
    this.highestModseq = modseq
    this.version++
  }
}

function generation(columns: Columns): Generation {
  return { columns, sessions: 0, removed: [], removedAt: undefined, next: undefined }
}
