import type { SearchKey } from '../../mail/search.ts'
import { SEARCH_ROWS } from '../limits.ts'
import { decide, planSearch, type SearchPlan } from '../search-plan.ts'
import type { View } from '../views/view.ts'
import type { DamageNews } from './damage-news.ts'
import type { ReaderClient } from './reader-client.ts'

/** Sequence numbers of the view, and keys of all of them together, that are decided at one turn of the event loop. */
const DECIDED_ROWS = 20_000
const DECIDED_KEYS = 2 * DECIDED_ROWS

export interface SearchSource {
  readonly reader: Pick<ReaderClient, 'ask'>
  readonly news: DamageNews
}

/**
 * SEARCH: what the view knows decides first; only messages that are still open are read, slice by slice, so
 * that other readers get their turns. A message that is damaged is not found. Nothing more is read for a view that is
 * closed meanwhile: its client is gone.
 */
export async function searchView(source: SearchSource, view: View, key: SearchKey): Promise<number[]> {
  const plan = planSearch(view, key)
  const exists = view.exists
  // A thousand keys of which each is a long set cost a thousand times as much as one.
  const rows = Math.min(DECIDED_ROWS, Math.ceil(DECIDED_KEYS / (1 + plan.known.length)))
  const hits: number[] = []
  for (let first = 1; first <= exists && !view.isClosed; first += rows) {
    const open: number[] = []
    for (let seq = first; seq < first + rows && seq <= exists; seq++) {
      const decided = decide(plan.key, plan.known, seq)
      if (decided === true) hits.push(seq)
      else if (decided === undefined) open.push(seq)
    }
    for (const seq of await scanOpen(source, view, plan, open)) hits.push(seq)
    if (first + rows <= exists) await new Promise((resolve) => setImmediate(resolve))
  }
  return hits.sort((a, b) => a - b)
}

/** The view must not be synced while this runs: EXPUNGE is not sent during SEARCH (rfc3501 §7.4.1). */
async function scanOpen(
  { reader, news }: SearchSource,
  view: View,
  plan: SearchPlan,
  open: readonly number[],
): Promise<number[]> {
  const hits: number[] = []
  for (let at = 0; at < open.length && !view.isClosed; ) {
    const seqs = open.slice(at, at + SEARCH_ROWS)
    const knownCount = plan.known.length
    const known = new Uint8Array(seqs.length * knownCount)
    for (const [row, seq] of seqs.entries())
      for (let i = 0; i < knownCount; i++) known[row * knownCount + i] = plan.known[i]?.(seq) === true ? 1 : 0
    const messages = seqs.map((seq) => view.message(seq))
    const scanned = await reader.ask({ ask: 'scan', key: plan.key, messages, known, knownCount })
    for (const index of scanned.hits) hits.push(seqs[index] as number)
    for (const [index, cause] of scanned.damaged) {
      const { owner, name: mailbox } = view.shared
      news.report({ owner, mailbox, uid: view.uid(seqs[index] as number), cause })
    }
    at += scanned.done
  }
  return hits
}
