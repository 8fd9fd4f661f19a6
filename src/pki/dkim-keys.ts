import { hash } from 'node:crypto'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { SigningKey, SigningKeys } from '../ports/mail-auth.ts'
import { formatKeys, parseKeys } from './dkim-file.ts'
import { type Generation, nextName } from './dkim-generation.ts'
import { makeGeneration } from './dkim-make.ts'
import { looked, signingOf, started, switched, waitingOf, withWaiting } from './dkim-rotation.ts'
import type { KeyFolder } from './key-folder.ts'
import { DKIM_RETRY_MS, MAX_NAME_IN_FILE } from './limits.ts'
import { errorText } from './pem.ts'

export type DkimRead =
  | { readonly ok: true; readonly generations: readonly Generation[] }
  /** For the operator: what is wrong and what to do. */
  | { readonly ok: false; readonly sentence: string }

export interface DkimKeysParts {
  readonly folder: KeyFolder
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly log: Log
  /** The domains that are signed for, canonical; none where signing is off. Asked anew each time. */
  readonly domains: () => readonly string[]
}

/**
 * The DKIM keys of our domains, each domain's in a file of the key folder, made at first need and kept in memory.
 * What is done to one domain's goes one after the other, so first needs that come at once make one pair.
 */
export class DkimKeys implements SigningKeys {
  readonly #parts: DkimKeysParts
  readonly #known = new Map<string, readonly Generation[]>()
  /** What failed, until when it is not tried again. */
  readonly #failed = new Map<string, { readonly sentence: string; readonly untilMs: number }>()
  readonly #lanes = new Map<string, Promise<unknown>>()

  constructor(parts: DkimKeysParts) {
    this.#parts = parts
  }

  /** Those that are signed for. */
  get domains(): readonly string[] {
    return this.#parts.domains()
  }

  /** Mail goes out unsigned where keys can't be had: that is logged, and no receiver thinks worse of it than of a broken signature. */
  async forDomain(domain: string): Promise<readonly SigningKey[]> {
    if (!this.domains.includes(domain)) return []
    const read = await this.generations(domain)
    const signing = read.ok ? signingOf(read.generations) : undefined
    return (signing?.keys ?? []).flatMap(({ selector, algorithm, privateKeyPem }) =>
      privateKeyPem === undefined ? [] : [{ domain, selector, algorithm, privateKeyPem }],
    )
  }

  /** All of a domain, the oldest first; the first one is made where there is none. */
  async generations(domain: string): Promise<DkimRead> {
    const known = this.#known.get(domain)
    if (known !== undefined) return { ok: true, generations: known }
    const failed = this.#failed.get(domain)
    if (failed !== undefined && failed.untilMs > this.#parts.clock.monotonic())
      return { ok: false, sentence: failed.sentence }
    return this.#alone(domain, () => this.#readOrMake(domain))
  }

  /** As `generations`, and none are made: those that there are, none where they can't be read. */
  async present(domain: string): Promise<readonly Generation[]> {
    const known = this.#known.get(domain)
    if (known !== undefined) return known
    const sentence = await this.#alone(domain, async () => this.#readAnew(domain))
    if (sentence !== undefined) this.#fail(domain, sentence)
    return this.#known.get(domain) ?? []
  }

  /**
   * Makes the keys that are to sign next, unless some wait already.
   * @param options.now they sign at once, published or not.
   */
  rotate(domain: string, options: { readonly now: boolean }): Promise<DkimRead> {
    return this.#alone(domain, async () => {
      const read = await this.#readOrMake(domain)
      if (!read.ok) return read
      let { generations } = read
      if (waitingOf(generations) === undefined) {
        const made = await this.#newGeneration(domain, generations)
        if (!made.ok) return made
        generations = withWaiting(generations, made.generation)
      }
      if (options.now) generations = switched(generations, this.#parts.clock.now())
      return this.#keep(domain, generations)
    })
  }

