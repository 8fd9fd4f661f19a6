import { canonicalDomain } from '../mail/domain.ts'
import { canonicalIp, parseIp } from '../mail/ip.ts'
import { MAX_NAMES } from './limits.ts'

/** What a certificate of a server on the machine itself needs besides. */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']

export type CheckedNames =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly sentence: string }

/** The names in canonical form, each once, in their order: A-labels, `*.example.test`, addresses. */
export function checkNames(names: readonly string[]): CheckedNames {
  const canonical = new Set<string>()
  for (const name of names) {
    const one = canonicalName(name)
    if (one === undefined)
      return { ok: false, sentence: `'${name}' is no host name and no address that a certificate can have.` }
    canonical.add(one)
  }
  if (canonical.size === 0) return { ok: false, sentence: 'A certificate needs at least one name.' }
  if (canonical.size > MAX_NAMES)
    return {
      ok: false,
      sentence: `A certificate has at most ${MAX_NAMES} names here; ${canonical.size} were given.`,
    }
  return { ok: true, names: [...canonical] }
}

function canonicalName(name: string): string | undefined {
  const ip = canonicalIp(name)
  if (ip !== undefined) return ip
  const wild = name.startsWith('*.')
  const domain = canonicalDomain(wild ? name.slice(2) : name)
  return domain === undefined ? undefined : wild ? `*.${domain}` : domain
}

/** The 4 or 16 octets where the name is an address. */
export const addressOctets = (name: string): Uint8Array | undefined => parseIp(name)
