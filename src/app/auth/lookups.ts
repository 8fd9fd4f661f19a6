import type { AuthDns } from '../../mailauth/dns.ts'
import type { LookupAnswer, LookupType } from './messages.ts'

interface Question {
  readonly type: LookupType
  readonly name: string
  answered(answer: LookupAnswer): void
}

/** The questions of one message to the DNS: some at once, the others in order, and not without end. */
export class Lookups {
  readonly #resolver: AuthDns
  readonly #limits: { readonly lookups: number; readonly lookupsAtOnce: number }
  readonly #waiting: Question[] = []
  #asked = 0
  #underWay = 0

  constructor(resolver: AuthDns, limits: { readonly lookups: number; readonly lookupsAtOnce: number }) {
    this.#resolver = resolver
    this.#limits = limits
  }

  ask(question: Question): void {
    if (++this.#asked > this.#limits.lookups) {
      const cause = `more than ${this.#limits.lookups} questions to the DNS for one message`
      question.answered({ kind: 'temporary', cause, isCrowded: true })
    } else if (this.#underWay >= this.#limits.lookupsAtOnce) this.#waiting.push(question)
    else void this.#look(question)
  }

  /** Questions that wait are not asked any more. */
  drop(): void {
    this.#waiting.length = 0
  }

  async #look(question: Question): Promise<void> {
    this.#underWay++
    let answer: LookupAnswer
    try {
      answer = await this.#resolver[question.type](question.name)
    } catch (error) {
      // The port never rejects; a resolver that does must not leave a message waiting.
      answer = { kind: 'temporary', cause: `the resolver failed: ${String(error)}` }
    }
    this.#underWay--
    question.answered(answer)
    const next = this.#waiting.shift()
    if (next !== undefined) void this.#look(next)
  }
}
