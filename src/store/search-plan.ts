import type { SearchKey } from '../mail/search.ts'
import { containsUid, resolveStar, type UidSet } from '../mail/uid-set.ts'
import type { MailboxView } from '../ports/mailboxes.ts'
import { FIRST_KEYWORD_BIT, hasBit } from './flag-bits.ts'

/** A leaf that the view answers alone. */
type Known = (seq: number) => boolean

/** A SEARCH tree with its view leaves taken out and numbered. */
export type PlannedKey =
  | { readonly kind: 'known'; readonly index: number }
  | { readonly kind: 'not'; readonly key: PlannedKey }
  | { readonly kind: 'or'; readonly left: PlannedKey; readonly right: PlannedKey }
  | { readonly kind: 'and'; readonly keys: readonly PlannedKey[] }
  | Extract<SearchKey, { kind: 'header' | 'body' | 'text' | 'date' | 'size' }>

export interface SearchPlan {
  readonly key: PlannedKey
  readonly known: readonly Known[]
}

/** Takes a key apart into what the view knows and what must be read. The tree's depth is bounded where it is made. */
export function planSearch(view: MailboxView, key: SearchKey): SearchPlan {
  const known: Known[] = []
  const plan = (one: SearchKey): PlannedKey => {
    switch (one.kind) {
      case 'not':
        return { kind: 'not', key: plan(one.key) }
      case 'or':
        return { kind: 'or', left: plan(one.left), right: plan(one.right) }
      case 'and':
        return { kind: 'and', keys: one.keys.map(plan) }
      case 'header':
      case 'body':
      case 'text':
      case 'date':
      case 'size':
        return one
      default:
        known.push(knownLeaf(view, one))
        return { kind: 'known', index: known.length - 1 }
    }
  }
  return { key: plan(key), known }
}

type ViewLeaf = Exclude<
  SearchKey,
  { kind: 'not' | 'or' | 'and' | 'header' | 'body' | 'text' | 'date' | 'size' }
>

function knownLeaf(view: MailboxView, key: ViewLeaf): Known {
  switch (key.kind) {
    case 'all':
      return () => true
    case 'flag':
      return (seq) => ((view.flagBits(seq) & key.bit) !== 0) === key.set
    case 'keyword':
      return keywordLeaf(view, key.keyword, key.set)
    case 'recent':
      return (seq) => view.isRecent(seq) === key.set
    case 'sequence': {
      const set = resolveStar(key.set, view.exists)
      return (seq) => containsUid(set, seq)
    }
    case 'uid': {
      const set = resolvedUids(view, key.set)
      return (seq) => containsUid(set, view.uid(seq))
    }
  }
}

function resolvedUids(view: MailboxView, set: UidSet): UidSet {
  return resolveStar(set, view.exists === 0 ? 0 : view.uid(view.exists))
}

function keywordLeaf(view: MailboxView, keyword: string, set: boolean): Known {
  const wanted = keyword.toLowerCase()
  const index = view.keywords.findIndex((one) => one.toLowerCase() === wanted)
  if (index < 0) return () => !set
  return (seq) => hasBit(view.flagBits(seq), FIRST_KEYWORD_BIT + index) === set
}

/** What the view's leaves tell of the whole tree; undefined where more must be read. */
export function decide(key: PlannedKey, known: readonly Known[], seq: number): boolean | undefined {
  switch (key.kind) {
    case 'known':
      return known[key.index]?.(seq)
    case 'not': {
      const inner = decide(key.key, known, seq)
      return inner === undefined ? undefined : !inner
    }
    case 'or': {
      const left = decide(key.left, known, seq)
      if (left === true) return true
      const right = decide(key.right, known, seq)
      return right === true ? true : left === undefined ? undefined : right
    }
    case 'and': {
      let all: boolean | undefined = true
      for (const one of key.keys) {
        const result = decide(one, known, seq)
        if (result === false) return false
        if (result === undefined) all = undefined
      }
      return all
    }
    default:
      return undefined
  }
}
