import {
  DkimVerifier,
  type HeaderRows,
  type KeyLookup,
  type SignatureHeader,
  type SignatureResult,
} from 'mailauth/lib/dkim/dkim-verifier.js'
import { createKeyCache, parseDkimHeaders, parseHeaders } from 'mailauth/lib/tools.js'
import type { ArcRead } from './arc.ts'
import { BodyHash, BodyHashes } from './body-hash.ts'
import type { AskRecords } from './dns.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import type { ParsedKeys } from './parsed-keys.ts'
import { notVerified, verifySignature } from './verify-signature.ts'

export interface VerifierOptions {
  readonly ask: AskRecords
  readonly nowMs: number
  /** Canonical; empty where there is none. */
  readonly authorDomain: string
  readonly keys: ParsedKeys
}

/** What was left out, in `skip` of the signature's header. */
const NOT_LOOKED_AT = 'not looked at'

/** Where mailauth's reading of a signature is taken from; it keeps nothing of what it reads. */
const READER = { strict: true, prepareSignature: DkimVerifier.prototype.prepareSignature }

/**
 * mailauth's verifier with bounds: it looks at some signatures only, counts the names that each lists, and hashes the
 * body in a few ways at most, by this room's own canonicalisation. One of mailauth's own, which is a stream, is made for
 * sealed mail only: streams outlive two collections of garbage, and one for each message made most of its cost.
 */
export class BoundedVerifier {
  readonly #options: VerifierOptions
  readonly #authorDomain: string
  readonly #nowMs: number
  readonly #bodies = new BodyHashes()
  readonly #limits: string[] = []
  readonly #bodyHashes = new Map<string, BodyHash>()
  readonly #keys: KeyLookup
  #rows: HeaderRows = { parsed: [] }
  #headers: readonly SignatureHeader[] = []
  #sealed: DkimVerifier | undefined
  #chosen: ReadonlySet<SignatureHeader> | undefined

  constructor(options: VerifierOptions) {
    const { ask, nowMs, authorDomain, keys } = options
    this.#options = options
    this.#authorDomain = authorDomain
    this.#nowMs = nowMs
    this.#keys = keys.inFrontOf(createKeyCache(ask), ask)
  }

  /** What `validateArc` reads. */
  get arc(): ArcRead {
    return this.#sealed?.arc ?? { chain: false }
  }

  get limits(): readonly string[] {
    return this.#limits
  }

  /** Whether the body decides anything. */
  get wantsBody(): boolean {
    return !this.#bodies.isEmpty
  }

