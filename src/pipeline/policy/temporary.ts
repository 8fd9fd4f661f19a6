import type { Evidence } from '../../mail/authentication.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { Reason } from '../../mail/trace.ts'
import { couldAlign } from './alignment.ts'
import type { TrustMatch } from './trust.ts'

export interface TemporaryFailure {
  readonly rule: 'dkim-temporary' | 'spf-temporary' | 'dmarc-temporary'
  readonly reply: Reply
  readonly reason: Reason
}

/**
 * A look-up that failed for the time being and would have decided: with a pass there the message would have been
 * delivered (rfc9989 §5.3.5). Others don't matter. The sender comes again; nothing is refused for a resolver's bad day.
 */
export function temporaryFailure(evidence: Evidence, trust: TrustMatch): TemporaryFailure | undefined {
  const { dkim, spf, dmarc } = evidence
  const isOpen = dmarc.result === 'temperror'
  const { kind, domain } = trust.pending?.key ?? {}
  const key = dkim.find(
    (one) =>
      one.result === 'temperror' &&
      ((isOpen && couldAlign(one.domain, dmarc, 'dkim')) || (kind === 'dkim' && one.domain === domain)),
  )
  // rfc7372 §3.1 has no code for a key that could not be had; rfc3463 §3.8 has 7.5, cryptographic failure.
  if (key !== undefined)
    return failure(
      'dkim-temporary',
      '4.7.5',
      `The DKIM key ${key.selector}._domainkey.${key.domain}`,
      key.why,
    )
  if (spf.result === 'temperror' && ((isOpen && couldAlign(spf.domain, dmarc, 'spf')) || kind === 'spf'))
    return failure('spf-temporary', '4.7.24', `The SPF record of ${spf.domain}`, spf.why)
  return isOpen
    ? failure('dmarc-temporary', '4.7.0', `What vouches for ${dmarc.domain}`, dmarc.why)
    : undefined
}

function failure(
  rule: TemporaryFailure['rule'],
  enhanced: string,
  what: string,
  cause: string | undefined,
): TemporaryFailure {
  return {
    rule,
    reply: reply(
      451,
      enhanced,
      `${what} can't be looked up at the moment, and it decides; try again later`,
      cause,
    ),
    reason: {
      rule,
      text: `${what} could not be looked up${cause === undefined ? '' : ` (${cause})`}, and it would have decided.`,
    },
  }
}
