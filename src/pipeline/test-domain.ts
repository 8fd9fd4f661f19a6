import type { Address } from '../mail/address.ts'
import { type Reply, reply } from '../mail/reply.ts'

/**
 * The built-in test domain: one server with forced answers by address, for tests and for people who want to
 * see what a deferral looks like. Details count (`defer+1@`), so that several recipients can be told apart.
 */
export type TestAnswer =
  /** Taken and thrown away. */
  | { readonly kind: 'accept' }
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** No answer at all. */
  | { readonly kind: 'silence' }

const ANSWERS: Readonly<Record<string, TestAnswer>> = {
  accept: { kind: 'accept' },
  defer: {
    kind: 'reply',
    reply: reply(451, '4.7.1', 'This address of the test domain always defers; try again later'),
  },
  refuse: { kind: 'reply', reply: reply(550, '5.1.1', 'This address of the test domain always refuses') },
  full: {
    kind: 'reply',
    reply: reply(452, '4.2.2', 'This address of the test domain always has a full mailbox'),
  },
  timeout: { kind: 'silence' },
}

export function testDomainAnswer(address: Address): TestAnswer {
  const name = address.local.toLowerCase().replace(/\+.*$/s, '')
  if (Object.hasOwn(ANSWERS, name)) return ANSWERS[name] as TestAnswer
  const known = Object.keys(ANSWERS).join(', ')
  return { kind: 'reply', reply: reply(550, '5.1.1', `The test domain has these addresses: ${known}`) }
}
