import type { KeyObject, X509Certificate } from 'node:crypto'
import { canonicalIp } from '../mail/ip.ts'
import { addressOctets } from './names.ts'

/** Looks at certificates: which is the server's, what leads to its CA, what names it has. */

/**
 * Sorts certificates given in any order: the one of the key first, then each one's issuer. What does not
 * belong to that chain is left out.
 * @returns undefined where none is of that key.
 */
export function orderChain(
  certificates: readonly X509Certificate[],
  key: KeyObject,
): readonly X509Certificate[] | undefined {
  const leaf = certificates.find((one) => one.checkPrivateKey(key))
  if (leaf === undefined) return undefined
  const chain = [leaf]
  for (let last = leaf; !isSelfSigned(last); ) {
    const issuer = certificates.find((one) => !chain.includes(one) && issued(one, last))
    if (issuer === undefined) break
    chain.push(issuer)
    last = issuer
  }
  return chain
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && issued(certificate, certificate)
}

/** Whether `issuer` made `certificate`: the names fit and the signature is right. */
export function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** The alternative names, in canonical form; empty where there are none, and then no client takes it. */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const text = certificate.subjectAltName ?? ''
  return [...text.matchAll(/(DNS|IP Address):([^,"]+)/g)].map(([, kind, name = '']) =>
    kind === 'DNS' ? name.toLowerCase() : (canonicalIp(name) ?? name),
  )
}

/** Which of the names no client would find in the certificate. */
export function missingNames(certificate: X509Certificate, names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    if (addressOctets(name) !== undefined) return certificate.checkIP(name) === undefined
    // A wildcard is covered by itself alone, which checkHost does not look for.
    if (name.startsWith('*.')) return !namesOf(certificate).includes(name)
    return certificate.checkHost(name, { subject: 'never' }) === undefined
  })
}

/** `2027-01-31`. */
export const day = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

export const notAfterMs = (certificate: X509Certificate): number => certificate.validToDate.getTime()
export const notBeforeMs = (certificate: X509Certificate): number => certificate.validFromDate.getTime()

/** A clause where the certificate cannot be used at that moment. */
export function wrongTime(certificate: X509Certificate, nowMs: number): string | undefined {
  if (notAfterMs(certificate) <= nowMs) return `expired on ${day(notAfterMs(certificate))}`
  if (notBeforeMs(certificate) > nowMs) return `is not valid before ${day(notBeforeMs(certificate))}`
  return undefined
}
