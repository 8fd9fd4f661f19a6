import type { EvaluationFacts } from '../../ports/mail-auth.ts'

/** Names whose TXT records an evaluation will very likely ask for. */
export type Foreseen = ReadonlySet<string>

/** Where signatures stand: a few KiB of Received and ARC fields may come before them. */
const LOOKED_AT_BYTES = 16 * 1024
const MOST_SIGNATURES = 4
const MOST_LABELS = 4
const SIGNATURE = /^DKIM-Signature:((?:[^\r\n]*\r?\n[ \t])*[^\r\n]*)/gim
const DOMAIN = /(?:^|;)\s*d\s*=\s*([\w.-]{1,253})/
const SELECTOR = /(?:^|;)\s*s\s*=\s*([\w.-]{1,253})/

/**
 * What to send along with a message if it is known already, so that the thread need not ask: each question costs both
 * threads a message. A hint and no more; a name too many or too few changes no result.
 */
export function foresee(content: Uint8Array<ArrayBuffer>, { reversePath, helo }: EvaluationFacts): Foreseen {
  const names = new Set<string>()
  const add = (domain: string) => names.add(domain.toLowerCase())
  // The domain's own policy, and those above it (rfc9989 §4.10).
  const addPolicies = (domain: string) => {
    const labels = domain.split('.')
    for (let i = Math.max(0, labels.length - MOST_LABELS); i < labels.length; i++)
      add(`_dmarc.${labels.slice(i).join('.')}`)
  }
  add(reversePath?.domain ?? helo)
  if (reversePath !== null) addPolicies(reversePath.domain)
  const start = Buffer.from(content.buffer, 0, Math.min(content.length, LOOKED_AT_BYTES)).toString('latin1')
  let left = MOST_SIGNATURES
  for (const [, value = ''] of start.matchAll(SIGNATURE)) {
    const [domain, selector] = [DOMAIN.exec(value)?.[1], SELECTOR.exec(value)?.[1]]
    if (domain === undefined || selector === undefined) continue
    add(`${selector}._domainkey.${domain}`)
    addPolicies(domain)
    if (--left === 0) break
  }
  return names
}