  async header(octets: Uint8Array): Promise<void> {
    this.#rows = parseHeaders(octets)
    const { parsed } = this.#rows
    if (parsed.some(({ key }) => key?.startsWith('arc-'))) await this.#readSeals()
    const newest = this.#sealed?.signatureHeaders.filter(({ type }) => type === 'ARC') ?? []
    const signatures = parsed.filter(({ key }) => key === 'dkim-signature')
    this.#headers = [
      ...signatures.map(({ line }) =>
        Object.assign(parseDkimHeaders(line, { strict: true }), { type: 'DKIM' as const }),
      ),
      ...newest,
    ]
    for (const header of this.#headers) {
      this.#prepare(header)
      if (header.skip === undefined && header.invalid === undefined)
        header.bodyHashKey = this.#hashFor(header)
    }
  }

  body(piece: Uint8Array): void {
    this.#bodies.update(piece)
  }

  /** @returns each signature that was looked at, in order, with its header. */
  async verified(): Promise<readonly (readonly [SignatureHeader, SignatureResult])[]> {
    this.#bodies.end()
    for (const body of this.#bodyHashes.values()) body.hash = body.digest('base64')
    const pairs: [SignatureHeader, SignatureResult][] = []
    for (const header of this.#headers) {
      if (header.type === 'ARC') await this.#verifySeal(header)
      else if (header.skip === undefined) pairs.push([header, await this.#verify(header)])
      else if (header.skip !== NOT_LOOKED_AT) pairs.push([header, notVerified(header, header.skip)])
    }
    return pairs
  }

  #verify(header: SignatureHeader): Promise<SignatureResult> {
    const { selector, signingDomain, hashAlgo, bodyHashKey = '' } = header
    const options = { strict: true, hashAlgo }
    return verifySignature(header, {
      rows: this.#rows.parsed,
      body: this.#bodyHashes.get(bodyHashKey),
      nowMs: this.#nowMs,
      key: () =>
        this.#keys.get('DKIM', `${selector}._domainkey.${signingDomain}`, LIMITS.minKeyBits, options),
    })
  }

  /** It is shown the seals only: it would read addresses and the type of the content, too, for nothing. */
  async #readSeals(): Promise<void> {
    const { ask, nowMs } = this.#options
    const sealed = new DkimVerifier({
      ...{ resolver: ask, minBitLength: LIMITS.minKeyBits, strict: true, curTime: new Date(nowMs) },
    })
    sealed.keyCache = this.#keys
    await sealed.messageHeaders({ parsed: this.#rows.parsed.filter(({ key }) => key?.startsWith('arc-')) })
    sealed.headers = this.#rows
    sealed.bodyHashes = this.#bodyHashes
    this.#sealed = sealed
  }

  /** Of the newest ARC-Message-Signature, where `validateArc` looks for it. */
  async #verifySeal(header: SignatureHeader): Promise<void> {
    const newest = this.#sealed?.arc.lastEntry
    if (newest !== undefined && header.skip === undefined) {
      newest.messageSignature = await this.#sealed?.verifySignature(header)
    }
  }

  #prepare(header: SignatureHeader): void {
    this.#chosen ??= this.#choose()
    if (header.type === 'DKIM' && !this.#chosen.has(header)) header.skip = NOT_LOOKED_AT
    else if (hasLongNames(header)) header.skip = 'its names are longer than names can be'
    else READER.prepareSignature(header)
    // mailauth checks `/relaxed` as `simple/relaxed`, and throws for it later.
    if (/^\s*(?:\/|$)/.test(String(header.parsed?.c?.value ?? 'simple')))
      header.skip ??= 'unknown canonicalization'
    if (header.skip !== undefined || header.invalid !== undefined) return
    if (
      String(header.parsed?.h?.value ?? '').split(':', LIMITS.signedFields + 1).length > LIMITS.signedFields
    ) {
      header.skip = `its h= lists more than ${LIMITS.signedFields} fields`
      this.#limits.push(`a signature lists more than ${LIMITS.signedFields} fields; it was not verified`)
    } else if (!this.#bodyHashes.has(hashKey(header)) && this.#bodyHashes.size >= LIMITS.bodyHashes) {
      header.skip = `the body is hashed in ${LIMITS.bodyHashes} ways at most`
      this.#limits.push(
        `the body was hashed in ${LIMITS.bodyHashes} ways; a signature that wants another was not verified`,
      )
    }
  }

  #hashFor(header: SignatureHeader): string {
    const { bodyCanon, hashAlgo = '', maxBodyLength = '' } = header
    const key = hashKey(header)
    if (!this.#bodyHashes.has(key)) {
      const sink = new BodyHash(hashAlgo, maxBodyLength === '' ? undefined : maxBodyLength)
      this.#bodies.add(bodyCanon === 'relaxed' ? 'relaxed' : 'simple', sink)
      this.#bodyHashes.set(key, sink)
    }
    return key
  }

  /**
   * Of too many, first those whose domain could align with the author's, for they decide DMARC; then in order from
   * the top, where the newest hand (a list) signs. Who adds hundreds for the author's domain only hides his own.
   */
  #choose(): ReadonlySet<SignatureHeader> {
    const all = this.#headers.filter(({ type }) => type === 'DKIM')
    if (all.length <= LIMITS.signatures) return new Set(all)
    const isAligned = (header: SignatureHeader): boolean =>
      mayAlign(String(header.parsed?.d?.value ?? '').toLowerCase(), this.#authorDomain)
    const ordered = [...all.filter(isAligned), ...all.filter((header) => !isAligned(header))]
    this.#limits.push(
      `there are ${all.length} DKIM signatures; ${LIMITS.signatures} were looked at, those of the author's domain first`,
    )
    return new Set(ordered.slice(0, LIMITS.signatures))
  }
}

/** They share their last two labels: more than alignment (rfc9989 §4.4) asks, and no question to the DNS. */
function mayAlign(domain: string, author: string): boolean {
  const last = (name: string): string => name.split('.').slice(-2).join('.')
  return author !== '' && last(domain) === last(author)
}

/** Turning 200 KiB of U-labels into A-labels takes most of a second. */
function hasLongNames({ type, parsed }: SignatureHeader): boolean {
  const isLong = (tag: string, maxChars: number): boolean =>
    String(parsed?.[tag]?.value ?? '').length > maxChars
  const names = LIMITS.signatureNameChars
  return isLong('d', names) || isLong('s', names) || (type === 'DKIM' && isLong('i', LIMITS.identityChars))
}

function hashKey(header: SignatureHeader): string {
  return [header.bodyCanon, header.hashAlgo, header.maxBodyLength].join(':')
}
