import type { DkimFinding, Evidence, SpfFinding } from '../../mail/authentication.ts'
import { couldAlign } from './alignment.ts'
import { MAX_NAMED_SIGNATURES } from './limits.ts'

/* What failed, in words that both an operator and a sender's postmaster understand; fragments without a full stop. */

export function spfFailure({ spf, dmarc }: Evidence, client: string): string {
  const domain = spf.domain === '' ? 'of the sender' : spf.domain
  const other =
    couldAlign(spf.domain, dmarc, 'spf') || spf.domain === '' ? '' : `, which is not ${dmarc.domain}`
  return `${SPF_SAYS[spf.result](domain, client)} (SPF ${spf.result})${other}`
}

const SPF_SAYS: Readonly<Record<SpfFinding['result'], (domain: string, client: string) => string>> = {
  pass: (domain, client) => `${client} may send for ${domain}`,
  fail: (domain, client) => `the domain ${domain} does not let ${client} send for it`,
  softfail: (domain, client) => `the domain ${domain} probably does not let ${client} send for it`,
  neutral: (domain, client) => `the domain ${domain} does not say whether ${client} may send for it`,
  none: (domain) => `the domain ${domain} does not say who may send for it`,
  permerror: (domain) => `what ${domain} says of its senders can't be understood`,
  temperror: (domain) => `who may send for ${domain} could not be looked up`,
}

export function dkimFailure({ dkim, dmarc }: Evidence): string {
  if (dkim.length === 0) return `there is no signature of ${dmarc.domain} (DKIM none)`
  const told = dkim.slice(0, MAX_NAMED_SIGNATURES).map((finding) => signature(finding, dmarc.domain))
  const more = dkim.length > told.length ? `; ${dkim.length - told.length} more signatures` : ''
  const own = dkim.some(({ domain }) => couldAlign(domain, dmarc, 'dkim'))
  return `${told.join('; ')}${more}${own ? '' : `; none is of ${dmarc.domain}`}`
}

function signature({ result, domain, why }: DkimFinding, author: string): string {
  const of = domain === '' ? 'a signature of nobody' : `the signature of ${domain}`
  const because = why === undefined ? '' : `: ${why}`
  switch (result) {
    case 'pass':
      return `${of} is valid (DKIM pass)${domain === author ? '' : ' but vouches for another domain'}`
    case 'temperror':
      return `${of} could not be checked (DKIM temperror${because})`
    case 'permerror':
      return `${of} can't be used (DKIM permerror${because})`
    case 'policy':
    case 'neutral':
      return `${of} is not counted (DKIM ${result}${because})`
    case 'fail':
      return `${of} does not fit this message (DKIM fail${because})`
  }
}
