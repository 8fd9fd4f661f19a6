import { fromUtf8 } from '../../bytes/ascii.ts'
import { MAX_LOGIN_OCTETS, MAX_PASSWORD_OCTETS, MAX_PLAIN_OCTETS } from './limits.ts'
import { isName, strictUtf8 } from './text.ts'

export interface PlainMessage {
  /** Empty: the same as `authcid`. */
  readonly authzid: string
  readonly authcid: string
  readonly password: string
}

/**
 * Reads `[authzid] NUL authcid NUL passwd` (rfc4616 §2). Exactly two NUL: with a third one the password that
 * is checked and the one that is logged or cached could differ.
 * @returns undefined where the message is not of that form.
 */
export function parsePlain(bytes: Uint8Array): PlainMessage | undefined {
  const text = bytes.length <= MAX_PLAIN_OCTETS ? strictUtf8(bytes) : undefined
  const parts = text?.split('\0')
  if (parts?.length !== 3) return undefined
  const [authzid, authcid, password] = parts as [string, string, string]
  const inForm =
    (authzid === '' || isName(authzid, MAX_LOGIN_OCTETS)) &&
    isName(authcid, MAX_LOGIN_OCTETS) &&
    password !== '' &&
    Buffer.byteLength(password) <= MAX_PASSWORD_OCTETS
  return inForm ? { authzid, authcid, password } : undefined
}

export function formatPlain(message: PlainMessage): Uint8Array {
  return fromUtf8(`${message.authzid}\0${message.authcid}\0${message.password}`)
}
