import type {
  ArcFinding,
  DkimFinding,
  DmarcFinding,
  DmarcPolicy,
  Evidence,
  SpfResult,
} from '../../mail/authentication.ts'

/** SPF of a domain. */
export const spf = (result: SpfResult, domain: string, identity: 'mailfrom' | 'helo' = 'mailfrom') => ({
  spf: { result, domain, identity } as const,
})

export const signature = (
  result: DkimFinding['result'],
  domain: string,
  more: Partial<DkimFinding> = {},
): DkimFinding => ({ result, domain, selector: 'sel1', signs: ['from', 'to', 'subject'], ...more })

/** DMARC of an author whose domain is its own Organizational Domain. */
export const dmarc = (
  result: DmarcFinding['result'],
  domain: string,
  policy?: DmarcPolicy,
  more: Partial<DmarcFinding> = {},
): { readonly dmarc: DmarcFinding } => ({
  dmarc: {
    result,
    domain,
    policy,
    policyDomain: policy === undefined ? undefined : domain,
    organizationalDomain: domain,
    published: policy === undefined ? undefined : { p: policy, adkim: 'r', aspf: 'r', t: false, rua: [] },
    aligned: {},
    ...more,
  },
})

/** Nothing found but what is given. */
export function evidence(...parts: readonly Partial<Omit<Evidence, 'dns' | 'limits'>>[]): Evidence {
  const arc: ArcFinding = { result: 'none', sealers: [] }
  const base: Evidence = { ...spf('none', ''), dkim: [], arc, ...dmarc('none', ''), dns: [], limits: [] }
  return Object.assign({ ...base }, ...parts)
}
