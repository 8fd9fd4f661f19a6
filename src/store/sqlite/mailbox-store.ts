import { assert } from '../../mail/assert.ts'
import { INBOX, parseMailboxName, parseNewMailboxName } from '../../mail/mailbox-name.ts'
import type { SearchKey } from '../../mail/search.ts'
import type {
  AppendMessage,
  CopyResult,
  FetchPace,
  FetchRow,
  FetchWanted,
  MailboxError,
  Mailboxes,
  MailboxInfo,
  MailboxResult,
  MailboxStatus,
  MailboxView,
  SpecialUse,
  StoreFlags,
} from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import type { ViewHub } from '../views/hub.ts'
import { View } from '../views/view.ts'
import type { DamageNews } from './damage-news.ts'
import { type FetchSource, fetchView } from './fetching.ts'
import { FileProofs } from './file-proof.ts'
import { flagNamesOf, traceRows } from './intake.ts'
import { listedMailboxes, mailboxInfo } from './listing.ts'
import type { LowWater } from './low-water.ts'
import type { AppendOperation, Operation, Refusal } from './operations.ts'
import { type ReaderClient, ReadFault } from './reader-client.ts'
import { searchView } from './searching.ts'
import { expungeSlices, storeSlices, transferSlices } from './slices.ts'
import { contentOf } from './staging.ts'
import type { WriterClient } from './writer-client.ts'

export class SqliteMailboxes implements Mailboxes {
  readonly #writer: WriterClient
  readonly #reader: ReaderClient
  readonly #hub: ViewHub
  readonly #source: FetchSource
  readonly #now: () => number
  readonly #lowWater: LowWater

  constructor(parts: {
    readonly writer: WriterClient
    readonly reader: ReaderClient
    readonly hub: ViewHub
    readonly bodies: string
    readonly lowWater: LowWater
    readonly news: DamageNews
    now(): number
  }) {
    this.#writer = parts.writer
    this.#reader = parts.reader
    this.#hub = parts.hub
    const { bodies, news, reader } = parts
    this.#source = { reader, bodies, news, proofs: new FileProofs(bodies) }
    this.#lowWater = parts.lowWater
    this.#now = parts.now
  }

  async list(access: Access): Promise<readonly MailboxInfo[]> {
    if (!mayAct(access)) return []
    return listedMailboxes(await this.#reader.ask({ ask: 'mailboxes', owner: access.owner }))
  }

  async create(access: Access, name: string, specialUse?: SpecialUse): Promise<MailboxResult<MailboxInfo>> {
    const parsed = parseNewMailboxName(name)
    if (parsed === undefined) return invalid(name)
    if (parsed === INBOX) return refused({ kind: 'exists', what: name })
    const operation = {
      op: 'create',
      owner: access.owner,
      name: parsed,
      specialUse: specialUse ?? null,
      nowMs: this.#now(),
    } as const
    const made = await this.#write<null>(access, operation)
    if (!made.ok) return made
    return this.#read(() => this.#info(access, parsed))
  }

  delete(access: Access, name: string): Promise<MailboxResult<undefined>> {
    const parsed = parseMailboxName(name)
    if (parsed === undefined) return Promise.resolve(missing(name))
    return this.#done(access, { op: 'delete', owner: access.owner, name: parsed, nowMs: this.#now() })
  }

  async rename(access: Access, from: string, to: string): Promise<MailboxResult<undefined>> {
    const [source, target] = [parseMailboxName(from), parseNewMailboxName(to)]
    if (source === undefined) return missing(from)
    if (target === undefined) return invalid(to)
    const operation = {
      op: 'rename',
      owner: access.owner,
      from: source,
      to: target,
      nowMs: this.#now(),
    } as const
    const renamed = await this.#write<{ readonly upTo: number } | null>(access, operation)
    if (!renamed.ok) return renamed
    if (renamed.value === null) return { ok: true, value: undefined }
    const rest = { op: 'empty-inbox', owner: access.owner, to: target, upTo: renamed.value.upTo } as const
    for (;;) {
      const moved = await this.#write<boolean>(access, rest)
      if (!moved.ok) return moved
      if (!moved.value) return { ok: true, value: undefined }
    }
  }

  subscribe(access: Access, name: string, on: boolean): Promise<MailboxResult<undefined>> {
    const parsed = parseMailboxName(name)
    if (parsed === undefined) return Promise.resolve(invalid(name))
    return this.#done(access, { op: 'subscribe', owner: access.owner, name: parsed, on })
  }

  async subscriptions(access: Access): Promise<readonly string[]> {
    if (!mayAct(access)) return []
    return (await this.#reader.ask({ ask: 'mailboxes', owner: access.owner })).subscriptions
  }

  async status(access: Access, name: string): Promise<MailboxResult<MailboxStatus>> {
    const parsed = parseMailboxName(name)
    if (parsed === undefined || !mayAct(access)) return missing(name)
    return this.#read(async () => {
      const row = await this.#reader.ask({ ask: 'status', owner: access.owner, name: parsed })
      if (row === undefined) return missing(name)
      if (!row.selectable) return refused({ kind: 'not-selectable', what: name })
      const first = this.#hub.recent.firstOf(row.id)
      const recent =
        first === undefined ? 0 : await this.#reader.ask({ ask: 'count-from', mailbox: row.id, uid: first })
      const { messages, unseen, uidNext, uidValidity, size, highestModseq } = row
      return {
        ok: true,
        value: { messages, unseen, uidNext, uidValidity, sizeBytes: size, highestModseq, recent },
      }
    })
  }

