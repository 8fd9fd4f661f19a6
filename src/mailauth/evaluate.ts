import type { Evidence } from '../mail/authentication.ts'
import type { Clock } from '../ports/clock.ts'
import type { EvaluationFacts, ReadableContent } from '../ports/mail-auth.ts'
import type { AuthDns } from './dns.ts'

export interface EvaluationTools {
  readonly dns: AuthDns
  readonly clock: Clock
}

/**
 * SPF, DKIM, ARC and DMARC of one message. Reads the content once, in pieces; asks the DNS within `EVALUATION_LIMITS`.
 * Nothing that the message or the DNS holds makes it reject, only content that cannot be read.
 */
export async function evaluate(
  message: ReadableContent,
  facts: EvaluationFacts,
  tools: EvaluationTools,
): Promise<Evidence> {
  throw new Error(`not yet: ${message.sizeBytes} ${facts.helo} ${tools.clock.now()}`)
}
