/*
 * What this room uses of mailauth's DkimVerifier, which mailauth 7.1 ships without types. The version is pinned
 * exactly; a test (dkim.test.ts) fails where one of these is gone.
 */
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { KeyObject } from 'node:crypto'

  export interface SignatureHeader {
    readonly type: 'DKIM' | 'ARC'
    readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>
    readonly identity?: string
    readonly signAlgo?: string
    readonly hashAlgo?: string
    readonly bodyCanon?: string
    readonly maxBodyLength?: number | ''
    /** A reason not to look at it; set by the verifier or by who extends it. */
    skip?: string
    invalid?: string
  }

  export interface BodyHasher {
    digest(encoding: 'base64'): string
    setContentType(type: unknown): void
    getMimeStructureStart(): number | undefined
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
      readonly lastEntry?: never
      readonly error?: unknown
    }
    readonly results: readonly SignatureResult[]
    readonly signatureHeaders: readonly SignatureHeader[]
    readonly bodyHashes: Map<string, BodyHasher>
    readonly fromFields: number
    keyCache: KeyLookup
    protected prepareSignature(header: SignatureHeader): void
    protected addBodyHash(canonicalization: string, hash: string, limitBytes: number | ''): string
    protected emitHeaders(header: Uint8Array): Promise<void>
    protected finalChunk(): Promise<void>
  }
}

/** For tests: what this room's own canonicalisation is held against. */
declare module 'mailauth/lib/dkim/body/index.js' {
  export function dkimBody(
    canonicalization: 'simple' | 'relaxed',
    algorithm: string,
    limitBytes: number | false,
  ): { update(chunk: Uint8Array): void; digest(encoding: 'base64'): string }
}