  async open(
    access: Access,
    name: string,
    options: { readonly readOnly: boolean },
  ): Promise<MailboxResult<MailboxView>> {
    return this.#read(async () => {
      const info = await this.#info(access, name)
      if (!info.ok) return info
      if (!info.value.selectable) return refused({ kind: 'not-selectable', what: name })
      const view = await this.#hub.open(access.owner, info.value, options)
      return view === undefined ? missing(name) : { ok: true, value: view }
    })
  }

  async append(
    access: Access,
    name: string,
    messages: readonly AppendMessage[],
  ): Promise<MailboxResult<{ readonly uidValidity: number; readonly uids: readonly number[] }>> {
    const parsed = parseMailboxName(name)
    if (parsed === undefined) return missing(name)
    const full = await this.#lowWater.check()
    if (full !== undefined) return { ok: false, error: full }
    const blobs: (readonly Uint8Array[])[] = []
    const rows: AppendOperation['messages'][number][] = []
    for (const { body, flags, internalDateMs, internalDateZoneMinutes, trace } of messages) {
      const content = contentOf(body).row(NO_PREFIX, blobs.length)
      blobs.push(...content.blobs)
      const row = {
        body: content.row,
        flags: flagNamesOf(flags),
        dateMs: internalDateMs,
        zone: internalDateZoneMinutes,
        trace: trace === undefined ? null : traceRows(trace.id, trace.events, this.#now()),
      }
      rows.push(row)
    }
    const operation = { op: 'append', owner: access.owner, mailbox: parsed, messages: rows } as const
    const result = await this.#write<{ readonly uidValidity: number; readonly uids: readonly number[] }>(
      access,
      operation,
      blobs,
    )
    for (const { body } of messages) {
      if (result.ok) contentOf(body).stored()
      else if (result.error.kind === 'io') contentOf(body).uncertain()
    }
    return result
  }

  fetch(
    access: Access,
    view: MailboxView,
    seqs: readonly number[],
    wanted: FetchWanted,
    pace?: FetchPace,
  ): AsyncIterable<readonly FetchRow[]> {
    const own = ownView(access, view)
    assert(own !== undefined, 'a view is used by the account that opened it')
    return fetchView({ ...this.#source, pace }, own, seqs, wanted)
  }

  async storeFlags(
    access: Access,
    view: MailboxView,
    change: StoreFlags,
  ): Promise<MailboxResult<{ readonly changed: number; readonly modified: readonly number[] }>> {
    const own = writable(access, view)
    if (!own.ok) return own
    const { action, flags, silent, uids, unchangedSince } = change
    return storeSlices(this.#change(access, own.value, uids), {
      op: 'flags',
      owner: access.owner,
      mailbox: own.value.shared.id,
      action,
      flags: flagNamesOf(flags),
      unchangedSince: unchangedSince ?? null,
      view: own.value.number,
      silent,
    })
  }

  copy(
    access: Access,
    view: MailboxView,
    uids: readonly number[],
    to: string,
  ): Promise<MailboxResult<CopyResult>> {
    const own = ownView(access, view)
    if (own === undefined) return Promise.resolve(missing(view.mailbox.name))
    return this.#transfer(access, own, uids, { op: 'copy', to })
  }

  async move(
    access: Access,
    view: MailboxView,
    uids: readonly number[],
    to: string,
  ): Promise<MailboxResult<CopyResult>> {
    const own = writable(access, view)
    return own.ok ? this.#transfer(access, own.value, uids, { op: 'move', to }) : own
  }

  async expunge(
    access: Access,
    view: MailboxView,
    uids?: readonly number[],
  ): Promise<MailboxResult<readonly number[]>> {
    const own = writable(access, view)
    if (!own.ok) return own
    return expungeSlices({ ...this.#change(access, own.value, []), uids }, access.owner)
  }

  async search(access: Access, view: MailboxView, key: SearchKey): Promise<MailboxResult<readonly number[]>> {
    const own = ownView(access, view)
    if (own === undefined) return missing(view.mailbox.name)
    return this.#read(async () => ({ ok: true, value: await searchView(this.#source, own, key) }))
  }

  #transfer(
    access: Access,
    view: View,
    uids: readonly number[],
    how: { readonly op: 'copy' | 'move'; readonly to: string },
  ): Promise<MailboxResult<CopyResult>> {
    const to = parseMailboxName(how.to)
    if (to === undefined) return Promise.resolve(missing(how.to))
    const operation = { op: how.op, owner: access.owner, mailbox: view.shared.id, to } as const
    return transferSlices(this.#change(access, view, uids), operation)
  }

  #change(access: Access, view: View, uids: readonly number[]) {
    return { view, uids, write: <T>(operation: Operation) => this.#write<T>(access, operation) }
  }

  async #info(access: Access, name: string): Promise<MailboxResult<MailboxInfo>> {
    const parsed = parseMailboxName(name)
    if (parsed === undefined || !mayAct(access)) return missing(name)
    const row = await this.#reader.ask({ ask: 'info', owner: access.owner, name: parsed })
    return row === undefined ? missing(name) : { ok: true, value: mailboxInfo(row) }
  }

  async #write<T>(
    access: Access,
    operation: Operation,
    blobs: readonly (readonly Uint8Array[])[] = [],
  ): Promise<MailboxResult<T>> {
    if (!mayAct(access)) return missing('')
    const outcome = await this.#writer.call<T>(operation, blobs)
    return outcome.ok ? outcome : { ok: false, error: mailboxError(outcome.refusal) }
  }

  async #done(access: Access, operation: Operation): Promise<MailboxResult<undefined>> {
    const result = await this.#write<null>(access, operation)
    return result.ok ? { ok: true, value: undefined } : result
  }

  async #read<T>(answer: () => Promise<MailboxResult<T>>): Promise<MailboxResult<T>> {
    try {
      return await answer()
    } catch (error) {
      if (error instanceof ReadFault) return refused({ kind: 'io', cause: error.message })
      throw error
    }
  }
}

