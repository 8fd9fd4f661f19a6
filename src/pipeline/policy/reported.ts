import type { Evidence } from '../../mail/authentication.ts'
import type { PolicyOverride, ReportedDisposition } from '../../ports/reports.ts'
import type { Verdict } from './decide.ts'

/** What the author's domain is told of a verdict in its aggregate report; undefined where nothing was decided yet. */
export function reportedVerdict(
  { dmarc }: Evidence,
  { action, rule, trusted }: Verdict,
): { readonly disposition: ReportedDisposition; readonly reasons: readonly PolicyOverride[] } | undefined {
  if (action === 'defer') return undefined
  if (dmarc.result === 'pass')
    return {
      disposition: dmarc.policy === undefined || dmarc.policy === 'none' ? 'none' : 'pass',
      reasons: [],
    }
  const disposition = action === 'deliver' ? 'none' : action === 'hold' ? 'quarantine' : 'reject'
  const reasons: PolicyOverride[] = []
  if (dmarc.published?.t === true) reasons.push({ type: 'policy_test_mode' })
  if (trusted !== undefined)
    reasons.push({ type: trusted.list === undefined ? 'trusted_forwarder' : 'mailing_list' })
  else if (disposition !== (dmarc.policy ?? 'none')) reasons.push(OVERRIDES[rule] ?? { type: 'local_policy' })
  return { disposition, reasons }
}

const OVERRIDES: Readonly<Record<string, PolicyOverride>> = {
  'dmarc-list': { type: 'mailing_list', comment: 'held: it says that it comes from a mailing list' },
  'dmarc-arc': { type: 'other', comment: 'held: it carries an ARC set' },
  'dmarc-forwarder': { type: 'trusted_forwarder', comment: 'held' },
  'dmarc-unproven': { type: 'local_policy', comment: 'held: nothing but the policy speaks against it' },
}
