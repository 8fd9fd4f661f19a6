import { createHash } from 'node:crypto'
import type { Evidence } from '../../mail/authentication.ts'
import { formatResults } from '../../mailauth/authentication-results.ts'
import { CanonicalBody } from '../../mailauth/body-hash.ts'
import { HeaderBlock } from '../../mailauth/header-block.ts'
import { EVALUATION_LIMITS } from '../../mailauth/limits.ts'
import { makeSeal } from '../../mailauth/seal.ts'
import type { EvaluationFacts, ReadableContent, SigningKey } from '../../ports/mail-auth.ts'

export interface SealingParts {
  readonly evidence: Evidence
  readonly facts: EvaluationFacts
  readonly key: SigningKey
  readonly nowMs: number
}

/**
 * A new ARC set for a message that is passed on; reads it once more, holds only its header. Empty where none may be
 * made: after a chain that failed, by a key of another kind, or where the header is too long to be looked at.
 */
export async function sealMessage(
  message: ReadableContent,
  { evidence, facts, key, nowMs }: SealingParts,
): Promise<string> {
  if (key.algorithm !== 'rsa-sha256') return ''
  const block = new HeaderBlock(EVALUATION_LIMITS.headerBytes)
  const hash = createHash('sha256')
  const body = new CanonicalBody('relaxed', (octets) => hash.update(octets))
  for await (const piece of message.pieces()) {
    body.update(block.push(piece))
    if (block.isTooLarge) return ''
  }
  body.end()
  const { authservId, client } = facts
  return makeSeal({
    header: block.bytes(),
    bodyHash: hash.digest('base64'),
    arc: evidence.arc,
    results: formatResults({ authservId, evidence, client }),
    key,
    nowMs,
  })
}
