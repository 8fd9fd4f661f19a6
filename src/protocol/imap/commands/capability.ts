import type { WireReader } from '../reader.ts'

export interface CapabilityCommand {
  readonly kind: 'capability'
}

/** rfc3501 §6.1.1. */
export function parseCapability(_reader: WireReader): CapabilityCommand {
  return { kind: 'capability' }
}
