import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js'
import type {
  DkimFinding,
  DmarcFinding,
  DmarcPolicy,
  DmarcPublished,
  SpfFinding,
} from '../mail/authentication.ts'
import { type AskRecords, DNS_DOWN } from './dns.ts'
import type { Author } from './from.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { printable } from './printable.ts'

export interface DmarcInput {
  readonly author: Author
  readonly spf: SpfFinding
  readonly dkim: readonly DkimFinding[]
  readonly ask: AskRecords
}

type Response = Exclude<Awaited<ReturnType<typeof evaluateDmarc>>['response'], false>

/** rfc9989 §5.3, with one leniency: `pct=0`, which is gone, is read as the `t=y` that took its place (§A.6). */
export async function checkDmarc({ author, spf, dkim, ask }: DmarcInput): Promise<DmarcFinding> {
  if (author.kind !== 'one') return { result: 'permerror', domain: '', aligned: {}, why: author.why }
  const { domain } = author
  if (domain.startsWith('[')) {
    return { result: 'none', domain, aligned: {}, why: 'an address can publish no policy' }
  }
  const passed = await evaluated(domain, ask, {
    spf: spf.result === 'pass' ? [spf.domain] : [],
    dkim: dkim.filter(({ result }) => result === 'pass').map((one) => one.domain),
  })
  const finding = findingOf(domain, passed)
  if (finding.result === 'temperror' && finding.policy === undefined)
    return { ...finding, isUnreachable: await isUnreachable(domain, ask) }
  return finding.result === 'fail' ? orTemporary(finding, { author, spf, dkim, ask }) : finding
}

/** A record that alone can't be had may be kept from us on purpose; a domain whose servers are all down can't send either. */
async function isUnreachable(domain: string, ask: AskRecords): Promise<boolean> {
  try {
    await ask(domain, 'A')
    return false
  } catch (error) {
    return (error as { readonly code?: unknown }).code === DNS_DOWN
  }
}

/**
 * A failure that would have been a pass had the DNS answered is not one yet (rfc9989 §5.3.6): whoever asks later may
 * find a pass.
 */
async function orTemporary(failed: DmarcFinding, { spf, dkim, ask }: DmarcInput): Promise<DmarcFinding> {
  const undecided = {
    spf: spf.result === 'temperror' ? [spf.domain] : [],
    dkim: dkim.filter(({ result }) => result === 'temperror').map((one) => one.domain),
  }
  if (undecided.spf.length + undecided.dkim.length === 0) return failed
  const { status, alignment } = await evaluated(failed.domain, ask, undecided)
  if (status.result !== 'pass' && status.result !== 'temperror') return failed
  const of = alignment?.dkim.result || undefined
  const why =
    of === undefined
      ? 'SPF of an aligned domain could not be found out'
      : `the key of ${of} could not be fetched`
  return { ...failed, result: 'temperror', why }
}

async function evaluated(
  domain: string,
  ask: AskRecords,
  domains: { readonly spf: readonly string[]; readonly dkim: readonly string[] },
): Promise<Response> {
  const { response } = await evaluateDmarc({
    headerFrom: [`author@${domain}`],
    fromFields: 1,
    spfDomains: domains.spf.filter((name) => name !== ''),
    dkimDomains: domains.dkim.filter((name) => name !== '').map((name) => ({ domain: name })),
    resolver: ask,
    strict: true,
  })
  if (response === false) throw new Error(`mailauth finds no author domain in ${domain}`)
  return response
}

function findingOf(domain: string, response: Response): DmarcFinding {
  const result = response.status.result as DmarcFinding['result']
  const error = (response as { error?: string }).error
  const base = { result, domain, organizationalDomain: response.domain, aligned: {} } as const
  if (response.rr === undefined || response.policy === undefined) {
    return {
      ...base,
      why: error === undefined ? 'no policy is published' : printable(error, LIMITS.whyChars),
    }
  }
  const record = new Map(tagsOf(response.rr))
  const isLenient = record.get('pct') === '0' && !record.has('t')
  return {
    ...base,
    policyDomain: (response as { policyDomain?: string }).policyDomain,
    policy: isLenient ? oneLower(response.policy as DmarcPolicy) : (response.policy as DmarcPolicy),
    published: published(response, record, isLenient),
    aligned: {
      spf: response.alignment?.spf.result || undefined,
      dkim: response.alignment?.dkim.result || undefined,
    },
    leniency: isLenient ? 'pct=0 read as t=y' : undefined,
    why: error === undefined ? undefined : printable(error, LIMITS.whyChars),
  }
}

/** rfc9989 §4.7 (`t`). */
function oneLower(policy: DmarcPolicy): DmarcPolicy {
  return policy === 'reject' ? 'quarantine' : 'none'
}

function published(
  response: Response,
  record: ReadonlyMap<string, string>,
  isLenient: boolean,
): DmarcPublished {
  const p = response.p as DmarcPolicy
  // rfc9989 §4.10.1: a broken p, sp or np leaves p=none and nothing of the three, where reports are asked for.
  const isBroken = p !== record.get('p')?.toLowerCase()
  const fo = record.get('fo')
  return {
    p,
    sp: isBroken ? undefined : policyOf(record.get('sp')),
    np: isBroken ? undefined : policyOf(record.get('np')),
    adkim: response.alignment.dkim.strict ? 's' : 'r',
    aspf: response.alignment.spf.strict ? 's' : 'r',
    t: response.testMode || isLenient,
    fo: fo === undefined ? undefined : printable(fo, 40),
    rua: (record.get('rua') ?? '')
      .split(',')
      .map((uri) => printable(uri.trim(), LIMITS.whyChars))
      .filter((uri) => uri !== '')
      .slice(0, LIMITS.reportUris),
  }
}

function policyOf(text: string | undefined): DmarcPolicy | undefined {
  const lower = text?.toLowerCase()
  return lower === 'none' || lower === 'quarantine' || lower === 'reject' ? lower : undefined
}

/** The tags of a record that mailauth has accepted (rfc9989 §4.7): no name stands twice. */
function* tagsOf(record: string): Iterable<[string, string]> {
  for (const part of record.split(';')) {
    const at = part.indexOf('=')
    if (at > 0) yield [part.slice(0, at).trim(), part.slice(at + 1).trim()]
  }
}
