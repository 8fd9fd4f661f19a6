import { type SPFResult, spf } from 'mailauth/lib/spf/index.js'
import type { SpfFinding } from '../mail/authentication.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { parseIp } from '../mail/ip.ts'
import type { EvaluationFacts } from '../ports/mail-auth.ts'
import type { AskRecords, Inquiry } from './dns.ts'
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
    sender: reversePath === null ? '' : `${reversePath.local}@${withoutUnderscores(domain)}`,
    ip: client,
    helo: reversePath === null ? withoutUnderscores(domain) : helo,
    mta: facts.authservId,
    resolver: boundedRecords(domain.includes('_') ? withUnderscores(inquiry.ask) : inquiry.ask),
    strict: true,
  })
  return { ...about, result: found.status.result as SpfFinding['result'], why: why(found, domain, client) }
}

/** rfc7208 §3.4: records should fit into 512 octets. mailauth reads one of 60 KiB in a second, and ten may be included. */
function boundedRecords(ask: AskRecords): AskRecords {
  return async (name, type) => {
    const records = await ask(name, type)
    const isLong = (record: readonly string[]): boolean => record.join('').length > LIMITS.spfRecordBytes
    if (type !== 'TXT') return records
    if (!records.some(isLong)) return records.map((texts) => [hyphensLast(texts.join(''))])
    const text = `a record of ${name} has more than ${LIMITS.spfRecordBytes} octets`
    // How mailauth is told a result: it takes `spfResult` where an error has one.
    throw Object.assign(new Error(text), { spfResult: { error: 'permerror', text } })
  }
}

/**
 * The delimiters of a macro (rfc7208 §7.1) in another order, which means nothing: mailauth 7.1 makes a character class
 * of them in which `.-+` is a range, and not even one that exists.
 */
function hyphensLast(record: string): string {
  return record.replace(
    /(%\{[a-z]\d*r?)([-.+,/_=]*-[-.+,/_=]*)\}/gi,
    (_, start: string, delimiters: string) => `${start}${delimiters.replaceAll('-', '')}-}`,
  )
}

/**
 * mailauth takes a domain with an underscore for none (rfc7208 §4.3 only asks for a well-formed one), though some bounce
 * domains have it. It is told another word instead, which is turned back in each name that it asks for.
 */
const UNDERSCORE = 'zu5fz'

function withoutUnderscores(domain: string): string {
  return domain.replaceAll('_', UNDERSCORE)
}

function withUnderscores(ask: AskRecords): AskRecords {
  return (name, type) => ask(name.toLowerCase().replaceAll(UNDERSCORE, '_'), type)
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
