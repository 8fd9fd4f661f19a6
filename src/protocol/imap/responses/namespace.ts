import { encodeMutf7 } from '../../../bytes/mutf7.ts'
import { imapString } from '../text.ts'

/** rfc2342 §5. */
export interface NamespaceResponse {
  readonly kind: 'namespace'
  readonly personal: readonly Namespace[]
  readonly others: readonly Namespace[]
  readonly shared: readonly Namespace[]
}

export interface Namespace {
  readonly prefix: string
  /** null: flat. */
  readonly separator: string | null
}

export function encodeNamespace(response: NamespaceResponse): string {
  const lists = [response.personal, response.others, response.shared].map(encodeOne)
  return `* NAMESPACE ${lists.join(' ')}\r\n`
}

function encodeOne(namespaces: readonly Namespace[]): string {
  if (namespaces.length === 0) return 'NIL'
  const each = namespaces.map(({ prefix, separator }) => {
    const end = separator === null ? 'NIL' : imapString(separator)
    return `(${imapString(encodeMutf7(prefix))} ${end})`
  })
  return `(${each.join('')})`
}
