import type { TraceId } from '../../mail/ids.ts'
import type { TraceEvent } from '../../mail/trace.ts'
import type { TraceRecord, Traces } from '../../ports/store.ts'
import type { ReaderClient } from './reader-client.ts'

export class SqliteTraces implements Traces {
  readonly #reader: ReaderClient

  constructor(reader: ReaderClient) {
    this.#reader = reader
  }

  /** Newest first where addresses are looked for. */
  async find(query: Parameters<Traces['find']>[0]): Promise<readonly TraceRecord[]> {
    const { id, limit } = query
    if (id !== undefined) return (await this.#records([id])).slice(0, limit)
    const from = (query.from ?? '').toLowerCase()
    const to = (query.to ?? '').toLowerCase()
    const found = new Set<string>()
    let before: number | undefined = Number.MAX_SAFE_INTEGER
    while (before !== undefined && found.size < limit) {
      const slice: { readonly ids: readonly string[]; readonly next: number | undefined } =
        await this.#reader.ask({ ask: 'find-traces', from, to, before, limit })
      for (const one of slice.ids) if (found.size < limit) found.add(one)
      before = slice.next
    }
    return this.#records([...found])
  }

  async #records(ids: readonly string[]): Promise<TraceRecord[]> {
    const records: TraceRecord[] = []
    for (const id of ids) {
      const lists = await this.#reader.ask({ ask: 'trace', id })
      const events = lists.flatMap((list) => JSON.parse(list) as TraceEvent[])
      if (events.length > 0) records.push({ id: id as TraceId, events })
    }
    return records
  }
}
