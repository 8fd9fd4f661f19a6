import { createSecureContext, type SecureContext } from 'node:tls'
import { errorCode, errorText } from './socket-events.ts'

/** One key with its certificate, as pki reads them. */
export interface TlsMaterial {
  /** Names and address literals in the certificate; `*.example.test` stands for one label. */
  readonly names: readonly string[]
  readonly keyPem: string
  /** The server's certificate first, then what leads to its CA. */
  readonly chainPem: string
  /** rfc5929 §4.1: hash of the server's certificate, made where hashing is allowed. */
  readonly endPointHash: Uint8Array
  /** Where the key came from, for sentences: a file's name. */
  readonly origin: string
}

/** What is wrong with key or certificate; the sentence names the file. */
export interface TlsProblem {
  readonly ok: false
  readonly sentence: string
}

/**
 * TLS 1.2: only forward secrecy and authenticated encryption (rfc9325 §4.2); what every client since 2014
 * has. TLS 1.3 suites are OpenSSL's own, all good.
 */
const TLS12_CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
].join(':')

interface Loaded {
  readonly material: TlsMaterial
  /** One context a service, so that a session ticket of one cannot be used with another. */
  readonly contexts: Map<string, SecureContext>
}

/**
 * The server's certificates. `replace` changes them for handshakes to come, on every port and for STARTTLS;
 * connections that stand keep what they have.
 */
export class ServerTls {
  #loaded: readonly Loaded[]

  private constructor(loaded: readonly Loaded[]) {
    this.#loaded = loaded
  }

  /** @param materials the first one serves clients that name no host, or an unknown one. */
  static load(
    materials: readonly [TlsMaterial, ...TlsMaterial[]],
  ): { readonly ok: true; readonly tls: ServerTls } | TlsProblem {
    const loaded = loadAll(materials)
    return loaded.ok ? { ok: true, tls: new ServerTls(loaded.loaded) } : loaded
  }

  /** All or nothing: with a problem the old certificates stay in force. */
  replace(materials: readonly [TlsMaterial, ...TlsMaterial[]]): { readonly ok: true } | TlsProblem {
    const loaded = loadAll(materials)
    if (!loaded.ok) return loaded
    this.#loaded = loaded.loaded
    return { ok: true }
  }

  get materials(): readonly TlsMaterial[] {
    return this.#loaded.map((one) => one.material)
  }

  context(service: string, serverName: string | undefined): SecureContext {
    const { material, contexts } = this.#choose(serverName)
    let context = contexts.get(service)
    if (context === undefined) {
      context = makeContext(material, service)
      contexts.set(service, context)
    }
    return context
  }

  /** The hash of the certificate that a client asking for `serverName` has been shown. */
  endPointHash(serverName: string | undefined): Uint8Array {
    return this.#choose(serverName).material.endPointHash
  }

  #choose(serverName: string | undefined): Loaded {
    const name = serverName?.toLowerCase()
    const chosen =
      name === undefined ? undefined : this.#loaded.find((one) => covers(one.material.names, name))
    return chosen ?? (this.#loaded[0] as Loaded)
  }
}

function covers(names: readonly string[], name: string): boolean {
  const parent = name.slice(name.indexOf('.') + 1)
  return names.some((one) => {
    const lower = one.toLowerCase()
    return lower === name || (lower.startsWith('*.') && lower.slice(2) === parent && parent !== name)
  })
}

function loadAll(
  materials: readonly TlsMaterial[],
): { readonly ok: true; readonly loaded: readonly Loaded[] } | TlsProblem {
  const loaded: Loaded[] = []
  for (const material of materials) {
    try {
      // Made now and thrown away: a bad key shows here, not with the first client.
      makeContext(material, 'check')
    } catch (error) {
      return { ok: false, sentence: tlsSentence(material.origin, error) }
    }
    loaded.push({ material, contexts: new Map() })
  }
  return { ok: true, loaded }
}

function makeContext(material: TlsMaterial, service: string): SecureContext {
  return createSecureContext({
    key: material.keyPem,
    cert: material.chainPem,
    minVersion: 'TLSv1.2',
    ciphers: TLS12_CIPHERS,
    honorCipherOrder: true,
    // OpenSSL takes at most 32 octets.
    sessionIdContext: service.slice(0, 32),
  })
}

const SENTENCES: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH:
    'the key does not belong to the certificate; give the pair that was made together',
  ERR_OSSL_PEM_NO_START_LINE:
    'there is no key or certificate in PEM form in it; it must hold "-----BEGIN …-----" lines',
  ERR_OSSL_UNSUPPORTED:
    'there is no key in PEM form in it, or one of an unknown kind; it must hold "-----BEGIN PRIVATE KEY-----"',
  ERR_OSSL_PEM_BAD_END_LINE: 'the PEM text is cut off or damaged; copy the file again',
  ERR_OSSL_PEM_BAD_BASE64_DECODE: 'the PEM text is damaged; copy the file again',
  ERR_OSSL_BAD_DECRYPT:
    'the key is protected by a passphrase; remove it with "openssl pkey -in KEY -out NEWKEY"',
  ERR_MISSING_PASSPHRASE:
    'the key is protected by a passphrase; remove it with "openssl pkey -in KEY -out NEWKEY"',
  ERR_SSL_EE_KEY_TOO_SMALL: 'the key is too short; use P-256, or RSA with 2048 bits or more',
}

function tlsSentence(origin: string, error: unknown): string {
  const known = SENTENCES[errorCode(error) ?? '']
  return `TLS key or certificate of ${origin} can't be used: ${known ?? errorText(error)}.`
}
