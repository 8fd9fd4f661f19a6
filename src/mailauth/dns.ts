import type { DnsSeen } from '../mail/authentication.ts'
import type { Clock } from '../ports/clock.ts'
import type { Answer, MxRecord, Resolver } from '../ports/resolver.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { printable } from './printable.ts'

/**
 * The DNS as authentication asks it. Names are lower case without a final dot; what SPF macros make of a local part
 * may hold octets that no host name has (rfc7208 §7.3). A text is a record's strings joined, octets as U+0000..U+00FF.
 */
export interface AuthDns extends Resolver {
  /** The name's own CNAME, not followed: tells a name that exists from one that does not (rfc6604 §3). */
  cname(name: string): Promise<Answer<string>>
}

/** The form in which mailauth asks: records, or an error with a `code`. */
export type AskRecords = (name: string, type: string) => Promise<string[][]>

/** Code of an error that says that the DNS has no answer now. */
export const DNS_DOWN = 'ETEMPORARY'

type AnyAnswer = Answer<string | MxRecord> | (NotAsked & { readonly kind: 'temporary' })

/** Our own limit, not the DNS: whoever has us reach it must not profit by a domain that seems to be down. */
interface NotAsked {
  readonly cause: string
  readonly isLimit: true
}

/** What one part of an evaluation (SPF, or all others) may ask. */
export interface InquiryOptions {
  readonly dns: AuthDns
  readonly clock: Clock
  /** For sentences: `SPF`. */
  readonly part: string
  readonly maxQuestions: number
  /** By the monotonic clock. */
  readonly deadlineMs: number
  /** The client's address: the only one whose name is ever asked for (rfc7208 §5.5). */
  readonly client: string
  /** Answers of this message, shared between the parts: nothing is asked twice. */
  readonly answers: Map<string, Promise<AnyAnswer>>
}

/** Puts mailauth's questions to the DNS within limits, and remembers what was said. */
export class Inquiry {
  readonly #options: InquiryOptions
  readonly #seen = new Map<string, DnsSeen>()
  readonly #limits = new Set<string>()
  #questions = 0
  #fault: { readonly error: unknown } | undefined

  constructor(options: InquiryOptions) {
    this.#options = options
  }

  get seen(): readonly DnsSeen[] {
    return [...this.#seen.values()]
  }

  get limits(): readonly string[] {
    return [...this.#limits]
  }

  /** @throws what `AuthDns` itself threw, which mailauth would have taken for an answer. */
  assertAnswered(): void {
    if (this.#fault !== undefined) throw this.#fault.error
  }

  readonly ask: AskRecords = async (written, type) => {
    const name = written.toLowerCase().replace(/\.$/, '')
    if (!canBeAsked(name)) throw dnsError('ENOTFOUND', `${printable(name, 80)} can be no name`)
    const answer = await this.#answer(name, type)
    this.#remember(name, type, answer)
    if (answer.kind === 'no-name') throw dnsError('ENOTFOUND', `${name} does not exist`)
    if (answer.kind === 'no-data') throw dnsError('ENODATA', `${name} has no ${type} record`)
    if (answer.kind === 'temporary') {
      const isOurs = 'isLimit' in answer || answer.isCrowded === true
      // The resolver names the question itself.
      const { cause } = answer
      throw dnsError(
        isOurs ? 'ELIMIT' : DNS_DOWN,
        cause.includes(name) ? cause : `${type} of ${name}: ${cause}`,
      )
    }
    // The type that mailauth declares is that of texts; of other records it takes what `node:dns` gives.
    return answer.records.flatMap((record) => asNode(record, type)) as string[][]
  }

  async #answer(name: string, type: string): Promise<AnyAnswer> {
    const { answers, maxQuestions, part, clock, deadlineMs } = this.#options
    const key = `${type} ${name}`
    const leftMs = deadlineMs - clock.monotonic()
    if (leftMs <= 0) return this.#timeIsUp()
    let answer = answers.get(key)
    if (answer === undefined) {
      if (this.#questions >= maxQuestions) {
        this.#limits.add(`${part}: more than ${maxQuestions} questions to the DNS; the others were not asked`)
        return { kind: 'temporary', cause: `more than ${maxQuestions} questions`, isLimit: true }
      }
      this.#questions++
      answer = this.#put(name, type)
      answers.set(key, answer)
    }
    return this.#withinTime(answer, leftMs)
  }

  async #put(name: string, type: string): Promise<AnyAnswer> {
    const { dns, client } = this.#options
    try {
      if (type === 'TXT') return await dns.txt(name)
      if (type === 'A') return await dns.a(name)
      if (type === 'AAAA') return await dns.aaaa(name)
      if (type === 'MX') return await dns.mx(name)
      if (type === 'CNAME') return await dns.cname(name)
      if (type === 'PTR') return await dns.ptr(client)
      throw new Error(`mailauth asks for ${type} records`)
    } catch (error) {
      this.#fault ??= { error }
      return { kind: 'temporary', cause: 'the resolver failed' }
    }
  }

  #withinTime(answer: Promise<AnyAnswer>, leftMs: number): Promise<AnyAnswer> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(leftMs, () => resolve(this.#timeIsUp()))
      answer.then((said) => {
        cancel()
        resolve(said)
      })
    })
  }

  #timeIsUp(): AnyAnswer {
    this.#limits.add(`${this.#options.part}: the DNS did not answer in time; the rest was not asked`)
    return { kind: 'temporary', cause: 'no answer in time', isLimit: true }
  }

  #remember(name: string, type: string, answer: AnyAnswer): void {
    const key = `${type} ${name}`
    if (this.#seen.has(key) || this.#seen.size >= LIMITS.answersKept) return
    this.#seen.set(key, { name: printable(name, 255), type, said: said(answer) })
  }
}

/** rfc1035 §2.3.4: what has an empty or a long label can be in no zone. */
function canBeAsked(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63)
}

function said(answer: AnyAnswer): string {
  if (answer.kind === 'no-name') return 'no such name'
  if (answer.kind === 'no-data') return 'no such record'
  if (answer.kind === 'temporary') return printable(`failed: ${answer.cause}`, LIMITS.answerChars)
  let text = ''
  for (const record of answer.records) {
    const one = typeof record === 'string' ? record : `${record.preference} ${record.exchange || '.'}`
    text += text === '' ? one : ` | ${one}`
    if (text.length > LIMITS.answerChars) break
  }
  return printable(text, LIMITS.answerChars)
}

function asNode(record: string | MxRecord, type: string): unknown[] {
  if (typeof record === 'string') return type === 'TXT' ? [[record]] : [record]
  // rfc7505 §3: the null MX names no host whose address could be asked for.
  return record.exchange === '' ? [] : [{ exchange: record.exchange, priority: record.preference }]
}

function dnsError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
