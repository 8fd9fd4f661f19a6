import { capabilityWord } from '../text.ts'

/** rfc5161 §3.2. */
export interface EnabledResponse {
  readonly kind: 'enabled'
  readonly capabilities: readonly string[]
}

export function encodeEnabled(response: EnabledResponse): string {
  return `* ENABLED${response.capabilities.map((word) => ` ${capabilityWord(word)}`).join('')}\r\n`
}
