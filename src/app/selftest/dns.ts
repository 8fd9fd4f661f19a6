import type { Answer, MxRecord } from '../../ports/resolver.ts'
import type { ThreadDns } from '../auth/thread.ts'
import type { SelfTests } from './self-tests.ts'

/** The DNS with the zones of the self-tests that are under way before it. */
export class SelfTestDns implements ThreadDns {
  readonly #dns: ThreadDns
  readonly #tests: SelfTests

  constructor(dns: ThreadDns, tests: SelfTests) {
    this.#dns = dns
    this.#tests = tests
  }

  txt(name: string): Promise<Answer<string>> {
    const own = this.#tests.runOf(name)?.texts(name)
    return own === undefined ? this.#dns.txt(name) : Promise.resolve(own)
  }

  knownTxt(name: string): Answer<string> | undefined {
    return this.#tests.runOf(name)?.texts(name) ?? this.#dns.knownTxt?.(name)
  }

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#other(name) ?? this.#dns.mx(name)
  }

  a(name: string): Promise<Answer<string>> {
    return this.#other(name) ?? this.#dns.a(name)
  }

  aaaa(name: string): Promise<Answer<string>> {
    return this.#other(name) ?? this.#dns.aaaa(name)
  }

  cname(name: string): Promise<Answer<string>> {
    return this.#other(name) ?? this.#dns.cname(name)
  }

  ptr(address: string): Promise<Answer<string>> {
    return this.#dns.ptr(address)
  }

  /** The zones have texts alone. */
  #other(name: string): Promise<Answer<never>> | undefined {
    const own = this.#tests.runOf(name)?.texts(name)
    if (own === undefined) return undefined
    return Promise.resolve(own.kind === 'no-name' ? own : { kind: 'no-data' })
  }
}
