import type { AuthDns } from '../../mailauth/dns.ts'
import type { Answer, MxRecord } from '../../ports/resolver.ts'
import type { Batch } from './batch.ts'
import type { FromThread, LookupAnswer, LookupType } from './messages.ts'

/** The questions of a thread that wait for the main thread's resolver. */
export class Questions {
  readonly #batch: Batch<FromThread>
  readonly #waiting = new Map<number, (answer: LookupAnswer) => void>()
  #last = 0

  constructor(batch: Batch<FromThread>) {
    this.#batch = batch
  }

  answered(ask: number, answer: LookupAnswer): void {
    this.#waiting.get(ask)?.(answer)
    this.#waiting.delete(ask)
  }

  ask(job: number, type: LookupType, name: string): Promise<LookupAnswer> {
    const ask = ++this.#last
    this.#batch.say({ kind: 'ask', job, ask, type, name })
    return new Promise((resolve) => this.#waiting.set(ask, resolve))
  }
}

/** The resolver as one message sees it: what it has asked once it need not ask again. */
export class ThreadResolver implements AuthDns {
  readonly #job: number
  readonly #questions: Questions
  readonly #known = new Map<string, Promise<LookupAnswer>>()

  constructor(job: number, questions: Questions, known: ReadonlyMap<string, LookupAnswer> = new Map()) {
    this.#job = job
    this.#questions = questions
    for (const [name, answer] of known) this.#known.set(`txt ${name}`, Promise.resolve(answer))
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
    const asked = this.#questions.ask(this.#job, type, name)
    this.#known.set(key, asked)
    return asked
  }
}
