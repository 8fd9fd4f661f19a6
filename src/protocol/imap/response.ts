import { unreachable } from '../../mail/assert.ts'
import { type CapabilityResponse, encodeCapability } from './responses/capability.ts'
import { type ConditionResponse, encodeCondition } from './responses/condition.ts'
import { type EnabledResponse, encodeEnabled } from './responses/enabled.ts'
import { type ExistsResponse, encodeExists } from './responses/exists.ts'
import { type ExpungeResponse, encodeExpunge } from './responses/expunge.ts'
import { encodeFetch, type FetchResponse } from './responses/fetch.ts'
import { encodeFlags, type FlagsResponse } from './responses/flags.ts'
import { encodeId, type IdResponse } from './responses/id.ts'
import { encodeList, type ListResponse } from './responses/list.ts'
import { encodeNamespace, type NamespaceResponse } from './responses/namespace.ts'
import { encodeRecent, type RecentResponse } from './responses/recent.ts'
import { encodeSearch, type SearchResponse } from './responses/search.ts'
import { encodeStatus, type StatusResponse } from './responses/status.ts'

/** Everything a server says without a tag, in one piece. */
export type ImapResponse =
  | CapabilityResponse
  | ConditionResponse
  | EnabledResponse
  | ExistsResponse
  | ExpungeResponse
  | FetchResponse
  | FlagsResponse
  | IdResponse
  | ListResponse
  | NamespaceResponse
  | RecentResponse
  | SearchResponse
  | StatusResponse

/** The wire octets as characters U+0000 to U+00FF. */
export function encodeResponse(response: ImapResponse): string {
  switch (response.kind) {
    case 'fetch':
      return encodeFetch(response)
    case 'exists':
      return encodeExists(response)
    case 'expunge':
      return encodeExpunge(response)
    case 'recent':
      return encodeRecent(response)
    case 'condition':
      return encodeCondition(response)
    case 'search':
      return encodeSearch(response)
    case 'status':
      return encodeStatus(response)
    case 'list':
    case 'lsub':
      return encodeList(response)
    case 'flags':
      return encodeFlags(response)
    case 'capability':
      return encodeCapability(response)
    case 'enabled':
      return encodeEnabled(response)
    case 'namespace':
      return encodeNamespace(response)
    case 'id':
      return encodeId(response)
    default:
      return unreachable(response)
  }
}
