import type { SearchKey } from '../../mail/search.ts'
import { SEARCH_ROWS } from '../limits.ts'
import { decide, planSearch, type SearchPlan } from '../search-plan.ts'
import type { View } from '../views/view.ts'
import type { ReaderClient } from './reader-client.ts'

/** Sequence numbers of the view decided at one turn of the event loop. */
const DECIDED_ROWS = 20_000

/**
 * SEARCH: what the view knows decides first; only messages that are still open are read, slice by slice, so
 * that other readers get their turns.
 */
export async function searchView(reader: ReaderClient, view: View, key: SearchKey): Promise<number[]> {
  const plan = planSearch(view, key)
  const exists = view.exists
  const hits: number[] = []
  for (let first = 1; first <= exists; first += DECIDED_ROWS) {
    const open: number[] = []
    for (let seq = first; seq < first + DECIDED_ROWS && seq <= exists; seq++) {
      const decided = decide(plan.key, plan.known, seq)
      if (decided === true) hits.push(seq)
      else if (decided === undefined) open.push(seq)
    }
    for (const seq of await scanOpen(reader, view, plan, open)) hits.push(seq)
    if (first + DECIDED_ROWS <= exists) await new Promise((resolve) => setImmediate(resolve))
  }
  return hits.sort((a, b) => a - b)
}

/** The view must not be synced while this runs: EXPUNGE is not sent during SEARCH (rfc3501 §7.4.1). */
async function scanOpen(
  reader: ReaderClient,
  view: View,
  plan: SearchPlan,
  open: readonly number[],
): Promise<number[]> {
  const hits: number[] = []
  for (let at = 0; at < open.length; ) {
    const seqs = open.slice(at, at + SEARCH_ROWS)
    const knownCount = plan.known.length
    const known = new Uint8Array(seqs.length * knownCount)
    for (const [row, seq] of seqs.entries())
      for (let i = 0; i < knownCount; i++) known[row * knownCount + i] = plan.known[i]?.(seq) === true ? 1 : 0
    const messages = seqs.map((seq) => view.message(seq))
    const scanned = await reader.ask({ ask: 'scan', key: plan.key, messages, known, knownCount })
    for (const index of scanned.hits) hits.push(seqs[index] as number)
    at += scanned.done
  }
  return hits
}
