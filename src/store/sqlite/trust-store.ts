import { formatIp, parseNetwork } from '../../mail/ip.ts'
import type { TrustEntry, TrustKey, TrustList } from '../../ports/trust.ts'
import { storeFailure } from './intake.ts'
import type { TrustRow } from './operations.ts'
import type { Outcome, WriterClient } from './writer-client.ts'

/** Loaded when the store opens, kept current by its events. */
export class SqliteTrust implements TrustList {
  readonly #writer: WriterClient
  readonly #byId = new Map<number, TrustEntry>()
  #entries: readonly TrustEntry[] | undefined

  constructor(writer: WriterClient) {
    this.#writer = writer
  }

  entries(): readonly TrustEntry[] {
    this.#entries ??= [...this.#byId.values()].sort((a, b) => a.id - b.id)
    return this.#entries
  }

  async add(entry: Omit<TrustEntry, 'id'>): Promise<TrustEntry> {
    const row = written(await this.#writer.call<TrustRow>({ op: 'add-trust', entry: trustRow(entry) }))
    return { ...entry, id: row.id }
  }

  async remove(id: number): Promise<boolean> {
    return written(await this.#writer.call<boolean>({ op: 'remove-trust', id }))
  }

  /** A row of the store. One that cannot be read trusts nobody. */
  put(row: TrustRow): void {
    const entry = trustEntry(row)
    if (entry === undefined) return
    this.#byId.set(entry.id, entry)
    this.#entries = undefined
  }

  forget(id: number): void {
    this.#byId.delete(id)
    this.#entries = undefined
  }
}

function trustRow(entry: Omit<TrustEntry, 'id'>): Omit<TrustRow, 'id'> {
  const { addedAtMs, host, key, list, untilMs, why } = entry
  return {
    kind: key.kind,
    domain: key.domain,
    list: list ?? null,
    host: host === undefined ? null : `${formatIp(host.octets)}/${host.prefixBits}`,
    why: why ?? null,
    addedMs: addedAtMs,
    untilMs: untilMs ?? null,
  }
}

/** undefined where it can't be read: what would narrow it must not be lost. */
export function trustEntry(row: TrustRow): TrustEntry | undefined {
  const { addedMs, domain, host, id, kind, list, untilMs, why } = row
  const network = host === null ? undefined : parseNetwork(host)
  if (!isKind(kind) || domain === '' || (host !== null && network === undefined)) return undefined
  return {
    id,
    key: { kind, domain },
    list: list ?? undefined,
    host: network,
    why: why ?? undefined,
    addedAtMs: addedMs,
    untilMs: untilMs ?? undefined,
  }
}

function isKind(kind: string): kind is TrustKey['kind'] {
  return kind === 'dkim' || kind === 'arc' || kind === 'spf'
}

/** Operators change exceptions, a few a year: that the store can't write is no answer that callers go on with. */
function written<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  throw new Error(storeFailure(outcome.refusal).cause)
}
