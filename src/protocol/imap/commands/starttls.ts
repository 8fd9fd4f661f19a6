import type { WireReader } from '../reader.ts'

export interface StartTlsCommand {
  readonly kind: 'starttls'
}

/** rfc3501 §6.2.1. */
export function parseStartTls(_reader: WireReader): StartTlsCommand {
  return { kind: 'starttls' }
}
