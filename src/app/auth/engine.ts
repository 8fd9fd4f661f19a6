import type { AuthDns } from '../../mailauth/dns.ts'
import type { Evaluation, EvaluationFacts, ReadableContent, SigningKey } from '../../ports/mail-auth.ts'

/** What a thread computes with. Neither call may reject for what a message or the DNS holds. */
export interface Engine {
  evaluate(
    message: ReadableContent,
    facts: EvaluationFacts,
    parts: { readonly dns: AuthDns; readonly sealWith: SigningKey | undefined },
  ): Promise<Evaluation>
  sign(message: ReadableContent, added: Uint8Array, keys: readonly SigningKey[]): Promise<string>
}
