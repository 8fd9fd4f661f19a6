// Mail that passes all checks: its author's domain has a key, an SPF record that allows this machine, and a policy.
// Signed here by node:crypto alone, so that no system's own code is taken for granted.

import { createHash, generateKeyPairSync, sign } from 'node:crypto'

export interface Author {
  readonly domain: string
  readonly selector: string
  readonly privateKeyPem: string
  /** base64 of its SubjectPublicKeyInfo, as a key record has it. */
  readonly publicKey: string
  /** Where a server on loopback answers for the domain. */
  readonly dnsPort: number
}

/** What signatures sign: all that stays as it is when a Message-ID is stamped. */
const signedFields = ['from', 'to', 'subject', 'date', 'mime-version', 'content-type']

export function makeAuthor(dnsPort: number): Author {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    domain: 'far.example',
    selector: 'bench',
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    dnsPort,
  }
}

/** What `domain` publishes, by name; each name has one TXT record. */
export function recordsOf({ domain, selector, publicKey }: Author): Readonly<Record<string, string>> {
  return {
    [domain]: 'v=spf1 ip4:127.0.0.0/8 -all',
    [`${selector}._domainkey.${domain}`]: `v=DKIM1; k=rsa; p=${publicKey}`,
    [`_dmarc.${domain}`]: 'v=DMARC1; p=reject',
  }
}

/** Octets that `signMessage` puts before a message. */
export function signatureBytes(author: Author): number {
  return signMessage(Buffer.from('From: a@far.example\r\n\r\n'), author).length - 23
}

/** The message (CRLF ends, no folded field) behind its signature (rfc6376, relaxed/relaxed, rsa-sha256). */
export function signMessage(message: Buffer, author: Author): Buffer {
  const text = message.toString('latin1')
  const cut = text.indexOf('\r\n\r\n') + 2
  const bodyHash = createHash('sha256')
    .update(relaxedBody(text.slice(cut + 2)), 'latin1')
    .digest('base64')
  const value =
    `v=1; a=rsa-sha256; c=relaxed/relaxed; d=${author.domain}; s=${author.selector}; t=1704157200;\r\n` +
    ` h=${signedFields.join(':')};\r\n bh=${bodyHash};\r\n b=`
  const header = [...text.slice(0, cut).matchAll(/^([^:\r\n]+):(.*)\r\n/gm)]
  const lines = signedFields.flatMap((name) => {
    const field = header.findLast(([, each]) => each?.toLowerCase() === name)
    return field === undefined ? [] : [`${name}:${relaxedValue(field[2] ?? '')}\r\n`]
  })
  const signed = `${lines.join('')}dkim-signature:${relaxedValue(value)}`
  const signature = sign('sha256', Buffer.from(signed, 'latin1'), author.privateKeyPem).toString('base64')
  const folded = signature.replace(/.{64}(?=.)/g, '$&\r\n ')
  return Buffer.concat([Buffer.from(`DKIM-Signature: ${value}${folded}\r\n`, 'latin1'), message])
}

function relaxedValue(value: string): string {
  return value.replace(/\s+/g, ' ').trim()
}

function relaxedBody(body: string): string {
  return body
    .replace(/[ \t]+/g, ' ')
    .replace(/ (?=\r\n)/g, '')
    .replace(/(\r\n)*$/, '\r\n')
}
