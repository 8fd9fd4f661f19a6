import type { Resolver } from '../ports/resolver.ts'
import type { DkimKey, Generation } from './dkim-generation.ts'
import { compareRecord, type RecordMatch, recordName } from './dkim-record.ts'

/** What the DNS has of a key. */
export type Published =
  | RecordMatch
  | { readonly kind: 'missing' }
  /** The DNS did not say: nothing is known. */
  | { readonly kind: 'failed'; readonly cause: string }

async function publishedKey(
  resolver: Pick<Resolver, 'txt'>,
  domain: string,
  key: DkimKey,
): Promise<Published> {
  const answer = await resolver.txt(recordName(key.selector, domain))
  if (answer.kind === 'temporary') return { kind: 'failed', cause: answer.cause }
  if (answer.kind !== 'found') return { kind: 'missing' }
  const [record = '', ...more] = answer.records
  // rfc6376 §3.6.2.2: with several what a receiver makes of them is undefined.
  return more.length > 0
    ? {
        kind: 'differs',
        why: `there are ${answer.records.length} TXT records at this name, and one is wanted`,
      }
    : compareRecord(key, record)
}

/** What is published of each key, in the generation's order. */
export async function publishedGeneration(
  resolver: Pick<Resolver, 'txt'>,
  domain: string,
  { keys }: Generation,
): Promise<readonly Published[]> {
  return Promise.all(keys.map((key) => publishedKey(resolver, domain, key)))
}

/** Whether receivers can verify what it signs; undefined where the DNS did not say. */
export function isPublished(published: readonly Published[]): boolean | undefined {
  if (published.some(({ kind }) => kind === 'missing' || kind === 'differs')) return false
  return published.every(({ kind }) => kind === 'matches') ? true : undefined
}
