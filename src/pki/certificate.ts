import { createHash, type KeyObject, type X509Certificate } from 'node:crypto'
import { day, isSelfSigned, namesOf, notAfterMs, notBeforeMs } from './chain.ts'
import { type GivenFiles, readGiven } from './given.ts'
import { KeyFolder, writeDurably } from './key-folder.ts'
import { CA_WARN_BEFORE_MS, PUBLIC_MODE } from './limits.ts'
import { checkNames } from './names.ts'
import { ownCa, ownServer } from './own.ts'
import { exportKey } from './pem.ts'
import { readText } from './read-file.ts'

/** The certificate that the server shows, wherever it comes from. */
export interface TlsCertificate {
  /** `given`: the settings name its files; `installed`: by `hikyaku tls install`; `own`: made by our own CA. */
  readonly source: 'given' | 'installed' | 'own'
  readonly names: readonly string[]
  readonly keyPem: string
  /** The server's certificate first, then its issuers but for the root, which every client has or not. */
  readonly chainPem: string
  /** Our own CA's certificate, for clients to trust. */
  readonly caPem?: string | undefined
  readonly leafDer: Uint8Array
  /** rfc5929 §4.1, for the tls-server-end-point binding; empty where the RFC leaves it undefined. */
  readonly endPointHash: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** The file that the certificate came from, for sentences. */
  readonly origin: string
}

export interface CertificateOptions {
  /** `tls/` in the data folder. */
  readonly folder: string
  /** The host name first, then other names and addresses. */
  readonly names: readonly string[]
  /** Where our own CA's certificate is written for people to fetch. */
  readonly caFile: string
  /** The settings `tls.certificate` and `tls.key`. */
  readonly given?: GivenFiles | undefined
}

export type LoadedCertificate =
  | {
      readonly ok: true
      readonly certificate: TlsCertificate
      /** Whether a key was made now. */
      readonly made: boolean
      /** Sentences for the log: what was repaired, what will not work for long. */
      readonly notes: readonly string[]
    }
  | { readonly ok: false; readonly sentence: string }

export const INSTALLED = 'installed.pem'

/**
 * Finds the certificate that is to be shown, and makes one where none is given. Also the way to look for a
 * renewed one: what is due is made, a file that changed is read again.
 */
export function loadCertificate(options: CertificateOptions, nowMs: number): LoadedCertificate {
  const checked = checkNames(options.names)
  if (!checked.ok) return checked
  const { names } = checked
  if (options.given !== undefined) return loadGiven('given', options.given, names, nowMs)
  const opened = KeyFolder.open(options.folder)
  if (!opened.ok) return opened
  const { folder } = opened
  const installed = folder.read(INSTALLED)
  const loaded =
    installed.ok || !installed.missing
      ? loadGiven(
          'installed',
          { certificate: folder.file(INSTALLED), key: folder.file(INSTALLED) },
          names,
          nowMs,
        )
      : loadOwn(folder, { ...options, names }, nowMs)
  return loaded.ok ? { ...loaded, notes: [...folder.repairs, ...loaded.notes] } : loaded
}

export type Renewal =
  | { readonly kind: 'unchanged'; readonly notes: readonly string[] }
  | { readonly kind: 'renewed'; readonly certificate: TlsCertificate; readonly notes: readonly string[] }
  /** The one in force stays. */
  | { readonly kind: 'failed'; readonly sentence: string }

/** Holds the certificate in force. `renewIfDue` is called once a day and on reload. */
export class ServerCertificate {
  #options: CertificateOptions
  #current: TlsCertificate

  private constructor(options: CertificateOptions, current: TlsCertificate) {
    this.#options = options
    this.#current = current
  }

  static open(
    options: CertificateOptions,
    nowMs: number,
  ):
    | { readonly ok: true; readonly server: ServerCertificate; readonly notes: readonly string[] }
    | { readonly ok: false; readonly sentence: string } {
    const loaded = loadCertificate(options, nowMs)
    if (!loaded.ok) return loaded
    return { ok: true, server: new ServerCertificate(options, loaded.certificate), notes: loaded.notes }
  }

