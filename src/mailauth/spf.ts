import { type SPFResult, spf } from 'mailauth/lib/spf/index.js'
import type { SpfFinding } from '../mail/authentication.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { parseIp } from '../mail/ip.ts'
import type { EvaluationFacts } from '../ports/mail-auth.ts'
import type { Inquiry } from './dns.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { printable } from './printable.ts'

/** check_host() (rfc7208 §4) for the reverse-path, or for HELO where that is null (rfc7208 §2.4). */
export async function checkSpf(facts: EvaluationFacts, inquiry: Inquiry): Promise<SpfFinding> {
  const { reversePath, helo, client } = facts
  const identity = reversePath === null ? 'helo' : 'mailfrom'
  const asked = reversePath === null ? helo : reversePath.domain
  // rfc8616 §4: U-labels are checked as A-labels.
  const domain = canonicalDomain(asked) ?? ''
  const about = { domain, identity } as const
  // rfc7208 §4.3: a literal, a single label or what else is no name can have no record.
  if (domain === '' || !domain.includes('.')) {
    return {
      ...about,
      result: 'none',
      why: `${printable(asked, 80) || 'an empty name'} can have no SPF record`,
    }
  }
  if (parseIp(client) === undefined) {
    return { ...about, result: 'none', why: 'the client has no address to check' }
  }
  const found = await spf({
    sender: reversePath === null ? '' : `${reversePath.local}@${domain}`,
    ip: client,
    helo,
    mta: facts.authservId,
    resolver: inquiry.ask,
    strict: true,
  })
  return { ...about, result: found.status.result as SpfFinding['result'], why: why(found, domain, client) }
}

function why(found: SPFResult, domain: string, client: string): string {
  switch (found.status.result) {
    case 'pass':
      return `${domain} permits ${client}`
    case 'fail':
      return `${domain} does not permit ${client}`
    case 'softfail':
      return `${domain} says that ${client} is probably not permitted`
    case 'neutral':
      return `${domain} neither permits nor forbids ${client}`
    case 'none':
      return `${domain} has no SPF record`
    default:
      return errorText(found)
  }
}

/** What mailauth says behind the sender, which is the cause. */
function errorText(found: SPFResult): string {
  const comment = String(found.status.comment ?? '')
  const sender = `lookup of ${found['envelope-from'] ?? ''}: `
  const at = comment.indexOf(sender)
  const cause = at < 0 ? comment : comment.slice(at + sender.length)
  return printable(cause === '' ? 'SPF could not be evaluated' : cause, LIMITS.whyChars)
}
