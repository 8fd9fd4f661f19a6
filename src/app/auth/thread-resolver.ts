import type { AuthDns } from '../../mailauth/dns.ts'
import type { Answer, MxRecord } from '../../ports/resolver.ts'
import type { Batch } from './batch.ts'
import type { FromThread, LookupAnswer, LookupType } from './messages.ts'

const DROPPED: LookupAnswer = { kind: 'temporary', cause: 'the message was given up', isCrowded: true }

/** The questions of a thread that wait for the main thread's resolver. */
export class Questions {
  readonly #batch: Batch<FromThread>
  readonly #waiting = new Map<number, { readonly job: number; answered(answer: LookupAnswer): void }>()
  #last = 0

  constructor(batch: Batch<FromThread>) {
    this.#batch = batch
  }

  answered(ask: number, answer: LookupAnswer): void {
    this.#waiting.get(ask)?.answered(answer)
    this.#waiting.delete(ask)
  }

  /** No answer comes for this job any more. */
  drop(job: number): void {
    for (const [ask, one] of this.#waiting) if (one.job === job) this.answered(ask, DROPPED)
  }

  ask(job: number, type: LookupType, name: string): Promise<LookupAnswer> {
    const ask = ++this.#last
    this.#batch.say({ kind: 'ask', job, ask, type, name })
    return new Promise((answered) => this.#waiting.set(ask, { job, answered }))
  }
}

/** The resolver as one message sees it: what it has asked once it need not ask again. */
export class ThreadResolver implements AuthDns {
  readonly #job: number
  readonly #questions: Questions
  readonly #known = new Map<string, Promise<LookupAnswer>>()
  #isDropped = false

  constructor(job: number, questions: Questions, known: ReadonlyMap<string, LookupAnswer> = new Map()) {
    this.#job = job
    this.#questions = questions
    for (const [name, answer] of known) this.#known.set(`txt ${name}`, Promise.resolve(answer))
  }

  /** What waits gets no answer, and nothing more is asked. */
  drop(): void {
    this.#isDropped = true
    this.#questions.drop(this.#job)
  }

  mx(domain: string): Promise<Answer<MxRecord>> {
    return this.#ask('mx', domain) as Promise<Answer<MxRecord>>
  }

  a(name: string): Promise<Answer<string>> {
    return this.#ask('a', name) as Promise<Answer<string>>
  }

  aaaa(name: string): Promise<Answer<string>> {
    return this.#ask('aaaa', name) as Promise<Answer<string>>
  }

  txt(name: string): Promise<Answer<string>> {
    return this.#ask('txt', name) as Promise<Answer<string>>
  }

  cname(name: string): Promise<Answer<string>> {
    return this.#ask('cname', name) as Promise<Answer<string>>
  }

  ptr(address: string): Promise<Answer<string>> {
    return this.#ask('ptr', address) as Promise<Answer<string>>
  }

  #ask(type: LookupType, name: string): Promise<LookupAnswer> {
    const key = `${type} ${name.toLowerCase()}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#isDropped) return Promise.resolve(DROPPED)
    const asked = this.#questions.ask(this.#job, type, name)
    this.#known.set(key, asked)
    return asked
  }
}