  get current(): TlsCertificate {
    return this.#current
  }

  /** @param options where the settings changed. */
  renewIfDue(nowMs: number, options: CertificateOptions = this.#options): Renewal {
    const loaded = loadCertificate(options, nowMs)
    if (!loaded.ok) return { kind: 'failed', sentence: loaded.sentence }
    this.#options = options
    const { certificate, notes } = loaded
    const same =
      certificate.chainPem === this.#current.chainPem && certificate.keyPem === this.#current.keyPem
    this.#current = certificate
    return same ? { kind: 'unchanged', notes } : { kind: 'renewed', certificate, notes }
  }
}

function loadGiven(
  source: 'given' | 'installed',
  files: GivenFiles,
  names: readonly string[],
  nowMs: number,
): LoadedCertificate {
  const read = readGiven(files, names, nowMs)
  if (!read.ok) return read
  const certificate = shown({ source, key: read.key, chain: read.chain, origin: files.certificate })
  return { ok: true, certificate, made: false, notes: read.warnings }
}

function loadOwn(folder: KeyFolder, options: CertificateOptions, nowMs: number): LoadedCertificate {
  const ca = ownCa(folder, options.names[0] as string, nowMs)
  if (!ca.ok) return ca
  const server = ownServer(folder, ca.pair, options.names, nowMs)
  if (!server.ok) return server
  const caPem = ca.pair.certificate.toString()
  const notes = publish(options.caFile, caPem)
  for (const { problem } of [ca, server]) if (problem !== undefined) notes.push(problem)
  const caEnd = notAfterMs(ca.pair.certificate)
  if (caEnd < nowMs + CA_WARN_BEFORE_MS)
    notes.push(
      `Our own CA expires on ${day(caEnd)}; then another is made, which every device must be told to trust.`,
    )
  const { key, certificate: leaf } = server.pair
  const origin = folder.file('own-server.pem')
  const certificate = shown({ source: 'own', key, chain: [leaf], origin, caPem })
  return { ok: true, certificate, made: server.made, notes }
}

function shown(from: {
  readonly source: TlsCertificate['source']
  readonly key: KeyObject
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  readonly origin: string
  readonly caPem?: string
}): TlsCertificate {
  const { source, key, chain, origin, caPem } = from
  const [leaf, ...issuers] = chain
  return {
    source,
    names: namesOf(leaf),
    keyPem: exportKey(key),
    chainPem: [leaf, ...issuers.filter((one) => !isSelfSigned(one))].map((one) => one.toString()).join(''),
    ...(caPem === undefined ? {} : { caPem }),
    leafDer: leaf.raw,
    endPointHash: endPointHash(leaf),
    notBeforeMs: notBeforeMs(leaf),
    notAfterMs: notAfterMs(leaf),
    origin,
  }
}

/** A CA file that can't be written is no reason not to serve; people are told where they expect it. */
function publish(file: string, pem: string): string[] {
  const there = readText(file)
  if (there.ok && there.text === pem) return []
  const written = writeDurably(file, pem, PUBLIC_MODE)
  return written.ok
    ? []
    : [`Our own CA's certificate could not be put where people look for it: ${written.sentence}`]
}

/** rfc5929 §4.1: the hash of the signature's algorithm, SHA-256 in place of MD5 and SHA-1. */
function endPointHash(leaf: X509Certificate): Uint8Array {
  const bits = /(?:SHA-?|MD)(\d+)/i.exec(leaf.signatureAlgorithm ?? '')?.[1]
  if (bits === undefined) return new Uint8Array(0)
  const name = ['224', '384', '512'].includes(bits) ? `sha${bits}` : 'sha256'
  return createHash(name).update(leaf.raw).digest()
}
