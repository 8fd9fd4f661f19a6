import { capabilityWord } from '../text.ts'

/** rfc3501 §7.2.1. */
export interface CapabilityResponse {
  readonly kind: 'capability'
  /** With IMAP4rev1 among them. */
  readonly capabilities: readonly string[]
}

export function encodeCapability(response: CapabilityResponse): string {
  return `* CAPABILITY ${response.capabilities.map(capabilityWord).join(' ')}\r\n`
}
