import type { Generation } from './dkim-generation.ts'
import { DKIM_SEEN_FOR_MS, MAX_GENERATIONS } from './limits.ts'

/* How the generations of a domain follow each other; pure, each function gives all of them anew. */

export const signingOf = (generations: readonly Generation[]): Generation | undefined =>
  generations.find(({ state }) => state === 'signing')

export const waitingOf = (generations: readonly Generation[]): Generation | undefined =>
  generations.find(({ state }) => state === 'waiting')

/** The first of a domain signs at once: there is nothing else to sign with. */
export const started = (made: Generation, nowMs: number): readonly Generation[] => [signing(made, nowMs)]

/** Adds one that waits; of the retired ones the oldest is forgotten where there are too many. */
export function withWaiting(generations: readonly Generation[], made: Generation): readonly Generation[] {
  const all = [...generations, made]
  const oldest = all.findIndex(({ state }) => state === 'retired')
  return all.length > MAX_GENERATIONS && oldest >= 0 ? all.toSpliced(oldest, 1) : all
}

/**
 * What follows from a look at the records of the waiting one.
 * @param isSeen undefined where the DNS did not say.
 */
export function looked(
  generations: readonly Generation[],
  isSeen: boolean | undefined,
  nowMs: number,
): readonly Generation[] {
  const waiting = waitingOf(generations)
  if (waiting === undefined || isSeen === undefined) return generations
  const seen = (seenAtMs: number | undefined): readonly Generation[] =>
    generations.map((one) => (one === waiting ? { ...one, seenAtMs } : one))
  if (!isSeen) return waiting.seenAtMs === undefined ? generations : seen(undefined)
  // A clock that was ahead then: it is counted anew.
  if (waiting.seenAtMs === undefined || waiting.seenAtMs > nowMs) return seen(nowMs)
  return nowMs - waiting.seenAtMs >= DKIM_SEEN_FOR_MS ? switched(generations, nowMs) : generations
}

/** The waiting one signs from now on; the private keys of the one before are gone. */
export function switched(generations: readonly Generation[], nowMs: number): readonly Generation[] {
  if (waitingOf(generations) === undefined) return generations
  return generations.map((one) =>
    one.state === 'waiting' ? signing(one, nowMs) : one.state === 'signing' ? retired(one, nowMs) : one,
  )
}

const signing = (one: Generation, nowMs: number): Generation => ({
  ...one,
  state: 'signing',
  signingSinceMs: nowMs,
})

const retired = (one: Generation, nowMs: number): Generation => ({
  ...one,
  state: 'retired',
  retiredAtMs: nowMs,
  keys: one.keys.map(({ selector, algorithm, publicKey }) => ({ selector, algorithm, publicKey })),
})
