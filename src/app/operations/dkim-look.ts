import type { DkimKey, Generation } from '../../pki/dkim-generation.ts'
import { isPublished, type Published, publishedGeneration } from '../../pki/dkim-published.ts'
import { DKIM_KEEP_OLD_RECORD_MS } from '../../pki/limits.ts'
import { type OperationPorts, timeText } from './operation.ts'

export interface LookedAt {
  readonly domain: string
  readonly generations: readonly LookedAtGeneration[]
}

export interface LookedAtGeneration {
  readonly generation: Generation
  readonly keys: readonly { readonly key: DkimKey; readonly published: Published }[]
}

/** The keys of a domain with what the DNS has of them; keys that wait may begin to sign by it. */
export async function lookAtDomain(
  ports: OperationPorts,
  domain: string,
): Promise<
  { readonly ok: true; readonly looked: LookedAt } | { readonly ok: false; readonly sentence: string }
> {
  const { dkim, resolver } = ports
  const read = await dkim.generations(domain)
  if (!read.ok) return read
  const published = new Map<string, readonly Published[]>()
  let { generations } = read
  for (const one of read.generations) {
    const found = await publishedGeneration(resolver, domain, one)
    published.set(one.name, found)
    if (one.state !== 'waiting') continue
    const after = await dkim.noteLook(domain, one.name, isPublished(found))
    if (!after.ok) return after
    generations = after.generations
  }
  return {
    ok: true,
    looked: {
      domain,
      generations: generations.map((generation) => ({
        generation,
        keys: generation.keys.map((key, i) => ({
          key,
          published: published.get(generation.name)?.[i] ?? { kind: 'failed', cause: 'not asked yet' },
        })),
      })),
    },
  }
}

/** `rsa-2048`, `ed25519`. */
export const algorithmText = ({ algorithm }: DkimKey): string =>
  algorithm === 'rsa-sha256' ? 'rsa-2048' : 'ed25519'

/** What the DNS has, as the end of a sentence. */
export function publishedText(published: Published): string {
  switch (published.kind) {
    case 'matches':
      return published.note === undefined ? 'published' : `published, but ${published.note}`
    case 'differs':
      return `published, but wrong: ${published.why}`
    case 'missing':
      return 'not published'
    case 'failed':
      return `the DNS did not say (${published.cause})`
  }
}

/** The old record stays until what was signed with it has been delivered everywhere. */
export function recordMayGoMs({ config }: OperationPorts, retiredAtMs: number): number {
  return retiredAtMs + Math.max(DKIM_KEEP_OLD_RECORD_MS, 2 * config().outbound.give_up_after)
}

/** What becomes of the record of a retired key. */
export function retiredText(ports: OperationPorts, generation: Generation, published: Published): string {
  if (published.kind === 'missing') return 'its record is gone: nothing is left to do'
  const mayGoMs = recordMayGoMs(ports, generation.retiredAtMs ?? generation.madeAtMs)
  return ports.clock.now() >= mayGoMs
    ? 'take its record out of the DNS now'
    : `its record must stay in the DNS until ${timeText(ports, mayGoMs)}`
}
