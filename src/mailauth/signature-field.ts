import { createHash, createPrivateKey, type KeyObject, sign as signOctets } from 'node:crypto'
import { fromLatin1 } from '../bytes/ascii.ts'
import { Bug } from '../mail/assert.ts'
import type { SigningKey } from '../ports/mail-auth.ts'
import { relaxedField } from './relaxed.ts'

/** rfc5322 §2.1.1 wants lines of at most 78; a fold adds one octet. */
const LINE_OCTETS = 72

/** A tag of a tag-list (rfc6376 §3.2), as it is written. */
export type Tag = readonly [name: string, value: string]

/**
 * A field that is a tag-list, CRLF-ended, signed by `key` over `before` and itself (rfc6376 §3.7): `b=` is among
 * `tags` with an empty value, and is filled. How the field is folded does not depend on that value.
 */
export function signedField(name: string, tags: readonly Tag[], before: string, key: SigningKey): string {
  const unsigned = tagList(name, tags)
  const b = signText(`${before}${relaxedField(name, unsigned)}`, key)
  return `${name}:${tagList(
    name,
    tags.map((tag) => (tag[0] === 'b' ? ['b', b] : tag)),
  )}\r\n`
}

/** The value of a field: lines are filled; tags with long values stand on lines of their own. */
function tagList(field: string, tags: readonly Tag[]): string {
  let text = ''
  let column = field.length + 1
  tags.forEach(([name, value], at) => {
    const end = at < tags.length - 1 ? ';' : ''
    const tag = `${name}=${value}${end}`
    const isLong = name === 'b' || name === 'bh' || name === 'h'
    if (isLong || column + 1 + tag.length > LINE_OCTETS) {
      text += `\r\n ${isLong ? foldValue(name, tag) : tag}`
      column = isLong ? Number.POSITIVE_INFINITY : tag.length
    } else {
      text += ` ${tag}`
      column += 1 + tag.length
    }
  })
  return text
}

/** Long values may be folded: base64 anywhere, a list of names at its colons (rfc6376 §3.5). */
function foldValue(name: string, tag: string): string {
  const parts = name === 'h' ? tag.split(/(?<=:)/) : (tag.match(/.{1,72}/g) ?? [])
  if (name !== 'h') return parts.join('\r\n ')
  let text = ''
  let column = 0
  for (const part of parts) {
    if (column > 0 && column + part.length > LINE_OCTETS) {
      text += '\r\n '
      column = 0
    }
    text += part
    column += part.length
  }
  return text
}

/** rfc6376 §3.3.2, rfc8463 §3: Ed25519 signs the SHA-256 of what RSA signs. */
function signText(text: string, key: SigningKey): string {
  const octets = fromLatin1(text)
  const privateKey = readKey(key)
  const signature =
    key.algorithm === 'rsa-sha256'
      ? signOctets('sha256', octets, privateKey)
      : signOctets(null, createHash('sha256').update(octets).digest(), privateKey)
  return signature.toString('base64')
}

function readKey(key: SigningKey): KeyObject {
  const type = key.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  const read = tryKey(key.privateKeyPem)
  // Neither the text nor what the library says of it: an error is written into logs.
  if (read?.asymmetricKeyType !== type)
    throw new Bug(`the key of selector ${key.selector} for ${key.domain} is no ${type} private key`)
  return read
}

function tryKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
