import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Evidence } from '../mail/authentication.ts'
import type { EvaluationFacts, ReadableContent, SigningKey } from '../ports/mail-auth.ts'
import type { Answer } from '../ports/resolver.ts'
import type { AuthDns } from './dns.ts'
import { evaluate } from './evaluate.ts'

/** What each name's TXT records say; other names are not there. */
export type Zone = Readonly<Record<string, string>>

export function zoneDns(zone: Zone): AuthDns {
  const none = async (): Promise<Answer<never>> => ({ kind: 'no-name' })
  const txt = async (name: string): Promise<Answer<string>> => {
    const record = zone[name]
    if (record === undefined) return { kind: 'no-name' }
    return { kind: 'found', records: [record], ttlSeconds: 60, authenticated: false }
  }
  return { mx: none, a: none, aaaa: none, ptr: none, cname: none, txt }
}

/** Pieces of one content, cut at the given places. */
export function contentOf(octets: Uint8Array, cuts: readonly number[] = []): ReadableContent {
  const places = [0, ...cuts.toSorted((one, other) => one - other), octets.length]
  return {
    sizeBytes: octets.length,
    pieces: async function* () {
      for (const [at, from] of places.entries()) yield octets.subarray(from, places[at + 1] ?? octets.length)
    },
  }
}

export async function evaluated(
  message: Uint8Array,
  zone: Zone,
  facts: Partial<EvaluationFacts> = {},
): Promise<Evidence> {
  const clock = {
    now: () => Date.UTC(2026, 10, 24),
    zoneMinutes: () => 0,
    monotonic: () => 0,
    after: () => () => {},
  }
  const all = {
    client: '192.0.2.1',
    helo: 'out.example.org',
    reversePath: null,
    authservId: 'mx.example.com',
    ...facts,
  }
  return evaluate(contentOf(message), all, { dns: zoneDns(zone), clock })
}

export interface TestKey extends SigningKey {
  /** The name and the record to publish. */
  readonly record: readonly [name: string, text: string]
}

export function testKey(domain: string, selector: string, algorithm: SigningKey['algorithm']): TestKey {
  const isRsa = algorithm === 'rsa-sha256'
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ed25519')
  const der = pair.publicKey.export({ type: 'spki', format: 'der' })
  // rfc8463 §4: the 32 octets of the key alone.
  const p = (isRsa ? der : der.subarray(-32)).toString('base64')
  return {
    domain,
    selector,
    algorithm,
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    record: [`${selector}._domainkey.${domain}`, `v=DKIM1; k=${isRsa ? 'rsa' : 'ed25519'}; p=${p}`],
  }
}

export function zoneOf(...keys: readonly TestKey[]): Zone {
  return Object.fromEntries(keys.map(({ record }) => record))
}
