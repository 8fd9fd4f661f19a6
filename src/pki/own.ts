import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { isSelfSigned, issued, missingNames, namesOf, notAfterMs, notBeforeMs } from './chain.ts'
import type { KeyFolder } from './key-folder.ts'
import { BACKDATE_MS, CA_DAYS, daysAfter, MAX_COMMON_NAME, RENEW_BEFORE_MS, SERVER_DAYS } from './limits.ts'
import { exportKey, readCertificates, readKey } from './pem.ts'
import { makeCertificate, subjectOf } from './x509.ts'

/** Our own CA and the server's certificate that it makes. */

export interface KeyPair {
  readonly key: KeyObject
  readonly certificate: X509Certificate
}

export type OwnPair =
  | { readonly ok: true; readonly pair: KeyPair; readonly made: boolean }
  | { readonly ok: false; readonly sentence: string }

export const OWN_CA = 'own-ca.pem'
export const OWN_SERVER = 'own-server.pem'

/**
 * The CA in the folder, or a new one where there is none or it ends within the renewal time. A damaged file is
 * never replaced in silence: every phone would have to be told to trust another CA.
 */
export function ownCa(folder: KeyFolder, hostName: string, nowMs: number): OwnPair {
  const read = readPair(folder, OWN_CA)
  if (read.kind === 'problem')
    return {
      ok: false,
      sentence:
        `${read.sentence} It holds our own CA: put it back from a backup, or remove it to have another CA ` +
        'made, which every device must then be told to trust.',
    }
  if (read.kind === 'pair' && notAfterMs(read.pair.certificate) > nowMs + RENEW_BEFORE_MS)
    return { ok: true, pair: read.pair, made: false }
  return kept(folder, OWN_CA, makeCa(hostName, nowMs))
}

/** The server's certificate in the folder where it is still good for these names, or a new one. */
export function ownServer(folder: KeyFolder, ca: KeyPair, names: readonly string[], nowMs: number): OwnPair {
  const read = readPair(folder, OWN_SERVER)
  // A file that can't be read is told; one with damaged contents is made again, since nobody trusts it by name.
  if (read.kind === 'problem' && read.unreadable) return { ok: false, sentence: read.sentence }
  if (read.kind === 'pair' && isStillGood(read.pair.certificate, ca, names, nowMs))
    return { ok: true, pair: read.pair, made: false }
  return kept(folder, OWN_SERVER, makeServer(ca, names, nowMs))
}

export function makeCa(hostName: string, nowMs: number): KeyPair {
  const { privateKey, publicKey } = newKeyPair()
  const commonName = `Hikyaku CA of ${hostName}`.slice(0, MAX_COMMON_NAME)
  // The year tells two CAs apart on the list in a phone.
  const subject = { organization: `Hikyaku ${new Date(nowMs).getUTCFullYear()}`, commonName }
  const pem = makeCertificate({
    subject,
    publicKey,
    issuer: subject,
    issuerPublicKey: publicKey,
    issuerPrivateKey: privateKey,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: daysAfter(nowMs - BACKDATE_MS, CA_DAYS),
    kind: { ca: true },
  })
  return { key: privateKey, certificate: new X509Certificate(pem) }
}

function makeServer(ca: KeyPair, names: readonly string[], nowMs: number): KeyPair {
  const { privateKey, publicKey } = newKeyPair()
  const notBefore = nowMs - BACKDATE_MS
  const pem = makeCertificate({
    subject: subjectOf(names),
    publicKey,
    issuer: subjectIn(ca.certificate),
    issuerPublicKey: createPublicKey(ca.key),
    issuerPrivateKey: ca.key,
    notBeforeMs: Math.max(notBefore, notBeforeMs(ca.certificate)),
    // No longer than its CA: clients refuse what outlives it.
    notAfterMs: Math.min(daysAfter(notBefore, SERVER_DAYS), notAfterMs(ca.certificate)),
    kind: { ca: false, names },
  })
  return { key: privateKey, certificate: new X509Certificate(pem) }
}

function isStillGood(
  certificate: X509Certificate,
  ca: KeyPair,
  names: readonly string[],
  nowMs: number,
): boolean {
  return (
    issued(ca.certificate, certificate) &&
    notAfterMs(certificate) > nowMs + RENEW_BEFORE_MS &&
    notBeforeMs(certificate) <= nowMs &&
    missingNames(certificate, names).length === 0 &&
    // A name that was taken out of the configuration goes out of the certificate too.
    namesOf(certificate).length === names.length
  )
}

type ReadPair =
  | { readonly kind: 'none' }
  | { readonly kind: 'pair'; readonly pair: KeyPair }
  | { readonly kind: 'problem'; readonly unreadable: boolean; readonly sentence: string }

function readPair(folder: KeyFolder, name: string): ReadPair {
  const read = folder.read(name)
  if (!read.ok)
    return read.missing ? { kind: 'none' } : { kind: 'problem', unreadable: true, sentence: read.sentence }
  const problem = (text: string): ReadPair => ({
    kind: 'problem',
    unreadable: false,
    sentence: `${folder.file(name)} ${text}.`,
  })
  const key = readKey(read.text)
  if (!key.ok) return problem(key.problem)
  const certificates = readCertificates(read.text)
  if (!certificates.ok) return problem(certificates.problem)
  const certificate = certificates.certificates[0] as X509Certificate
  if (!certificate.checkPrivateKey(key.key)) return problem('has a certificate that is not of the key in it')
  if (name === OWN_CA && !(certificate.ca && isSelfSigned(certificate)))
    return problem('has a certificate that is no CA')
  return { kind: 'pair', pair: { key: key.key, certificate } }
}

function kept(folder: KeyFolder, name: string, pair: KeyPair): OwnPair {
  const written = folder.write(name, exportKey(pair.key) + pair.certificate.toString())
  return written.ok ? { ok: true, pair, made: true } : written
}

/** Subject of our CA as our own values: node:crypto gives lines `O=…` and `CN=…`. */
function subjectIn(certificate: X509Certificate): { organization?: string; commonName: string } {
  const fields = new Map(
    certificate.subject.split('\n').map((line) => line.split('=', 2) as [string, string]),
  )
  const organization = fields.get('O')
  const commonName = fields.get('CN') ?? ''
  return organization === undefined ? { commonName } : { organization, commonName }
}

/** P-256: what every client since 2010 has, quick on a small machine. */
export function newKeyPair(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}
