import type { SignatureHeader, SignatureResult } from 'mailauth/lib/dkim/dkim-verifier.js'
import type { DkimFinding, DkimResult } from '../mail/authentication.ts'
import { canonicalDomain } from '../mail/domain.ts'
import type { HeaderField } from '../mime/header.ts'
import type { AskRecords } from './dns.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { printable } from './printable.ts'

/**
 * What mailauth found out about a signature, in our words. Syntax that cannot be read is `neutral`, a key that is not
 * there or not to be used is `permerror` (rfc8601 §2.7.1): asking again changes nothing.
 */
export function dkimFinding(
  header: SignatureHeader,
  found: SignatureResult,
  repeated: ReadonlyMap<string, number> = new Map(),
): DkimFinding {
  const domain = canonicalDomain(found.signingDomain ?? '') ?? ''
  const { result, why, unsignedBytes } = withoutAdded(judged(found), header, repeated)
  return {
    result,
    domain,
    selector: printable(found.selector ?? '', 255),
    identity: header.parsed?.i === undefined ? undefined : printable(header.identity ?? '', 320),
    algorithm: found.algo === undefined ? undefined : printable(String(found.algo), 40).toLowerCase(),
    keyBits: found.modulusLength,
    signs: signedNames(header),
    unsignedBytes,
    b: found.signature === undefined ? undefined : printable(String(found.signature).slice(0, 8), 8),
    why: why === undefined ? undefined : printable(why, LIMITS.whyChars),
  }
}

interface Judged {
  readonly result: DkimResult
  readonly why?: string | undefined
  readonly unsignedBytes?: number | undefined
}

const KEY_FAULTS: Readonly<Record<string, string>> = {
  'no key': 'there is no key at that name',
  'unknown key version': 'the key has a version that is not known',
  'unknown key type': 'the key is of a type that is not known',
  'invalid public key': 'the key is revoked or cannot be read',
  'inappropriate hash algorithm': 'the key does not allow this hash',
  'inappropriate key algorithm': 'the key is not of the algorithm that the signature names',
  'key not for email': 'the key is not for mail',
  'domain mismatch': 'the identity (i=) is not within what the domain (d=) or its key allows',
}

function judged(found: SignatureResult): Judged {
  const { result, comment } = found.status
  const said = typeof comment === 'string' ? comment : undefined
  if (result === 'pass') return judgedGood(found)
  if (result === 'fail') {
    const isBody = said === 'body hash did not verify'
    return { result, why: isBody ? 'the body was changed' : 'the signature does not fit the header' }
  }
  if (result === 'temperror') return { result, why: said }
  if (result === 'policy') {
    const rule = found.status.policy?.['dkim-rules']
    const isKey = rule === 'weak-key'
    return {
      result,
      why: isKey ? `the key has fewer than ${LIMITS.minKeyBits} bits` : 'rsa-sha1 must not be used any more',
    }
  }
  if (said === 'expired') return { result: 'fail', why: 'the signature has expired' }
  const fault = said === undefined ? undefined : KEY_FAULTS[said]
  return fault === undefined ? { result: 'neutral', why: said } : { result: 'permerror', why: fault }
}

/** The signature fits; what is left is what we ask more of it. */
function judgedGood(found: SignatureResult): Judged {
  if (found.modulusLength !== undefined && found.modulusLength > LIMITS.maxKeyBits) {
    return { result: 'policy', why: `the key has more than ${LIMITS.maxKeyBits} bits` }
  }
  const { canonBodyLengthLimit: limit, canonBodyLengthTotal: total } = found
  if (limit !== undefined && total !== undefined && limit !== total) {
    // rfc6376 §3.5: l= must not be larger than the body. §8.2: what it leaves out, anybody may have added.
    if (limit > total) return { result: 'permerror', why: `l= signs ${limit} octets of a body of ${total}` }
    const unsignedBytes = total - limit
    return { result: 'policy', why: `l= leaves ${unsignedBytes} octets of the body unsigned`, unsignedBytes }
  }
  return {
    result: 'pass',
    why: found.status.testing === true ? 'the key is marked as a test (t=y)' : undefined,
  }
}

/**
 * rfc6376 §8.15: a field above the one that is signed shows readers another message, and the signature still fits. Only
 * of what says how the body is read, or who and what it is about; real mail has those once.
 */
const ONCE: ReadonlySet<string> = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'date',
  'subject',
  'content-type',
  'content-transfer-encoding',
])

/** Which of those fields stand in a header more than once, and how often. */
export function repeatedFields(fields: readonly Pick<HeaderField, 'key'>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { key } of fields) if (ONCE.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return new Map([...counts].filter(([, count]) => count > 1))
}

function withoutAdded(found: Judged, header: SignatureHeader, repeated: ReadonlyMap<string, number>): Judged {
  if (found.result !== 'pass' || repeated.size === 0) return found
  const names = namesIn(header)
  for (const [key, count] of repeated) {
    const signed = names.filter((name) => name === key).length
    if (signed < count)
      return { result: 'policy', why: `there are ${count} ${key} fields, and it signs ${signed} of them` }
  }
  return found
}

/** Lower-case names out of `h=`. */
function signedNames(header: SignatureHeader): readonly string[] {
  const all = [...new Set(namesIn(header).filter((name) => name !== ''))]
  // List-Id always: exceptions hang on it.
  return all
    .filter((name, i) => i < LIMITS.signedNamesKept || name === 'list-id')
    .map((name) => printable(name, LIMITS.signedNameChars))
}

function namesIn(header: SignatureHeader): readonly string[] {
  return String(header.parsed?.h?.value ?? '')
    .split(':', LIMITS.signedFields)
    .map((name) => printable(name.trim().toLowerCase(), 80))
}

/** Keeps records that are no key from being parsed: a key of 4,096 bits has 750 octets, an answer may have 64 KiB. */
export function boundedKeys(ask: AskRecords): AskRecords {
  return async (name, type) => {
    const records = await ask(name, type)
    const isLarge = (record: unknown): boolean =>
      String(Array.isArray(record) ? record.join('') : record).length > LIMITS.keyRecordBytes
    if (type !== 'TXT' || !name.includes('._domainkey.') || !records.some(isLarge)) return records
    // An empty key is a revoked one (rfc6376 §3.6.1): permanent, and not verified.
    return [['p=']]
  }
}
