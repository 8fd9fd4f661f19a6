import { type AccountId, type TraceId, traceTimeMs } from '../../mail/ids.ts'
import type { AccountStore } from '../../ports/accounts.ts'
import type { Backups } from '../../ports/backups.ts'
import type { Directory } from '../../ports/directory.ts'
import type { Mailboxes } from '../../ports/mailboxes.ts'
import type { Quarantine } from '../../ports/quarantine.ts'
import type { QueueStore } from '../../ports/queue.ts'
import type { ReportStore } from '../../ports/reports.ts'
import type { Intake, Traces } from '../../ports/store.ts'
import type { TrustList } from '../../ports/trust.ts'
import { AccountTable } from '../accounts.ts'
import { type DirectorySettings, MemoryDirectory } from '../directory.ts'
import { Columns } from '../views/columns.ts'
import { ViewHub } from '../views/hub.ts'
import { SqliteAccounts } from './account-store.ts'
import { BackupMaker } from './backup/maker.ts'
import { BelievedTime } from './believed-time.ts'
import { Checkpoints } from './checkpoint/client.ts'
import { DamageNews } from './damage-news.ts'
import {
  brokenLog,
  DAMAGE_FIX,
  type OpenError,
  type Ownership,
  ownFolder,
  prepareDatabase,
} from './folder.ts'
import { Health, type Trouble } from './health.ts'
import { SqliteIntake } from './intake.ts'
import { type DiskSpace, diskSpaceOf, LowWater } from './low-water.ts'
import { SqliteMailboxes } from './mailbox-store.ts'
import type { StoreEvent } from './operations.ts'
import { SqliteQuarantine } from './quarantine-store.ts'
import { SqliteQueue } from './queue-store.ts'
import { ReaderClient } from './reader-client.ts'
import { SqliteReports } from './report-store.ts'
import { describeError, isDamageText } from './sql.ts'
import { type StartThread, startThread } from './threads.ts'
import { SqliteTraces } from './trace-store.ts'
import { SqliteTrust } from './trust-store.ts'
import { WriterClient } from './writer-client.ts'

export interface StoreOptions {
  /** Made with mode 0700 where it is missing. */
  readonly folder: string
  readonly directory: DirectorySettings
  readonly retention?: RetentionSettings | undefined
  /** Wall clock, ms since 1970. */
  now(): number
  /** For tests: a clock that nobody sets, ms; without it the system's. */
  readonly monotonic?: (() => number) | undefined
  /** For tests: the disk's room; without it the system is asked. */
  readonly diskSpace?: (() => DiskSpace) | undefined
  /** For tests: how the threads are started; without it they are real ones. */
  readonly startThread?: StartThread | undefined
  /** The store can't go on: nothing is acknowledged any more. Called once. */
  onFault(cause: string): void
  /** Something an operator should know; nothing is lost. */
  onNote?(text: string): void
  /** A stored message can't be read; the others can. Told once for each, a few a minute. */
  onDamage?(damage: {
    readonly login: string
    readonly mailbox: string
    readonly uid: number
    readonly cause: string
  }): void
  /** Mail is kept out, and why; without a cause: it is taken again. */
  onHealth?(trouble: Trouble, cause: string | undefined): void
}

/** How long traces are kept. */
export interface RetentionSettings {
  readonly traceMaxAgeMs?: number | undefined
  readonly traceMaxBytes?: number | undefined
}

/** All ports of one data folder. */
export interface Store {
  readonly intake: Intake
  readonly traces: Traces
  readonly queue: QueueStore
  readonly mailboxes: Mailboxes
  readonly accounts: AccountStore
  readonly directory: Directory
  readonly backups: Backups
  readonly quarantine: Quarantine
  readonly trust: TrustList
  readonly reports: ReportStore
  /** Files of messages that never were committed, deleted at this start. */
  readonly sweptBodies: number
  /** The time by which something may be called too old, ms since 1970: it does not follow a clock that jumps ahead. */
  believedNow(): number
  /** New settings are in force at once. */
  reload(settings: {
    readonly directory: DirectorySettings
    readonly retention?: RetentionSettings | undefined
  }): void
  /** Finishes what is waiting, lets go of the folder. Calls after it fail with 'closed'. */
  close(): Promise<void>
  /** For tests: the database can't grow beyond so many pages, as on a full disk. */
  limitPages(pages: number): void
}

export type OpenResult =
  | { readonly ok: true; readonly store: Store }
  | { readonly ok: false; readonly error: OpenError }

/** Traces are looked through for old ones this often. */
const RETENTION_INTERVAL_MS = 10 * 60 * 1000

/** Opens a data folder, made or brought up to date where needed. It has one owner: a second is refused. */
export async function openStore(options: StoreOptions): Promise<OpenResult> {
  const owned = ownFolder(options.folder)
  if (!owned.ok) return owned
  const { paths } = owned.value
  const problem = brokenLog(paths) ?? prepareDatabase(paths, (text) => options.onNote?.(text))
  if (problem !== undefined) {
    owned.value.release()
    return { ok: false, error: problem }
  }
  return startThreads(owned.value, options)
}

