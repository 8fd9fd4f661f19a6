import type { CommandReader } from '../reader.ts'

export interface NamespaceCommand {
  readonly kind: 'namespace'
}

/** rfc2342 §5. */
export function parseNamespace(_reader: CommandReader): NamespaceCommand {
  return { kind: 'namespace' }
}