  /**
   * Takes what a look at the DNS found of the keys that wait.
   * @param name of the generation that was looked for.
   * @param isSeen whether all its records are right; undefined where the DNS did not say.
   */
  noteLook(domain: string, name: string, isSeen: boolean | undefined): Promise<DkimRead> {
    return this.#alone(domain, async () => {
      const read = await this.#readOrMake(domain)
      if (!read.ok || waitingOf(read.generations)?.name !== name) return read
      const after = looked(read.generations, isSeen, this.#parts.clock.now())
      return after === read.generations ? read : this.#keep(domain, after)
    })
  }

  /**
   * Reads the files anew. What can't be read stays as it is in memory; of a file that is gone the keys are made
   * anew at the next need.
   * @returns what is wrong, in sentences.
   */
  async reload(): Promise<readonly string[]> {
    this.#failed.clear()
    const sentences: string[] = []
    for (const domain of new Set([...this.#known.keys(), ...this.domains])) {
      const sentence = await this.#alone(domain, async () => this.#readAnew(domain))
      if (sentence !== undefined) sentences.push(sentence)
    }
    return sentences
  }

  #readAnew(domain: string): string | undefined {
    const read = this.#readFile(domain)
    if (read === 'missing') this.#known.delete(domain)
    else if (read.ok) this.#known.set(domain, read.generations)
    return read === 'missing' || read.ok ? undefined : read.sentence
  }

  async #readOrMake(domain: string): Promise<DkimRead> {
    const known = this.#known.get(domain)
    if (known !== undefined) return { ok: true, generations: known }
    const read = this.#readFile(domain)
    if (read === 'missing') return this.#make(domain)
    if (!read.ok) return this.#fail(domain, read.sentence)
    this.#known.set(domain, read.generations)
    return read
  }

  #readFile(domain: string): DkimRead | 'missing' {
    const { folder } = this.#parts
    const name = fileName(domain)
    const read = folder.read(name)
    if (!read.ok) return read.missing ? 'missing' : failure(read.sentence)
    const parsed = parseKeys(read.text, domain)
    return parsed.ok
      ? parsed
      : failure(
          `${folder.file(name)} ${parsed.problem}. It holds the DKIM keys of ${domain}: put it back from a backup, or ` +
            'remove it and run `hikyaku reload` to have others made, whose records must then be published.',
        )
  }

  async #make(domain: string): Promise<DkimRead> {
    const made = await this.#newGeneration(domain, [])
    const kept = made.ok ? this.#keep(domain, started(made.generation, this.#parts.clock.now())) : made
    return kept.ok ? kept : this.#fail(domain, kept.sentence)
  }

  async #newGeneration(
    domain: string,
    before: readonly Generation[],
  ): Promise<
    { readonly ok: true; readonly generation: Generation } | { readonly ok: false; readonly sentence: string }
  > {
    const nowMs = this.#parts.clock.now()
    const name = nextName(before, nowMs)
    if (name === undefined) return failure(`${domain} has had 99 generations of DKIM keys this month.`)
    try {
      return { ok: true, generation: await makeGeneration(name, nowMs) }
    } catch (error) {
      return failure(`No DKIM keys could be made for ${domain}: ${errorText(error)}.`)
    }
  }

  /** Writes first: what is not on the disk does not sign. */
  #keep(domain: string, generations: readonly Generation[]): DkimRead {
    const before = this.#known.get(domain)
    const written = this.#parts.folder.write(fileName(domain), formatKeys(domain, generations))
    if (!written.ok) return written
    this.#known.set(domain, generations)
    this.#failed.delete(domain)
    this.#tell(domain, before ?? [], generations)
    return { ok: true, generations }
  }

  #tell(domain: string, before: readonly Generation[], after: readonly Generation[]): void {
    const { log } = this.#parts
    const selectors = (one: Generation): string => one.keys.map(({ selector }) => selector).join(' ')
    for (const one of after)
      if (!before.some(({ name }) => name === one.name))
        log.event('dkim.made', { domain, selectors: selectors(one) })
    const now = signingOf(after)
    if (now !== undefined && signingOf(before)?.name !== now.name)
      log.event('dkim.signing', { domain, selectors: selectors(now) })
  }

  #fail(domain: string, sentence: string): DkimRead {
    this.#failed.set(domain, { sentence, untilMs: this.#parts.clock.monotonic() + DKIM_RETRY_MS })
    this.#parts.log.event('dkim.problem', { domain, cause: sentence })
    return failure(sentence)
  }

  /** One after the other for each domain. */
  #alone<T>(domain: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#lanes.get(domain) ?? Promise.resolve()).then(work, work)
    this.#lanes.set(domain, done)
    const leave = (): void => {
      if (this.#lanes.get(domain) === done) this.#lanes.delete(domain)
    }
    void done.then(leave, leave)
    return done
  }
}

const failure = (sentence: string): { readonly ok: false; readonly sentence: string } => ({
  ok: false,
  sentence,
})

/** A file's name has at most 255 octets, and a domain may have nearly as many. */
export function fileName(domain: string): string {
  const name = domain.length > MAX_NAME_IN_FILE ? hash('sha256', domain) : domain
  return `dkim-${name}.pem`
}