async function startThreads(ownership: Ownership, options: StoreOptions): Promise<OpenResult> {
  const { database, bodies, folder } = ownership.paths
  const faults = new FaultOnce(options.onFault)
  const health = new Health((trouble, cause) => options.onHealth?.(trouble, cause))
  const wiring: { events: (events: readonly StoreEvent[]) => void; store?: SqliteStore } = {
    events: () => undefined,
  }
  const start = options.startThread ?? startThread
  const checkpoints = new Checkpoints(start, { database, bodies }, (failure) => writer.checkpointed(failure))
  const writer: WriterClient = new WriterClient(
    start,
    { database, bodies },
    {
      onEvents: (events) => wiring.events(events),
      onFault: (cause) => faults.report(cause),
      onNote: (text) => options.onNote?.(text),
      onCheckpoint: () => checkpoints.pass(),
      onMistrust(cause) {
        if (cause === undefined) health.works('disk')
        else health.failed('disk', cause)
        // The log can't be emptied while a backup reads an older state: mail goes first.
        if (cause !== undefined) void wiring.store?.backups.stop()
      },
    },
  )
  const reader = new ReaderClient(start, { database, bodies }, (cause) => faults.report(cause))
  try {
    const [{ swept }] = await Promise.all([writer.ready(), reader.ready()])
    const store = new SqliteStore({ ownership, options, writer, reader, checkpoints, swept, health })
    wiring.events = (events) => store.apply(events)
    wiring.store = store
    await store.load()
    const believed = await believedTime(options, reader)
    const broken = faults.arm()
    if (broken !== undefined) throw new Error(broken)
    store.startRetention(believed)
    return { ok: true, store }
  } catch (error) {
    await Promise.all([writer.close(), reader.close(), checkpoints.close()])
    ownership.release()
    const problem = describeError(error)
    return { ok: false, error: { path: folder, problem, ...cureOf(problem) } }
  }
}

/** From a sentence: an error that comes from another thread is no more than that. */
function cureOf(problem: string): Pick<OpenError, 'kind' | 'fix'> {
  if (isDamageText(problem)) return { kind: 'damaged', fix: DAMAGE_FIX }
  return { kind: 'io', fix: `see that the disk works; where the database is damaged, ${DAMAGE_FIX}` }
}

/** By the newest trace: it is when mail last came. Where that is damaged the clock has nothing to be compared with. */
async function believedTime(options: StoreOptions, reader: ReaderClient): Promise<BelievedTime> {
  const before = Number.MAX_SAFE_INTEGER
  const newest = await reader.ask({ ask: 'find-traces', from: '', to: '', before, limit: 1 }).then(
    ({ ids }) => ids[0],
    () => undefined,
  )
  return new BelievedTime({
    now: () => options.now(),
    monotonic: options.monotonic ?? (() => performance.now()),
    lastMs: newest === undefined ? undefined : traceTimeMs(newest as TraceId),
  })
}

/** The server is told of the first fault, and of none while the store is still being opened: that is the answer then. */
class FaultOnce {
  readonly #tell: (cause: string) => void
  #first: string | undefined
  #isArmed = false

  constructor(tell: (cause: string) => void) {
    this.#tell = tell
  }

