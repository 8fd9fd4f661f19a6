import { createHash, verify } from 'node:crypto'
import type {
  BodyHasher,
  HeaderRow,
  KeyFound,
  SignatureHeader,
  SignatureResult,
} from 'mailauth/lib/dkim/dkim-verifier.js'
import { generateCanonicalizedHeader } from 'mailauth/lib/dkim/header/index.js'
import { getSigningHeaderLines, KEY_ERROR_COMMENTS, normalizeDomainName } from 'mailauth/lib/tools.js'

/** What a signature is held against. */
export interface Signed {
  readonly rows: readonly HeaderRow[]
  /** Ended; none where the signature is not valid by itself. */
  readonly body: BodyHasher | undefined
  readonly nowMs: number
  /** Asks the DNS; rejects with a `code` where there is no good key. */
  key(): Promise<KeyFound>
}

type Status = SignatureResult['status']

/**
 * Verifies a DKIM signature that mailauth has read (rfc6376 §6.1). It says what mailauth's own `verifySignature` says
 * of it, in its words, but makes nothing that is not read here: that (texts of all fields, domains compared by the
 * public suffix list, a formatted result) cost as much as the verification.
 */
export async function verifySignature(header: SignatureHeader, signed: Signed): Promise<SignatureResult> {
  const found = whatItSays(header)
  if (header.invalid !== undefined) return { ...found, status: neutral(header.invalid) }
  const { body } = signed
  if (tagValue(header, 'bh') !== body?.hash) {
    return { ...found, status: { result: 'fail', comment: 'body hash did not verify' } }
  }
  if (header.hashAlgo === 'sha1') {
    return { ...found, status: { result: 'policy', policy: { 'dkim-rules': 'weak-algorithm' } } }
  }
  let key: KeyFound
  try {
    key = await signed.key()
  } catch (error) {
    return { ...found, status: statusWithoutKey(error as Error & { code?: string }) }
  }
  const status = keyFault(header, key) ?? statusBy(key, header, signed)
  return {
    ...found,
    status: key.testing === true ? { ...status, testing: true } : status,
    ...(key.modulusLength === undefined ? {} : { modulusLength: key.modulusLength }),
    ...(body === undefined ? {} : { canonBodyLengthTotal: body.canonicalizedLength }),
    ...(typeof header.maxBodyLength === 'number' ? { canonBodyLengthLimit: header.maxBodyLength } : {}),
  }
}

/** A signature that is not verified: syntax that cannot be read, or a limit of ours. */
export function notVerified(header: SignatureHeader, why: string): SignatureResult {
  return { ...whatItSays(header), status: neutral(why) }
}

function whatItSays(header: SignatureHeader): Omit<SignatureResult, 'status'> {
  const { signingDomain, selector } = header
  const [signature, algo] = [tagValue(header, 'b'), tagValue(header, 'a')]
  return { signingDomain, selector, signature, algo } as Omit<SignatureResult, 'status'>
}

function tagValue({ parsed }: SignatureHeader, tag: string): unknown {
  return parsed?.[tag]?.value
}

function neutral(comment: string): Status {
  return { result: 'neutral', comment }
}

function statusWithoutKey({ code, message }: Error & { code?: string }): Status {
  const comment = code === undefined ? undefined : KEY_ERROR_COMMENTS.get(code)
  if (comment !== undefined) return neutral(comment)
  if (code === 'ESHORTKEY') return { result: 'policy', policy: { 'dkim-rules': 'weak-key' } }
  return { result: 'temperror', comment: `DNS failure: ${code || message}` }
}

/** rfc6376 §6.1.2 step 8 and, for `t=s`, §3.6.1. */
function keyFault(
  { signAlgo, identityDomain, signingDomain }: SignatureHeader,
  key: KeyFound,
): Status | undefined {
  if (key.keyType !== undefined && key.keyType !== signAlgo) return neutral('inappropriate key algorithm')
  if (!key.flags?.includes('s') || !identityDomain) return undefined
  const isSame = normalizeDomainName(identityDomain) === normalizeDomainName(signingDomain)
  return isSame ? undefined : neutral('domain mismatch')
}

function statusBy({ publicKey }: KeyFound, header: SignatureHeader, { rows, nowMs }: Signed): Status {
  const { canonicalizedHeader } = generateCanonicalizedHeader(
    'DKIM',
    getSigningHeaderLines(rows, tagValue(header, 'h'), true),
    {
      signatureHeaderLine: header.original ?? new Uint8Array(),
      canonicalization: header.canonicalization ?? '',
      strict: true,
    },
  )
  const signature = Buffer.from(String(tagValue(header, 'b') ?? ''), 'base64')
  try {
    // rfc8463 §3: Ed25519 signs the hash.
    const isRsa = header.signAlgo === 'rsa'
    const octets = isRsa ? canonicalizedHeader : createHash('sha256').update(canonicalizedHeader).digest()
    const isGood = verify(
      isRsa ? 'sha256' : null,
      octets,
      publicKey as Parameters<typeof verify>[2],
      signature,
    )
    if (!isGood) return { result: 'fail', comment: 'bad signature' }
  } catch (error) {
    return neutral(error instanceof Error ? error.message : String(error))
  }
  const { expiration } = header
  return expiration && expiration.getTime() < nowMs ? neutral('expired') : { result: 'pass' }
}
