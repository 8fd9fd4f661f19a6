import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  type DkimAlgorithm,
  type DkimKey,
  type Generation,
  type GenerationState,
  isGenerationName,
  selectorOf,
} from './dkim-generation.ts'
import { MAX_GENERATIONS } from './limits.ts'
import { errorText, pemBlocks } from './pem.ts'

/*
 * The file with a domain's DKIM keys:
 *
 *     Hikyaku DKIM keys 1
 *     Domain: example.org
 *
 *     Generation: hk202611
 *     State: signing
 *     Made: 2026-11-24T19:00:00.000Z
 *     Signing-Since: 2026-11-24T19:00:00.000Z
 *     -----BEGIN PRIVATE KEY-----          RSA, then Ed25519; the public keys of a retired one
 *     …
 *     End
 *
 * The oldest generation first. Without its last line a file is cut off.
 */

const FIRST = 'Hikyaku DKIM keys 1'
const LAST = 'End'
const ALGORITHMS: readonly DkimAlgorithm[] = ['rsa-sha256', 'ed25519-sha256']
const STATES: readonly GenerationState[] = ['waiting', 'signing', 'retired']

export type ParsedKeys =
  | { readonly ok: true; readonly generations: readonly Generation[] }
  /** A clause for a sentence that begins with the file's name. */
  | { readonly ok: false; readonly problem: string }

export function formatKeys(domain: string, generations: readonly Generation[]): string {
  return [FIRST, `Domain: ${domain}`, '', ...generations.map(formatGeneration), LAST, ''].join('\n')
}

function formatGeneration(generation: Generation): string {
  const moments: readonly (readonly [string, number | undefined])[] = [
    ['Made', generation.madeAtMs],
    ['Seen', generation.seenAtMs],
    ['Signing-Since', generation.signingSinceMs],
    ['Retired', generation.retiredAtMs],
  ]
  return [
    `Generation: ${generation.name}`,
    `State: ${generation.state}`,
    ...moments.flatMap(([name, atMs]) =>
      atMs === undefined ? [] : [`${name}: ${new Date(atMs).toISOString()}`],
    ),
    generation.keys.map((key) => key.privateKeyPem ?? publicPem(key)).join(''),
  ].join('\n')
}

/** @param domain whose keys they must be. */
export function parseKeys(text: string, domain: string): ParsedKeys {
  const problem = (clause: string): ParsedKeys => ({ ok: false, problem: clause })
  if (!text.startsWith(`${FIRST}\n`)) return problem('is not a file of DKIM keys that this program wrote')
  if (!text.endsWith(`\n${LAST}\n`)) return problem('is cut off')
  const [head = '', ...sections] = text.slice(0, -LAST.length - 1).split(/^(?=Generation: )/m)
  const owner = /^Domain: (.*)$/m.exec(head)?.[1]
  if (owner !== domain) return problem(`has the keys of ${owner ?? 'no domain'}, not of ${domain}`)
  if (sections.length > MAX_GENERATIONS)
    return problem(`has more than ${MAX_GENERATIONS} generations of keys`)
  const generations: Generation[] = []
  for (const section of sections) {
    const read = parseGeneration(section)
    if (typeof read === 'string') return problem(read)
    generations.push(read)
  }
  const count = (state: GenerationState): number =>
    generations.filter((generation) => generation.state === state).length
  if (count('signing') !== 1 || count('waiting') > 1) return problem('does not say which keys sign')
  if (new Set(generations.map(({ name }) => name)).size !== generations.length)
    return problem('has two generations of one name')
  return { ok: true, generations }
}

/** @returns a clause where something is wrong. */
function parseGeneration(section: string): Generation | string {
  const [head = ''] = section.split('-----BEGIN', 1)
  const fields = new Map(head.split('\n').map((line) => splitField(line)))
  const name = fields.get('Generation') ?? ''
  if (!isGenerationName(name)) return `has a generation of keys named "${name.slice(0, 40)}"`
  const state = STATES.find((candidate) => candidate === fields.get('State'))
  const madeAtMs = moment(fields.get('Made'))
  if (state === undefined || madeAtMs === undefined) return `is damaged at ${name}`
  const blocks = pemBlocks(section)
  if (blocks.length !== ALGORITHMS.length) return `has ${blocks.length} keys at ${name} instead of 2`
  const keys: DkimKey[] = []
  for (const [i, algorithm] of ALGORITHMS.entries()) {
    const read = readDkimKey(blocks[i]?.pem ?? '', name, algorithm)
    if (typeof read === 'string') return `has ${read} at ${name}`
    if (state !== 'retired' && read.privateKeyPem === undefined) return `has no private key at ${name}`
    keys.push(read)
  }
  return {
    name,
    state,
    madeAtMs,
    seenAtMs: moment(fields.get('Seen')),
    signingSinceMs: moment(fields.get('Signing-Since')),
    retiredAtMs: moment(fields.get('Retired')),
    keys,
  }
}

function splitField(line: string): readonly [string, string] {
  const at = line.indexOf(': ')
  return at < 0 ? ['', ''] : [line.slice(0, at), line.slice(at + 2)]
}

function moment(text: string | undefined): number | undefined {
  const atMs = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(atMs) ? undefined : atMs
}

function readDkimKey(pem: string, name: string, algorithm: DkimAlgorithm): DkimKey | string {
  const isPrivate = pem.includes('BEGIN PRIVATE KEY')
  try {
    const key = isPrivate ? createPrivateKey(pem) : createPublicKey(pem)
    const type = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
    if (key.asymmetricKeyType !== type) return `a key that is not ${type}`
    return dkimKey(key, selectorOf(name, algorithm), algorithm)
  } catch (error) {
    return `a damaged key (${errorText(error)})`
  }
}

export function dkimKey(key: KeyObject, selector: string, algorithm: DkimAlgorithm): DkimKey {
  const isPrivate = key.type === 'private'
  const spki = (isPrivate ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' })
  return {
    selector,
    algorithm,
    publicKey: (algorithm === 'rsa-sha256' ? spki : spki.subarray(-ED25519_OCTETS)).toString('base64'),
    ...(isPrivate ? { privateKeyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString() } : {}),
  }
}

/** rfc8463 §4.2: the record has the bare key, which is the end of the structure. */
const ED25519_OCTETS = 32
/** What stands before it (rfc8410 §4). */
const ED25519_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

function publicPem({ algorithm, publicKey }: DkimKey): string {
  const octets = Buffer.from(publicKey, 'base64')
  const der = algorithm === 'rsa-sha256' ? octets : Buffer.concat([ED25519_HEAD, octets])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
    .export({ format: 'pem', type: 'spki' })
    .toString()
}
