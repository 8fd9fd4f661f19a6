import type { DmarcFinding, Evidence } from '../../mail/authentication.ts'

/**
 * Whether an identifier of that domain, had it passed, could have been aligned with the author's domain (rfc9989 §4.4).
 * Errs towards yes where the Organizational Domain is not known.
 */
export function couldAlign(domain: string, dmarc: DmarcFinding, by: 'spf' | 'dkim'): boolean {
  const author = dmarc.domain
  if (domain === '' || author === '') return false
  if (domain === author) return true
  const mode = by === 'spf' ? dmarc.published?.aspf : dmarc.published?.adkim
  if (mode === 's') return false
  const organization = dmarc.organizationalDomain
  if (organization !== undefined) return isWithin(domain, organization)
  return isWithin(domain, author) || isWithin(author, domain)
}

/** Whether an identifier passed that is the author's for certain, whatever the policy's record would say. */
export function hasAlignedPass({ spf, dkim, dmarc }: Evidence): boolean {
  if (dmarc.result === 'pass' || dmarc.aligned.spf !== undefined || dmarc.aligned.dkim !== undefined)
    return true
  if (dmarc.domain === '') return false
  return (
    (spf.result === 'pass' && spf.domain === dmarc.domain) ||
    dkim.some(({ result, domain }) => result === 'pass' && domain === dmarc.domain)
  )
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`)
}
