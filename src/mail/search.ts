import type { UidSet } from './uid-set.ts'

/**
 * What SEARCH asks for (rfc3501 §6.4.4), as a tree. Keys that say the same are one kind here: SEEN and UNSEEN
 * are `flag`, FROM and SUBJECT are `header`, NEW is `and`.
 */
export type SearchKey =
  | { readonly kind: 'all' }
  /** `bit` as in mail/flags. */
  | { readonly kind: 'flag'; readonly bit: number; readonly set: boolean }
  | { readonly kind: 'keyword'; readonly keyword: string; readonly set: boolean }
  | { readonly kind: 'recent'; readonly set: boolean }
  /** `name` in lower case; an empty `text` asks whether the field is there. */
  | { readonly kind: 'header'; readonly name: string; readonly text: string }
  | { readonly kind: 'body'; readonly text: string }
  /** Header or body. */
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'date'
      /** INTERNALDATE or the Date field, time and zone left out of account. */
      readonly of: 'arrival' | 'sent'
      readonly relation: 'before' | 'on' | 'since'
      readonly day: SearchDay
    }
  | { readonly kind: 'size'; readonly relation: 'larger' | 'smaller'; readonly sizeBytes: number }
  /** Message sequence numbers; `*` not yet resolved. */
  | { readonly kind: 'sequence'; readonly set: UidSet }
  /** UIDs; `*` not yet resolved. */
  | { readonly kind: 'uid'; readonly set: UidSet }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }

export interface SearchDay {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

/** Nested OR, NOT and parentheses: people stay below 5; a program that ORs many addresses nests once for each. */
export const MAX_SEARCH_DEPTH = 200
/** Keys in one tree: each is looked at for each message. */
export const MAX_SEARCH_KEYS = 1000
/** Keys that look through the content: each costs some milliseconds for each MiB, and the reader of all mailboxes waits. */
export const MAX_SEARCH_TEXTS = 100

/** Every key of the tree once, parents first. Recursion is safe: depth is bounded where the tree is made. */
export function* searchKeys(key: SearchKey): Generator<SearchKey, void> {
  yield key
  if (key.kind === 'not') yield* searchKeys(key.key)
  else if (key.kind === 'or') {
    yield* searchKeys(key.left)
    yield* searchKeys(key.right)
  } else if (key.kind === 'and') for (const one of key.keys) yield* searchKeys(one)
}

/** Whether the message's octets (not only its columns) are needed to decide. */
export function needsContent(key: SearchKey): boolean {
  for (const one of searchKeys(key))
    if (one.kind === 'header' || one.kind === 'body' || one.kind === 'text') return true
  return false
}
