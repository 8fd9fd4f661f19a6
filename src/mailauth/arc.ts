import { verifyASChain } from 'mailauth/lib/arc/index.js'
import type { ArcFinding } from '../mail/authentication.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { unfold } from '../mime/header.ts'
import { ARC_LIMITS, EVALUATION_LIMITS } from './limits.ts'
import { printable } from './printable.ts'

/** What mailauth's DkimVerifier (strict) holds of a chain once the message went through it: its property `arc`. */
export interface ArcRead {
  readonly chain: false | readonly ArcSet[]
  readonly lastEntry?: ArcSet | undefined
  /** Why there is no chain although there are ARC fields. */
  readonly error?: unknown
}

/** One set; what of mailauth's form is read here. */
interface ArcSet {
  readonly i: number
  readonly 'arc-seal'?: ArcField | undefined
  readonly 'arc-authentication-results'?: ArcField | undefined
  /** What came of the newest ARC-Message-Signature. */
  readonly messageSignature?: MessageSignature | undefined
}

interface MessageSignature {
  readonly status?: { readonly result?: string; readonly comment?: string | false }
  /** What `l=` says, and what the body has. */
  readonly canonBodyLengthLimit?: number
  readonly canonBodyLengthTotal?: number
}

interface ArcField {
  readonly original: Uint8Array | string
  readonly parsed?: { readonly d?: { readonly value?: unknown } } | undefined
}

/** How mailauth asks the DNS; rejects with `code` ENOTFOUND, ENODATA or another. */
export type AskDns = (name: string, type: string) => Promise<string[][] | string[]>

/**
 * Validates a chain (rfc8617 §5.2). Never rejects: what could not be found out is a failure with its `why`. Of a chain
 * that failed `sealers` and `said` are what is claimed, by anybody.
 */
export async function validateArc(read: ArcRead, ask: AskDns): Promise<ArcFinding> {
  if (read.error !== undefined) return failed([], reason(read.error))
  if (read.chain === false || read.chain.length === 0) return { result: 'none', sealers: [] }
  const { chain } = read
  const sealers = chain.map(sealer)
  const said = whatWasSaid(chain.at(-1))
  const why = await failureOf(chain, ask)
  return why === undefined ? { result: 'pass', sealers, said } : { ...failed(sealers, why), said }
}

/** rfc8617 §5.2 steps 4 and 6: the newest ARC-Message-Signature first, for it costs no question more; then each seal. */
async function failureOf(chain: readonly ArcSet[], ask: AskDns): Promise<string | undefined> {
  const unsigned = signatureFailure(chain.at(-1)?.messageSignature)
  if (unsigned !== undefined) return `the ARC-Message-Signature of i=${chain.length} ${unsigned}`
  // Each seal signs all sets before it: the work grows with the square of their number.
  if (sizeOf(chain) > ARC_LIMITS.chainBytes)
    return `the ARC sets have more than ${ARC_LIMITS.chainBytes} octets`
  try {
    // The declared type asks for more than the function reads.
    const data = { chain } as unknown as Parameters<typeof verifyASChain>[0]
    await verifyASChain(data, { resolver: ask, minBitLength: EVALUATION_LIMITS.minKeyBits, strict: true })
    return undefined
  } catch (error) {
    return reason(error)
  }
}

function signatureFailure(signature: MessageSignature | undefined): string | undefined {
  const status = signature?.status
  if (status?.result !== 'pass') return `did not verify${status?.comment ? `: ${status.comment}` : ''}`
  const { canonBodyLengthLimit: limit, canonBodyLengthTotal: total } = signature ?? {}
  // rfc6376 §8.2: what l= leaves out, anybody may have added; then the seal says nothing of what people read.
  if (limit === undefined || total === undefined || limit === total) return undefined
  return `signs ${limit} octets of a body of ${total}`
}

function failed(sealers: readonly string[], why: string): ArcFinding {
  return { result: 'fail', sealers, why: printable(why, EVALUATION_LIMITS.whyChars) }
}

function sealer(set: ArcSet): string {
  const domain = set['arc-seal']?.parsed?.d?.value
  return (typeof domain === 'string' && canonicalDomain(domain)) || ''
}

/** The newest ARC-Authentication-Results without its name and instance; one that is too long is not cut: half a name is another. */
function whatWasSaid(newest: ArcSet | undefined): string | undefined {
  const original = newest?.['arc-authentication-results']?.original
  if (original === undefined) return undefined
  const field = typeof original === 'string' ? original : Buffer.from(original).toString('latin1')
  const value = unfold(field.slice(field.indexOf(':') + 1))
  // mailauth has read the instance: it stands first (rfc8617 §4.1.1).
  const said = value.slice(value.indexOf(';') + 1).trim()
  return said.length > ARC_LIMITS.saidChars ? undefined : said
}

function sizeOf(chain: readonly ArcSet[]): number {
  const fields = chain.flatMap((set) => Object.values(set) as (Partial<ArcField> | number | undefined)[])
  return fields.reduce<number>(
    (sum, field) => sum + (typeof field === 'object' ? (field.original?.length ?? 0) : 0),
    0,
  )
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'the ARC sets could not be read'
  const { queryDomain } = error as { queryDomain?: unknown }
  return typeof queryDomain === 'string' ? `${error.message} (${queryDomain})` : error.message
}
