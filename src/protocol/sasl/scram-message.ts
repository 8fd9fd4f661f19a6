import { decodeBase64Strict, encodeBase64 } from '../../bytes/base64.ts'
import { MAX_LOGIN_OCTETS, MAX_NONCE_OCTETS, MAX_SCRAM_OCTETS } from './limits.ts'
import { isName, strictUtf8 } from './text.ts'

/**
 * The four messages of SCRAM as values (rfc5802 §7). Reading is pure and strict: attributes stand in their
 * one order, a mandatory extension (`m=`) is refused, optional ones are skipped. The parts that are signed
 * are given back as the very text that was received, so nothing is signed that was not read.
 */

export interface ClientFirst {
  /** `n`, `y`, or the binding's name behind `p=`. */
  readonly flag: { readonly kind: 'n' | 'y' } | { readonly kind: 'p'; readonly binding: string }
  readonly authzid: string | undefined
  readonly login: string
  readonly nonce: string
  /** The gs2-header with both its commas. */
  readonly gs2Header: string
  readonly bare: string
}

export interface ServerFirst {
  readonly nonce: string
  readonly salt: Uint8Array
  readonly iterations: number
}

export interface ClientFinal {
  /** What `c=` holds: the gs2-header and the binding's octets. */
  readonly channelBinding: Uint8Array
  readonly nonce: string
  readonly proof: Uint8Array
  readonly withoutProof: string
}

export type ServerFinal =
  | { readonly kind: 'verifier'; readonly signature: Uint8Array }
  | { readonly kind: 'error'; readonly error: string }

/** printable of rfc5802 §7 without the comma. */
const NONCE = /^[\u0021-\u002b\u002d-\u007e]+$/
/** saslname: every `=` is `=2C` or `=3D`. */
const SASLNAME = /^(?:[^=,\0]|=2C|=3D)+$/
const BINDING_NAME = /^[A-Za-z0-9.-]{1,64}$/
const ITERATIONS = /^[1-9]\d{0,9}$/
/** `e=`: one of rfc5802 §7's words; what a server makes up is shown only if it is as tame. */
const SERVER_ERROR = /^[A-Za-z0-9-]{1,64}$/

export function parseClientFirst(bytes: Uint8Array): ClientFirst | undefined {
  const text = boundedText(bytes)
  if (text === undefined) return undefined
  const [flagText, authzidText, ...attributes] = text.split(',')
  const flag = parseFlag(flagText as string)
  const authzid = authzidText === undefined ? undefined : parseAuthzid(authzidText)
  const [name, nonceText, ...extensions] = attributes
  const login = parseSaslname(valueAfter(name, 'n'))
  const nonce = parseNonce(valueAfter(nonceText, 'r'))
  if (flag === undefined || authzid === undefined || login === undefined || nonce === undefined)
    return undefined
  if (!extensions.every(isExtension)) return undefined
  const gs2Header = `${flagText},${authzidText},`
  return { flag, authzid: authzid.name, login, nonce, gs2Header, bare: text.slice(gs2Header.length) }
}

export function parseServerFirst(bytes: Uint8Array): ServerFirst | undefined {
  const [nonceText, saltText, count, ...extensions] = boundedText(bytes)?.split(',') ?? []
  const nonce = parseNonce(valueAfter(nonceText, 'r'))
  const salt = parseBase64(valueAfter(saltText, 's'))
  const iterations = valueAfter(count, 'i') ?? ''
  if (nonce === undefined || salt === undefined || !ITERATIONS.test(iterations)) return undefined
  return extensions.every(isExtension) ? { nonce, salt, iterations: Number(iterations) } : undefined
}

export function parseClientFinal(bytes: Uint8Array): ClientFinal | undefined {
  const text = boundedText(bytes)
  const [binding, nonceText, ...rest] = text?.split(',') ?? []
  const last = rest.pop()
  const channelBinding = parseBase64(valueAfter(binding, 'c'))
  const nonce = parseNonce(valueAfter(nonceText, 'r'))
  const proof = parseBase64(valueAfter(last, 'p'))
  if (text === undefined || last === undefined) return undefined
  if (channelBinding === undefined || nonce === undefined || proof === undefined) return undefined
  if (!rest.every((attribute) => isExtension(attribute) && !attribute.startsWith('p='))) return undefined
  return { channelBinding, nonce, proof, withoutProof: text.slice(0, text.length - last.length - 1) }
}

export function parseServerFinal(bytes: Uint8Array): ServerFinal | undefined {
  const [first, ...extensions] = boundedText(bytes)?.split(',') ?? []
  if (!extensions.every(isExtension)) return undefined
  const error = valueAfter(first, 'e')
  if (error !== undefined) return { kind: 'error', error: SERVER_ERROR.test(error) ? error : 'other-error' }
  const signature = parseBase64(valueAfter(first, 'v'))
  return signature === undefined ? undefined : { kind: 'verifier', signature }
}

export function formatClientFirstBare(login: string, nonce: string): string {
  return `n=${login.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${nonce}`
}

/** @param authzid only where it differs from the login. */
export function formatGs2Header(flag: ClientFirst['flag'], authzid?: string): string {
  const name = authzid === undefined ? '' : `a=${authzid.replace(/=/g, '=3D').replace(/,/g, '=2C')}`
  return `${flag.kind === 'p' ? `p=${flag.binding}` : flag.kind},${name},`
}

export function formatServerFirst(message: ServerFirst): string {
  return `r=${message.nonce},s=${encodeBase64(message.salt)},i=${message.iterations}`
}

export function formatClientFinalWithoutProof(channelBinding: Uint8Array, nonce: string): string {
  return `c=${encodeBase64(channelBinding)},r=${nonce}`
}

function boundedText(bytes: Uint8Array): string | undefined {
  const text = bytes.length <= MAX_SCRAM_OCTETS ? strictUtf8(bytes) : undefined
  return text?.includes('\0') === false ? text : undefined
}

function valueAfter(attribute: string | undefined, letter: string): string | undefined {
  return attribute?.startsWith(`${letter}=`) === true ? attribute.slice(2) : undefined
}

function parseFlag(text: string): ClientFirst['flag'] | undefined {
  if (text === 'n' || text === 'y') return { kind: text }
  const binding = valueAfter(text, 'p')
  return binding !== undefined && BINDING_NAME.test(binding) ? { kind: 'p', binding } : undefined
}

function parseAuthzid(text: string): { readonly name: string | undefined } | undefined {
  if (text === '') return { name: undefined }
  const name = parseSaslname(valueAfter(text, 'a'))
  return name === undefined ? undefined : { name }
}

function parseSaslname(text: string | undefined): string | undefined {
  if (text === undefined || !SASLNAME.test(text)) return undefined
  const name = text.replace(/=2C/g, ',').replace(/=3D/g, '=')
  return isName(name, MAX_LOGIN_OCTETS) ? name : undefined
}

function parseNonce(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= MAX_NONCE_OCTETS && NONCE.test(text) ? text : undefined
}

function parseBase64(text: string | undefined): Uint8Array | undefined {
  return text === undefined || text === '' ? undefined : decodeBase64Strict(text)
}

/** attr-val, but not `m=`: rfc5802 §5.1, a mandatory extension that is not understood fails the exchange. */
function isExtension(attribute: string): boolean {
  return /^[A-Za-z]=[\s\S]+$/.test(attribute) && !attribute.startsWith('m=')
}