const NO_PREFIX = new Uint8Array(0)

/** Nobody acts on another's mailboxes yet; the server itself may. */
function mayAct(access: Access): boolean {
  return access.actor.kind === 'system' || access.actor.account === access.owner
}

/** A view of ours, opened for this owner; no id of another's mailbox gets through. */
function ownView(access: Access, view: MailboxView): View | undefined {
  assert(view instanceof View && !view.isClosed, 'a view comes from open() and is not closed')
  return mayAct(access) && view.shared.owner === access.owner ? view : undefined
}

function writable(access: Access, view: MailboxView): MailboxResult<View> {
  const own = ownView(access, view)
  if (own === undefined) return missing(view.mailbox.name)
  return own.readOnly
    ? refused({ kind: 'not-selectable', what: `${own.mailbox.name} is read-only` })
    : { ok: true, value: own }
}

const missing = (name: string): { readonly ok: false; readonly error: MailboxError } =>
  refused({ kind: 'no-such-mailbox', what: name })
const invalid = (name: string): { readonly ok: false; readonly error: MailboxError } =>
  refused({ kind: 'invalid-name', what: name })

function refused(error: MailboxError): { readonly ok: false; readonly error: MailboxError } {
  return { ok: false, error }
}

function mailboxError(refusal: Refusal): MailboxError {
  if ('cause' in refusal) return refusal
  const { kind, what } = refusal
  if (kind === 'no-such-account' || kind === 'no-such-alias' || kind === 'bad-target')
    return { kind: 'no-such-account', cause: what }
  return { kind, what }
}
