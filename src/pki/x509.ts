import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto'
import {
  bitString,
  type Der,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  smallInteger,
  time,
  toPem,
  trueBoolean,
  utf8String,
} from './der.ts'
import { MAX_COMMON_NAME, SERIAL_OCTETS } from './limits.ts'
import { addressOctets } from './names.ts'

/** Certificates and requests as rfc5280 §4 and rfc2986 §4 have them, all with ECDSA and SHA-256. */

export interface Subject {
  readonly commonName: string
  readonly organization?: string | undefined
}

export interface CertificateFields {
  readonly subject: Subject
  readonly publicKey: KeyObject
  readonly issuer: Subject
  readonly issuerPublicKey: KeyObject
  readonly issuerPrivateKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly kind: { readonly ca: true } | { readonly ca: false; readonly names: readonly string[] }
}

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const

/** @returns the certificate in PEM form. */
export function makeCertificate(fields: CertificateFields): string {
  const version3 = explicit(0, smallInteger(2))
  const body = sequence(
    version3,
    integer(serialNumber()),
    ECDSA_SHA256,
    subjectName(fields.issuer),
    sequence(time(fields.notBeforeMs), time(fields.notAfterMs)),
    subjectName(fields.subject),
    publicKeyInfo(fields.publicKey),
    explicit(
      3,
      sequence(...(fields.kind.ca ? caExtensions(fields) : serverExtensions(fields, fields.kind.names))),
    ),
  )
  return toPem('CERTIFICATE', signed(body, fields.issuerPrivateKey))
}

/** A certificate request for a server with those names, in PEM form. */
export function makeRequest(fields: {
  readonly subject: Subject
  readonly names: readonly string[]
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}): string {
  const wanted = sequence(
    extension(OID.keyUsage, digitalSignature(), 'critical'),
    extension(OID.extendedKeyUsage, sequence(objectId(OID.serverAuth))),
    extension(OID.subjectAltName, alternativeNames(fields.names)),
  )
  const body = sequence(
    smallInteger(0),
    subjectName(fields.subject),
    publicKeyInfo(fields.publicKey),
    explicit(0, sequence(objectId(OID.extensionRequest), set(wanted))),
  )
  return toPem('CERTIFICATE REQUEST', signed(body, fields.privateKey))
}

/** The first name that fits X.520's bound; clients look at the alternative names only. */
export function subjectOf(names: readonly string[]): Subject {
  return { commonName: names.find((name) => name.length <= MAX_COMMON_NAME) ?? 'mail server' }
}

function caExtensions(fields: CertificateFields): Der[] {
  // No name constraints: with them each new domain would be a new CA to be put into every phone by hand.
  return [
    // It signs servers and no other CA: path length 0.
    extension(OID.basicConstraints, sequence(trueBoolean(), smallInteger(0)), 'critical'),
    // keyCertSign, cRLSign: bits 5 and 6 from the left.
    extension(OID.keyUsage, bitString(Buffer.of(0b0000_0110), 1), 'critical'),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(fields.publicKey))),
  ]
}

function serverExtensions(fields: CertificateFields, names: readonly string[]): Der[] {
  return [
    extension(OID.basicConstraints, sequence(), 'critical'),
    extension(OID.keyUsage, digitalSignature(), 'critical'),
    // iOS 13 and later refuse a server certificate without it.
    extension(OID.extendedKeyUsage, sequence(objectId(OID.serverAuth))),
    extension(OID.subjectAltName, alternativeNames(names)),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(fields.publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(fields.issuerPublicKey)))),
  ]
}

function extension(id: string, value: Der, critical?: 'critical'): Der {
  const flag = critical === undefined ? [] : [trueBoolean()]
  return sequence(objectId(id), ...flag, octetString(value))
}

const digitalSignature = (): Der => bitString(Buffer.of(0b1000_0000), 7)

/** rfc5280 §4.2.1.6: dNSName is [2], iPAddress [7]. */
function alternativeNames(names: readonly string[]): Der {
  return sequence(
    ...names.map((name) => {
      const octets = addressOctets(name)
      return octets === undefined ? implicit(2, Buffer.from(name)) : implicit(7, octets)
    }),
  )
}

function subjectName(subject: Subject): Der {
  const { organization, commonName } = subject
  const parts = organization === undefined ? [] : [attribute(OID.organization, organization)]
  return sequence(...parts, attribute(OID.commonName, commonName))
}

const attribute = (id: string, text: string): Der => set(sequence(objectId(id), utf8String(text)))

const publicKeyInfo = (key: KeyObject): Der => key.export({ format: 'der', type: 'spki' })

/** rfc5280 §4.2.1.2 leaves the method open: the first 160 bits of SHA-256 over the whole key. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyInfo(key)).digest().subarray(0, 20)
}

/** rfc5280 §4.1.2.2: positive; the first bits are set so that it is of one length and not zero. */
function serialNumber(): Buffer {
  const octets = randomBytes(SERIAL_OCTETS)
  octets[0] = ((octets[0] as number) & 0x3f) | 0x40
  return octets
}

function signed(body: Der, key: KeyObject): Der {
  return sequence(body, ECDSA_SHA256, bitString(sign('sha256', body, key)))
}
