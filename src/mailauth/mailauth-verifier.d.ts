/*
 * What this room uses of mailauth's DkimVerifier, which mailauth 7.1 ships without types. The version is pinned
 * exactly; a test (dkim.test.ts) fails where one of these is gone.
 */
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { KeyObject } from 'node:crypto'

  export interface SignatureHeader {
    readonly type: 'DKIM' | 'ARC'
    /** As it stands, from its name on. */
    readonly original?: Uint8Array
    readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>
    readonly identity?: string
    readonly signAlgo?: string
    readonly hashAlgo?: string
    readonly bodyCanon?: string
    readonly maxBodyLength?: number | ''
    readonly signingDomain?: string
    readonly selector?: string
    readonly canonicalization?: string
    /** Of `i=`, where there is one. */
    readonly identityDomain?: string
    readonly expiration?: Date | null
    bodyHashKey?: string
    /** A reason not to look at it; set by the verifier or by who extends it. */
    skip?: string
    invalid?: string
  }

  export interface BodyHasher {
    digest(encoding: 'base64'): string
    readonly canonicalizedLength: number
    hash?: string | undefined
  }

  export interface SignatureResult {
    readonly signingDomain?: string
    readonly selector?: string
    readonly signature?: string
    readonly algo?: string
    readonly modulusLength?: number
    readonly canonBodyLengthTotal?: number
    readonly canonBodyLengthLimit?: number
    readonly status: {
      readonly result: string
      readonly comment?: string | false
      readonly testing?: boolean
      readonly header?: { readonly i?: string | false }
      readonly policy?: Readonly<Record<string, string>>
    }
  }

  export interface KeyFound {
    readonly publicKey: string | Uint8Array | KeyObject
    readonly modulusLength?: number
    readonly keyType?: string
    readonly flags?: readonly string[]
    readonly testing?: boolean
  }

  /** A field of the header: its name in lower case, its octets without the last line end. */
  export interface HeaderRow {
    readonly key: string | null
    readonly line: Uint8Array
  }

  export interface HeaderRows {
    readonly parsed: readonly HeaderRow[]
  }

  export interface KeyLookup {
    readonly resolver: unknown
    get(type: string, name: string, minBits: number | undefined, options: object): Promise<KeyFound>
  }

  export class DkimVerifier {
    constructor(options: {
      readonly resolver: (name: string, type: string) => Promise<string[][]>
      readonly minBitLength: number
      readonly strict: true
      readonly curTime: Date
    })
    /** `ArcRead` of arc.ts says what is read of it. */
    readonly arc: {
      readonly chain: false | readonly never[]
      readonly lastEntry?: { readonly i: number; messageSignature?: SignatureResult | undefined }
      readonly error?: unknown
    }
    headers: HeaderRows | false
    readonly signatureHeaders: readonly SignatureHeader[]
    bodyHashes: ReadonlyMap<string, BodyHasher>
    keyCache: KeyLookup
    prepareSignature(header: SignatureHeader): void
    messageHeaders(headers: HeaderRows): Promise<void>
    verifySignature(header: SignatureHeader): Promise<SignatureResult>
    /** For tests, with `end`: what it says by itself. */
    readonly results: readonly SignatureResult[]
    end(message: Uint8Array, done: () => void): void
  }
}

declare module 'mailauth/lib/dkim/header/index.js' {
  import type { SigningLines } from 'mailauth/lib/tools.js'

  /** What a signature hashes of a header: the lines in the canonical form, then its own with `b=` empty. */
  export function generateCanonicalizedHeader(
    type: 'DKIM',
    lines: SigningLines,
    options: {
      readonly signatureHeaderLine: Uint8Array
      readonly canonicalization: string
      readonly strict: true
    },
  ): { readonly canonicalizedHeader: Buffer }
}

declare module 'mailauth/lib/tools.js' {
  import type { HeaderRows, KeyLookup, SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js'

  export interface SigningLines {
    readonly headers: readonly { readonly line: Uint8Array }[]
  }

  /** The fields that `h=` names, each taking the lowest one left (rfc6376 §5.4.2). */
  export function getSigningHeaderLines(
    rows: readonly { readonly key: string | null; readonly line: Uint8Array }[],
    names: unknown,
    verify: true,
  ): SigningLines

  /** Lower case, A-labels, no final dot. */
  export function normalizeDomainName(domain: string | undefined): string

  /** The fields of a header block; lines that are none belong to the field above them. */
  export function parseHeaders(header: Uint8Array): HeaderRows

  /** One question for each key of a message. */
  export function createKeyCache(resolver: (name: string, type: string) => Promise<string[][]>): KeyLookup

  /** The tags of a signature's field. */
  export function parseDkimHeaders(
    line: Uint8Array,
    options: { readonly strict: true },
  ): Omit<SignatureHeader, 'type'>

  /** What is said of a key by the code of the error. */
  export const KEY_ERROR_COMMENTS: ReadonlyMap<string, string>
}

/** For tests: what this room's own canonicalisation is held against. */
declare module 'mailauth/lib/dkim/body/index.js' {
  export function dkimBody(
    canonicalization: 'simple' | 'relaxed',
    algorithm: string,
    limitBytes: number | false,
  ): { update(chunk: Uint8Array): void; digest(encoding: 'base64'): string }
}
