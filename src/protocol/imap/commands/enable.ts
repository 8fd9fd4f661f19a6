import { MAX_ENABLE } from '../limits.ts'
import type { WireReader } from '../reader.ts'

export interface EnableCommand {
  readonly kind: 'enable'
  /** In upper case, known or not (rfc5161 §3.1: unknown ones are passed over). */
  readonly capabilities: readonly string[]
}

/** rfc5161 §3.1. */
export function parseEnable(reader: WireReader): EnableCommand {
  const capabilities: string[] = []
  do {
    reader.space()
    capabilities.push(reader.word('a capability'))
    if (capabilities.length > MAX_ENABLE) reader.fail('too many capabilities')
  } while (reader.peek() === ' ')
  return { kind: 'enable', capabilities }
}
