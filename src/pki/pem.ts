import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { MAX_CHAIN } from './limits.ts'

/** Reads what stands in PEM files; what is around the blocks (`openssl x509 -text`) is skipped. */

export type ReadCertificates =
  | { readonly ok: true; readonly certificates: readonly X509Certificate[] }
  /** A clause for a sentence that begins with the file's name. */
  | { readonly ok: false; readonly problem: string }

export type ReadKey =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false; readonly problem: string }

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g
const KEY_LABEL = /^(?:EC |RSA |ENCRYPTED )?PRIVATE KEY$/

export interface PemBlock {
  readonly label: string
  readonly pem: string
}

/** All whole blocks in their order. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([pem, label = '']) => ({ label, pem: `${pem}\n` }))
}

export function readCertificates(text: string): ReadCertificates {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0)
    return { ok: false, problem: 'has no certificate in PEM form ("-----BEGIN CERTIFICATE-----")' }
  if (blocks.length > MAX_CHAIN)
    return { ok: false, problem: `has ${blocks.length} certificates; a chain has at most ${MAX_CHAIN}` }
  const certificates: X509Certificate[] = []
  for (const { pem } of blocks)
    try {
      certificates.push(new X509Certificate(pem))
    } catch (error) {
      return { ok: false, problem: `has a certificate that is damaged (${errorText(error)}); copy it again` }
    }
  return { ok: true, certificates }
}

export function readKey(text: string): ReadKey {
  const block = pemBlocks(text).find(({ label }) => KEY_LABEL.test(label))
  if (block === undefined)
    // `Proc-Type: 4,ENCRYPTED` stands inside the block and so makes it none.
    return /ENCRYPTED/.test(text)
      ? ENCRYPTED
      : { ok: false, problem: 'has no private key in PEM form ("-----BEGIN PRIVATE KEY-----")' }
  if (block.label === 'ENCRYPTED PRIVATE KEY') return ENCRYPTED
  try {
    return { ok: true, key: createPrivateKey(block.pem) }
  } catch (error) {
    return { ok: false, problem: `has a private key that is damaged (${errorText(error)}); copy it again` }
  }
}

export function exportKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const ENCRYPTED: ReadKey = {
  ok: false,
  problem:
    'has a private key that is protected by a passphrase; take it off with "openssl pkey -in KEY -out NEWKEY"',
}
