import { generateKeyPairSync } from 'node:crypto'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import type { Evidence } from '../mail/authentication.ts'
import { evaluate } from './evaluate.ts'
import { contentOf, FACTS, StillClock, type Zone, ZoneDns } from './zone.test-kit.ts'

/** A key for tests and the record that publishes it. */
export interface TestKey {
  readonly privateKeyPem: string
  readonly record: string
}

export function rsaKey(bits: number): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    record: `v=DKIM1; k=rsa; p=${spki}`,
  }
}

export function ed25519Key(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    record: `v=DKIM1; k=ed25519; p=${raw}`,
  }
}

export interface SignAs {
  readonly key: TestKey
  readonly domain: string
  readonly selector?: string
  readonly canonicalization?: string
  readonly limitBytes?: number
  readonly signedAt?: Date
  readonly expires?: Date
}

/** The message with a signature on top, as mailauth itself signs. */
export async function signed(message: string, as: SignAs): Promise<string> {
  const keyed = {
    signingDomain: as.domain,
    selector: as.selector ?? 's1',
    privateKey: as.key.privateKeyPem,
    ...(as.limitBytes === undefined ? {} : { maxBodyLength: as.limitBytes }),
  }
  const { signatures, errors } = await dkimSign(Buffer.from(message, 'latin1'), {
    canonicalization: as.canonicalization ?? 'relaxed/relaxed',
    signTime: as.signedAt ?? new Date(Date.UTC(2026, 9, 31)),
    ...(as.expires === undefined ? {} : { expires: as.expires }),
    // The declared type wants them twice; only those of `signatureData` are used.
    ...keyed,
    signatureData: [keyed],
  })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return signatures + message
}

export interface EvaluateIn {
  readonly zone?: Zone | undefined
  readonly cuts?: readonly number[] | undefined
  readonly facts?: Partial<typeof FACTS> | undefined
}

export function evidenceOf(
  message: string | Uint8Array,
  { zone, cuts, facts }: EvaluateIn = {},
): Promise<Evidence> {
  const octets = typeof message === 'string' ? Buffer.from(message, 'latin1') : message
  return evaluate(
    contentOf(octets, cuts),
    { ...FACTS, ...facts },
    { dns: new ZoneDns(zone ?? {}), clock: new StillClock() },
  )
}

/** A key's record where it belongs. */
export function keyAt(domain: string, key: TestKey, selector = 's1'): Zone {
  return { [`${selector}._domainkey.${domain}`]: { TXT: [key.record] } }
}
