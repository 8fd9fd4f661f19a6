import type { Address } from '../../mail/address.ts'
import { isLenientLocal, needsUtf8, parseAddress } from '../../mail/address.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import type { Leniency } from './types.ts'

/** What stood after `FROM:` or `TO:` before the parameters. */
export type Path =
  | { readonly kind: 'null' }
  | { readonly kind: 'postmaster' }
  | { readonly kind: 'local-name'; readonly local: string }
  | { readonly kind: 'address'; readonly address: Address; readonly route: readonly string[] }

export interface PathRead {
  readonly path: Path
  readonly text: string
  /** The parameters, without the space before them. */
  readonly rest: string
  readonly lenient: readonly Leniency[]
  /** Non-ASCII characters stand in it: only with SMTPUTF8 (rfc6531 §3.3). */
  readonly needsUtf8: boolean
}

/**
 * Reads a path as rfc5321 §4.1.2 writes it, with what is sent in spite of it. Never follows a source route.
 * @param how.localNames takes a local part without a domain.
 * @returns undefined where it is none.
 */
export function readPath(argument: string, how = { localNames: false }): PathRead | undefined {
  const lenient: Leniency[] = []
  const text = argument.trimStart()
  if (text !== argument) lenient.push('space-after-colon')
  const end = text.startsWith('<') ? closingBracket(text) : firstSpace(text)
  if (end <= 0) return undefined
  const bracketed = text.startsWith('<')
  if (!bracketed) lenient.push('no-angle-brackets')
  const inner = bracketed ? text.slice(1, end) : text.slice(0, end)
  const after = text.slice(bracketed ? end + 1 : end)
  if (after !== '' && !after.startsWith(' ')) return undefined
  const path = readInner(inner, how.localNames)
  if (path === undefined || (path.kind === 'null' && !bracketed)) return undefined
  if (path.kind === 'address' && isLenientLocal(path.address.local)) lenient.push('dots-in-local-part')
  return {
    path,
    text: text.slice(0, bracketed ? end + 1 : end),
    rest: after.trim(),
    lenient,
    needsUtf8: /[^\u0000-\u007f]/.test(inner) || (path.kind === 'address' && needsUtf8(path.address)),
  }
}

function readInner(inner: string, localNames: boolean): Path | undefined {
  if (inner === '') return { kind: 'null' }
  // rfc5321 §4.5.1: without a domain, in any case of letters.
  if (inner.toLowerCase() === 'postmaster') return { kind: 'postmaster' }
  if (localNames && !inner.includes('@')) return readLocalName(inner)
  const route = readRoute(inner)
  if (route === undefined) return undefined
  const address = parseAddress(inner.slice(route.octets))
  return address === undefined ? undefined : { kind: 'address', address, route: route.hosts }
}

function readLocalName(inner: string): Path | undefined {
  const address = parseAddress(`${inner}@localhost`)
  return address === undefined ? undefined : { kind: 'local-name', local: address.local }
}

/** rfc5321 §4.1.1.3 and Appendix C: `@a,@b:` before the mailbox. */
function readRoute(inner: string): { hosts: string[]; octets: number } | undefined {
  if (!inner.startsWith('@')) return { hosts: [], octets: 0 }
  const colon = inner.indexOf(':')
  if (colon < 0) return undefined
  const hosts: string[] = []
  for (const word of inner.slice(0, colon).split(',')) {
    const host = word.startsWith('@') ? canonicalDomain(word.slice(1)) : undefined
    if (host === undefined) return undefined
    hosts.push(host)
  }
  return { hosts, octets: colon + 1 }
}

/** Where `>` stands outside a quoted local part. */
function closingBracket(text: string): number {
  let quoted = false
  for (let i = 1; i < text.length; i++) {
    const char = text[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (char === '>' && !quoted) return i
  }
  return -1
}

function firstSpace(text: string): number {
  const space = text.indexOf(' ')
  return space < 0 ? text.length : space
}
