import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { day, isSelfSigned, issued, missingNames, namesOf, notAfterMs, notBeforeMs } from './chain.ts'
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
  | {
      readonly ok: true
      readonly pair: KeyPair
      readonly made: boolean
      /** A new one could not be kept: this is the old one, which is good for some time yet. */
      readonly problem?: string
    }
  | { readonly ok: false; readonly sentence: string }

const OWN_CA = 'own-ca.pem'
/** The CA before the present one: a clock that was wrong for an hour must not cost every device its trust. */
const PREVIOUS_CA = 'own-ca-previous.pem'
const OWN_SERVER = 'own-server.pem'

/**
 * The CA in the folder, or a new one where there is none or it ends within the renewal time. A damaged file is
 * never replaced in silence: every phone would have to be told to trust another CA. One that was made while the clock
 * was ahead is not yet valid when it has been set right: then the one before it is used.
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
  const present = read.kind === 'pair' ? read.pair : undefined
  if (present !== undefined && isInTime(present.certificate, nowMs, RENEW_BEFORE_MS))
    return { ok: true, pair: present, made: false }
  const before = readPair(folder, PREVIOUS_CA)
  if (before.kind === 'pair' && isInTime(before.pair.certificate, nowMs, RENEW_BEFORE_MS))
    return { ok: true, pair: before.pair, made: false }
  // A clock that is behind (a flat battery says 1970) is no reason to throw away what devices trust.
  if (present !== undefined && notBeforeMs(present.certificate) > nowMs)
    return { ok: true, pair: present, made: false }
  if (present !== undefined) {
    const saved = folder.write(PREVIOUS_CA, pemOf(present))
    if (!saved.ok) return orOld(present, nowMs, saved.sentence)
  }
  const made = kept(folder, OWN_CA, makeCa(hostName, nowMs))
  return made.ok ? made : orOld(present, nowMs, made.sentence)
}

/** The server's certificate in the folder where it is still good for these names, or a new one. */
export function ownServer(folder: KeyFolder, ca: KeyPair, names: readonly string[], nowMs: number): OwnPair {
  const read = readPair(folder, OWN_SERVER)
  // A file that can't be read is told; one with damaged contents is made again, since nobody trusts it by name.
  if (read.kind === 'problem' && read.unreadable) return { ok: false, sentence: read.sentence }
  // A clock from before the CA is wrong: what is made now must not have ended before it begins.
  const atMs = Math.max(nowMs, notBeforeMs(ca.certificate) + BACKDATE_MS)
  if (read.kind === 'pair' && isStillGood(read.pair.certificate, ca, names, { nowMs, atMs }))
    return { ok: true, pair: read.pair, made: false }
  const made = kept(folder, OWN_SERVER, makeServer(ca, names, atMs))
  if (made.ok) return made
  const old = read.kind === 'pair' && issued(ca.certificate, read.pair.certificate) ? read.pair : undefined
  return orOld(old, nowMs, made.sentence)
}

/** A full disk or a folder closed to us is no reason to stop serving before the old one has ended. */
function orOld(old: KeyPair | undefined, nowMs: number, sentence: string): OwnPair {
  if (old === undefined || !isInTime(old.certificate, nowMs, 0)) return { ok: false, sentence }
  const problem = `A new certificate is due and can't be kept: ${sentence} The old one ends on ${day(notAfterMs(old.certificate))}.`
  return { ok: true, pair: old, made: false, problem }
}

const isInTime = (certificate: X509Certificate, nowMs: number, restMs: number): boolean =>
  notBeforeMs(certificate) <= nowMs && notAfterMs(certificate) > nowMs + restMs

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
  { nowMs, atMs }: { readonly nowMs: number; readonly atMs: number },
): boolean {
  return (
    issued(ca.certificate, certificate) &&
    notAfterMs(certificate) > atMs + RENEW_BEFORE_MS &&
    (notBeforeMs(certificate) <= atMs || nowMs < notBeforeMs(ca.certificate)) &&
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
  if (name !== OWN_SERVER && !(certificate.ca && isSelfSigned(certificate)))
    return problem('has a certificate that is no CA')
  return { kind: 'pair', pair: { key: key.key, certificate } }
}

const pemOf = (pair: KeyPair): string => exportKey(pair.key) + pair.certificate.toString()

function kept(folder: KeyFolder, name: string, pair: KeyPair): OwnPair {
  const written = folder.write(name, pemOf(pair))
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
