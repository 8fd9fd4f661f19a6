import type { WireReader } from '../reader.ts'

export interface NamespaceCommand {
  readonly kind: 'namespace'
}

/** rfc2342 §5. */
export function parseNamespace(_reader: WireReader): NamespaceCommand {
  return { kind: 'namespace' }
}
