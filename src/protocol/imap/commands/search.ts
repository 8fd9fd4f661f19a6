import type { SearchKey } from '../../../mail/search.ts'
import type { WireReader } from '../reader.ts'
import { readCharset } from './search-charset.ts'
import { readSearchKeys } from './search-key.ts'

export interface SearchCommand {
  readonly kind: 'search'
  /** Whether the answer holds UIDs. */
  readonly uid: boolean
  readonly key: SearchKey
}

/** rfc3501 §6.4.4. */
export function parseSearch(reader: WireReader, uid: boolean): SearchCommand {
  reader.space()
  const decode = readCharset(reader)
  return { kind: 'search', uid, key: readSearchKeys(reader, decode) }
}