  report(cause: string): void {
    if (this.#first !== undefined) return
    this.#first = cause
    if (this.#isArmed) this.#tell(cause)
  }

  /** From now on faults are told; gives the one that came before. */
  arm(): string | undefined {
    this.#isArmed = true
    return this.#first
  }
}

class SqliteStore implements Store {
  readonly intake: Intake
  readonly traces: Traces
  readonly queue: SqliteQueue
  readonly mailboxes: Mailboxes
  readonly directory: MemoryDirectory
  readonly backups: BackupMaker
  readonly quarantine: Quarantine
  readonly trust: SqliteTrust
  readonly reports: ReportStore
  readonly sweptBodies: number
  readonly #ownership: Ownership
  readonly #writer: WriterClient
  readonly #reader: ReaderClient
  readonly #checkpoints: Checkpoints
  readonly #table = new AccountTable()
  readonly #hub: ViewHub
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #time: BelievedTime | undefined
  #accounts: SqliteAccounts | undefined
  #retention: RetentionSettings
  #closing: Promise<void> | undefined

  constructor(parts: {
    readonly ownership: Ownership
    readonly options: StoreOptions
    readonly writer: WriterClient
    readonly reader: ReaderClient
    readonly checkpoints: Checkpoints
    readonly swept: number
    readonly health: Health
  }) {
    const { health, ownership, options, reader, writer } = parts
    const { bodies } = ownership.paths
    const now = (): number => options.now()
    this.#ownership = ownership
    this.#writer = writer
    this.#reader = reader
    this.#checkpoints = parts.checkpoints
    this.#now = now
    this.#retention = options.retention ?? {}
    this.sweptBodies = parts.swept
    this.#hub = new ViewHub({
      load: (owner, mailbox) => this.#loadMailbox(owner, mailbox),
      release: (mailbox, upTo) => writer.post({ op: 'release', mailbox, upTo }),
      nowMs: options.monotonic ?? (() => performance.now()),
      later: (callback) => void setImmediate(callback),
    })
    const space = options.diskSpace ?? (() => diskSpaceOf(bodies))
    const lowWater = new LowWater({ space, now, health, reusable: () => reader.ask({ ask: 'reusable' }) })
    this.intake = new SqliteIntake({
      writer,
      bodies,
      lowWater,
      now,
      isClosed: () => this.#closing !== undefined,
    })
    this.traces = new SqliteTraces(reader)
    this.quarantine = new SqliteQuarantine({ writer, reader, bodies })
    this.trust = new SqliteTrust(writer)
    this.reports = new SqliteReports({ writer, reader })
    this.queue = new SqliteQueue({ writer, reader, bodies, now })
    const news = new DamageNews(({ owner, ...damage }) => {
      const login = this.#table.byId(owner)?.login ?? `account ${owner}`
      options.onDamage?.({ login, ...damage })
    }, now)
    this.mailboxes = new SqliteMailboxes({ writer, reader, hub: this.#hub, bodies, lowWater, news, now })
    this.backups = new BackupMaker({ writer, paths: ownership.paths })
    this.directory = new MemoryDirectory(this.#table, options.directory)
  }

  get accounts(): SqliteAccounts {
    if (this.#accounts === undefined) throw new Error('the store is not loaded yet')
    return this.#accounts
  }

  /** Reads who is here; events that come meanwhile are only repeated by it. */
  async load(): Promise<void> {
    const { accounts, aliases, good } = await this.#reader.ask({ ask: 'directory' })
    for (const account of accounts) this.#table.put(account)
    for (const [alias, targets] of aliases) this.#table.setAlias(alias, targets)
    for (const row of await this.#reader.ask({ ask: 'trust' })) this.trust.put(row)
    this.#accounts = new SqliteAccounts({
      writer: this.#writer,
      reader: this.#reader,
      table: this.#table,
      good,
      now: this.#now,
    })
  }

  believedNow(): number {
    return this.#time?.now() ?? this.#now()
  }

  /** Forgets old traces now and from time to time, until `close`. */
  startRetention(time: BelievedTime): void {
    this.#time = time
    this.#retain()
    this.#timer = setInterval(() => this.#retain(), RETENTION_INTERVAL_MS)
    this.#timer.unref()
  }

  apply(events: readonly StoreEvent[]): void {
    let queued = false
    for (const event of events) {
      if (event.e === 'used') this.#table.setUsed(event.account, event.used)
      else if (event.e === 'queue') queued = true
      else if (event.e === 'trust') this.trust.put(event.entry)
      else if (event.e === 'trust-gone') this.trust.forget(event.id)
      else if (
        event.e === 'account' ||
        event.e === 'account-gone' ||
        event.e === 'credential' ||
        event.e === 'alias'
      )
        this.#applyAccount(event)
      else this.#hub.apply(event)
    }
    if (queued) this.queue.changed()
  }

  reload(settings: {
    readonly directory: DirectorySettings
    readonly retention?: RetentionSettings | undefined
  }): void {
    this.directory.reload(settings.directory)
    this.#retention = settings.retention ?? {}
    this.#retain()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  limitPages(pages: number): void {
    this.#writer.limitPages(pages)
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    await this.backups.close()
    // The reader first: the last one to close the database tidies up its log.
    await this.#reader.close()
    await this.#checkpoints.close()
    await this.#writer.close()
    this.#ownership.release()
  }

  #applyAccount(
    event: Extract<StoreEvent, { e: 'account' | 'account-gone' | 'credential' | 'alias' }>,
  ): void {
    if (event.e === 'account') this.#table.put(event.account)
    else if (event.e === 'alias') this.#table.setAlias(event.alias, event.targets)
    else if (event.e === 'account-gone') {
      this.#table.remove(event.account)
      this.#accounts?.forget(event.account as AccountId)
    }
    const login = event.e === 'account' ? event.account.login : event.e === 'alias' ? undefined : event.login
    this.#accounts?.changed({ login })
  }

  async #loadMailbox(owner: number, mailbox: number) {
    const loaded = await this.#reader.ask({ ask: 'load', owner, mailbox })
    if (loaded === undefined) return undefined
    const { uids, messageIds, flags, modseqs, ...rest } = loaded
    return { ...rest, columns: new Columns({ uids, messages: messageIds, flags, modseqs }) }
  }

  #retain(): void {
    const { traceMaxAgeMs, traceMaxBytes } = this.#retention
    if (traceMaxAgeMs === undefined && traceMaxBytes === undefined) return
    const beforeMs = traceMaxAgeMs === undefined ? null : this.believedNow() - traceMaxAgeMs
    this.#writer.post({ op: 'retain', beforeMs, maxBytes: traceMaxBytes ?? null })
  }
}
