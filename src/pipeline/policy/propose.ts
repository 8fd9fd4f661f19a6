import type { Evidence } from '../../mail/authentication.ts'
import type { TrustKey } from '../../ports/trust.ts'
import { isSealedBy } from './trust.ts'

/** An exception that would have let a message pass, as narrow as the message allows. */
export interface TrustProposal {
  readonly kind: 'proposal'
  readonly key: TrustKey
  readonly list?: string | undefined
  /** An address as a network of one. */
  readonly host?: string | undefined
  /** For `hikyaku trust add`. */
  readonly args: readonly string[]
  /** A sentence: what one vouches for with it. */
  readonly vouches: string
  /** A sentence where nothing but the key itself says that this is a list or forwarder. */
  readonly caution?: string | undefined
}

/** @see TrustProposal */
export type Proposal = TrustProposal | { readonly kind: 'none'; readonly why: string }

/**
 * Looks for the narrowest key: a signature that covers the List-Id, any other signature, a seal, and last the envelope
 * domain with the client's address. A forger has a domain of its own too that passes: the caution says so.
 */
export function proposeTrust(held: {
  readonly evidence: Evidence
  readonly client: string
  readonly list?: string | undefined
}): Proposal {
  const { evidence, client, list } = held
  const { arc, dkim, dmarc, spf } = evidence
  if (dmarc.result !== 'fail')
    return none(
      'its author is not what it was held for: an exception skips the DMARC policy and nothing else',
    )
  const valid = dkim.filter(({ result, domain }) => result === 'pass' && domain !== '')
  const ofList = list === undefined ? undefined : valid.find(({ signs }) => signs.includes('list-id'))
  if (ofList !== undefined) return proposal({ kind: 'dkim', domain: ofList.domain }, { list }, dmarc.domain)
  const [signed] = valid
  if (signed !== undefined) return proposal({ kind: 'dkim', domain: signed.domain }, {}, dmarc.domain)
  const sealer = arc.sealers.at(-1)
  if (sealer !== undefined && isSealedBy(sealer, evidence))
    return proposal({ kind: 'arc', domain: sealer }, { list }, dmarc.domain)
  if (spf.result === 'pass' && spf.identity === 'mailfrom')
    return proposal({ kind: 'spf', domain: spf.domain }, { list, host: client }, dmarc.domain)
  return none(
    'nothing in it is beyond a forger: no signature and no seal is valid, and SPF does not pass for its envelope domain',
  )
}

function proposal(
  key: TrustKey,
  narrow: { readonly list?: string | undefined; readonly host?: string | undefined },
  author: string,
): TrustProposal {
  const { list, host } = narrow
  const args = [`--${key.kind}`, key.domain]
  if (list !== undefined) args.push('--list', list)
  if (host !== undefined) args.push('--host', host)
  return {
    kind: 'proposal',
    key,
    list,
    host,
    args,
    vouches: `Whatever ${VOUCHES[key.kind](key.domain)}${list === undefined ? '' : `, and says that it comes from the list ${list}`}${host === undefined ? '' : `, by the host ${host}`}, may then name any author, ${author} too.`,
    caution:
      list === undefined || key.kind !== 'dkim'
        ? `Only ${key.domain} itself says that ${key.domain} passes mail on honestly; a forger has such a domain as well. Add it only if you know ${key.domain}.`
        : undefined,
  }
}

const VOUCHES: Readonly<Record<TrustKey['kind'], (domain: string) => string>> = {
  dkim: (domain) => `is signed by ${domain}`,
  arc: (domain) => `${domain} has sealed as seen with its author's authentication whole`,
  spf: (domain) => `comes in an envelope of ${domain}`,
}

const none = (why: string): Proposal => ({ kind: 'none', why: `No exception can be proposed: ${why}.` })
