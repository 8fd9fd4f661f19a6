import type { AccountId, TraceId } from '../../mail/ids.ts'
import type { Held, HeldAction, Quarantine } from '../../ports/quarantine.ts'
import type { AcceptedEntry, Stored } from '../../ports/store.ts'
import { HELD_LIST_ROWS, HELD_NETWORK_PART, HELD_NETWORKS, HELD_SLICE_ROWS } from '../limits.ts'
import { FileProofs } from './file-proof.ts'
import { heldOf } from './held-rows.ts'
import { storeFailure } from './intake.ts'
import { LargestNetworks } from './largest-networks.ts'
import type { Answers } from './questions.ts'
import { type ReaderClient, ReadFault } from './reader-client.ts'
import { streamRange } from './streams.ts'
import type { Outcome, WriterClient } from './writer-client.ts'

export class SqliteQuarantine implements Quarantine {
  readonly #writer: WriterClient
  readonly #reader: ReaderClient
  readonly #bodies: string
  readonly #proofs: FileProofs

  constructor(parts: {
    readonly writer: WriterClient
    readonly reader: ReaderClient
    readonly bodies: string
  }) {
    this.#writer = parts.writer
    this.#reader = parts.reader
    this.#bodies = parts.bodies
    this.#proofs = new FileProofs(parts.bodies)
  }

  async list(query: Parameters<Quarantine['list']>[0]): Promise<readonly Held[]> {
    const { account = null, limit, sinceMs = null } = query
    const found: Held[] = []
    let before: string | undefined = query.before ?? '~'
    while (before !== undefined && found.length < limit) {
      const wanted = Math.min(limit - found.length, HELD_LIST_ROWS)
      const slice: Answers['held-list'] = await this.#reader.ask({
        ask: 'held-list',
        account,
        sinceMs,
        before,
        limit: wanted,
      })
      found.push(...slice.rows.map(heldOf))
      before = slice.last
    }
    return found
  }

  async get(id: TraceId): Promise<Held | undefined> {
    const rows = await this.#reader.ask({ ask: 'held', trace: id })
    return rows === undefined ? undefined : heldOf(rows)
  }

  async content(id: TraceId, maxBytes: number): Promise<Uint8Array | undefined> {
    const body = await this.#reader.ask({ ask: 'held-body', trace: id })
    if (body === undefined) return undefined
    const { damaged, needed, octets, rest } = body
    const why = damaged ?? (needed === undefined ? undefined : await this.#proofs.prove(needed))
    if (why !== undefined) throw new ReadFault(`the held message ${id} is damaged: ${why}`)
    const left = maxBytes - octets.length
    if (rest === undefined || left <= 0) return octets.subarray(0, maxBytes)
    const range = { ...rest, before: octets, length: Math.min(rest.length, left) }
    return Buffer.concat(await Array.fromAsync(streamRange(this.#bodies, range)))
  }

  async release(id: TraceId, how: HeldAction): Promise<Stored<readonly AcceptedEntry[]> | undefined> {
    const { by, nowMs } = how
    const outcome = await this.#writer.call<readonly (readonly [number, string, number])[] | null>({
      op: 'release-held',
      trace: id,
      by,
      nowMs,
    })
    if (!outcome.ok) return { ok: false, failure: storeFailure(outcome.refusal) }
    if (outcome.value === null) return undefined
    const value = outcome.value.map(([owner, mailbox, uid]) => ({ owner: owner as AccountId, mailbox, uid }))
    return { ok: true, value }
  }

  async delete(id: TraceId, { by, nowMs }: HeldAction): Promise<Stored<boolean>> {
    return storedOf(await this.#writer.call<boolean>({ op: 'delete-held', trace: id, by, nowMs }))
  }

  async expire({ maxBytes, nowMs }: Parameters<Quarantine['expire']>[0]): Promise<Stored<number>> {
    let gone = 0
    for (let count = HELD_SLICE_ROWS; count === HELD_SLICE_ROWS; ) {
      const slice = await this.#expire({ nowMs, excessBytes: null, network: null })
      if (!slice.ok) return slice
      count = slice.value[0]
      gone += count
    }
    const room = await this.#makeRoom(nowMs, maxBytes)
    return room.ok ? { ok: true, value: gone + room.value } : room
  }

  /** At the cost of the networks that hold most, so that a flood by one sender pushes out only its own. */
  async #makeRoom(nowMs: number, maxBytes: number): Promise<Stored<number>> {
    let gone = 0
    let excess = (await this.totals()).bytes - maxBytes
    if (excess <= 0) return { ok: true, value: 0 }
    const aboveBytes = Math.floor(maxBytes / HELD_NETWORK_PART)
    const networks = await this.#reader.ask({ ask: 'held-networks', aboveBytes, limit: HELD_NETWORKS })
    const largest = new LargestNetworks(networks, aboveBytes)
    while (excess > 0) {
      const { excessBytes, network } = largest.next(excess)
      const slice = await this.#expire({ nowMs, excessBytes, network })
      if (!slice.ok) return slice
      const [count, bytes] = slice.value
      if (count === 0 && network === null) break
      // Somebody else may have emptied it meanwhile.
      largest.shrink(network, count === 0 ? Number.POSITIVE_INFINITY : bytes)
      gone += count
      excess -= bytes
    }
    return { ok: true, value: gone }
  }

  totals(): Promise<{ readonly count: number; readonly bytes: number }> {
    return this.#reader.ask({ ask: 'held-totals' })
  }

  async undigestedAccounts(): Promise<readonly AccountId[]> {
    return (await this.#reader.ask({ ask: 'held-untold' })) as readonly AccountId[]
  }

  async undigested(account: AccountId, limit: number): Promise<readonly Held[]> {
    return (await this.#reader.ask({ ask: 'held-untold-of', account, limit })).map(heldOf)
  }

  async markDigested(account: AccountId, ids: readonly TraceId[], nowMs: number): Promise<Stored<undefined>> {
    const done = storedOf(await this.#writer.call<null>({ op: 'told-held', account, traces: ids, nowMs }))
    return done.ok ? { ok: true, value: undefined } : done
  }

  /** One slice of what is past its time, or of the oldest. */
  async #expire(slice: {
    readonly nowMs: number
    readonly excessBytes: number | null
    readonly network: string | null
  }): Promise<Stored<readonly [count: number, bytes: number]>> {
    return storedOf(await this.#writer.call<readonly [number, number]>({ op: 'expire-held', ...slice }))
  }
}

function storedOf<T>(outcome: Outcome<T>): Stored<T> {
  return outcome.ok ? outcome : { ok: false, failure: storeFailure(outcome.refusal) }
}
