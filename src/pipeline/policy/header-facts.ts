import { unfold } from '../../mime/header.ts'
import { decodedWords } from '../../mime/words.ts'
import { type ContentHeader, fieldsNamed } from '../header-checks.ts'
import { MAX_LIST_ID_CHARS } from './limits.ts'

/** What a header says of the way that a message took. Anybody can write all of it: it may hold mail, never let it pass. */
export interface HeaderFacts {
  /** The one List-Id, lower case, without its brackets; undefined where there is none, or several, or it can't be read. */
  readonly listId?: string | undefined
  /** Fields that only mailing lists write, by name. */
  readonly listFields: readonly string[]
  readonly hasArc: boolean
}

/** rfc2369 §3, rfc2919 §3; and what old list programs write. */
const LIST_FIELDS: ReadonlySet<string> = new Set([
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'archived-at',
  'mailing-list',
])
const ARC_FIELDS: ReadonlySet<string> = new Set([
  'arc-seal',
  'arc-message-signature',
  'arc-authentication-results',
])

export function headerFacts(header: ContentHeader): HeaderFacts {
  const listFields = new Map<string, string>()
  for (const { key, name, raw } of header.fields) {
    const isList =
      LIST_FIELDS.has(key) || (key === 'precedence' && unfold(raw).trim().toLowerCase() === 'list')
    if (isList && !listFields.has(key)) listFields.set(key, name)
  }
  const ids = fieldsNamed(header, 'list-id')
  return {
    listId: ids.length === 1 && ids[0] !== undefined ? listIdOf(ids[0].raw) : undefined,
    listFields: [...listFields.values()],
    hasArc: header.fields.some(({ key }) => ARC_FIELDS.has(key)),
  }
}

/** The identifier of a List-Id field (rfc2919 §2, §6), lower case; undefined where there is no single one. */
export function listIdOf(raw: string): string | undefined {
  const text = decodedWords(unfold(raw))
  const brackets = [...text.matchAll(/<([^<>]*)>/g)]
  const id = brackets[0]?.[1]?.trim().toLowerCase()
  if (brackets.length !== 1 || id === undefined || id.length > MAX_LIST_ID_CHARS) return undefined
  return /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+$/.test(id) ? id : undefined
}
