import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { TlsMaterial } from './tls.ts'

/**
 * Certificates for this room's tests, made anew for each run, so that no key lies in the tree. Just enough of
 * rfc5280 §4.1, written out: this room may not ask pki for it.
 */

const DAY_MS = 86_400_000

export interface TestCa {
  readonly pem: string
  issue(names: readonly string[], options?: { readonly expired?: boolean }): TlsMaterial
}

export function makeTestCa(): TestCa {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = commonName('Test CA')
  const ca = certificate({
    issuer,
    subject: issuer,
    key: keys.publicKey,
    signer: keys.privateKey,
    days: [-90, 90],
    // basicConstraints, critical, cA TRUE.
    extensions: [sequence(oid('551d13'), der(0x01, hex('ff')), octets(sequence(der(0x01, hex('ff')))))],
  })
  return {
    pem: pem(ca),
    issue(names, { expired = false } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const one = certificate({
        issuer,
        subject: commonName(names[0] ?? ''),
        key: own.publicKey,
        signer: keys.privateKey,
        days: [-30, expired ? -1 : 30],
        extensions: [sequence(oid('551d11'), octets(sequence(...names.map(generalName))))],
      })
      return {
        names,
        keyPem: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        chainPem: pem(one),
        endPointHash: createHash('sha256').update(one).digest(),
        origin: `${names[0]}.pem`,
      }
    },
  }
}

function certificate(of: {
  issuer: Buffer
  subject: Buffer
  key: KeyObject
  signer: KeyObject
  days: readonly [number, number]
  extensions: readonly Buffer[]
}): Buffer {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const body = sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, Buffer.concat([hex('01'), randomBytes(15)])),
    ecdsaWithSha256,
    of.issuer,
    sequence(...of.days.map(time)),
    of.subject,
    of.key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...of.extensions)),
  )
  return sequence(
    body,
    ecdsaWithSha256,
    der(0x03, Buffer.concat([hex('00'), sign('sha256', body, of.signer)])),
  )
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

const hex = (text: string) => Buffer.from(text, 'hex')
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const octets = (content: Buffer) => der(0x04, content)
const oid = (text: string) => der(0x06, hex(text))
const commonName = (name: string) =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))))

function generalName(name: string): Buffer {
  return /^[\d.]+$/.test(name)
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name))
}

/** GeneralizedTime would be wrong before 2050 by the letter; OpenSSL takes UTCTime for all of these. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(text.slice(2)))
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
