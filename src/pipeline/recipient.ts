import { type Address, formatAddress } from '../mail/address.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { Directory, LocalTarget } from '../ports/directory.ts'
import type { Role } from './origin.ts'
import { testDomainAnswer } from './test-domain.ts'

/** What becomes of one RCPT. */
export type RecipientDecision =
  | {
      readonly kind: 'accept'
      readonly as: 'account' | 'alias' | 'catch-all' | 'remote' | 'test' | 'unknown'
      readonly local: readonly LocalTarget[]
      readonly remote: readonly Address[]
    }
  | { readonly kind: 'refuse'; readonly reply: Reply }
  /** The test domain's `timeout@`: no answer. */
  | { readonly kind: 'silence' }

export interface RecipientQuestion {
  readonly address: Address
  readonly role: Role
  /** May this client send to other domains? Only who has logged in or comes from a named network. */
  readonly mayRelay: boolean
  /** rfc1870 §6.1: what the client declared. */
  readonly declaredSizeBytes?: number | undefined
  readonly testDomain?: string | undefined
  /** A backup server of ours asks: a 5xx for an unknown user would make it write to a sender who may be forged. */
  readonly isSecondary?: boolean | undefined
}

/** Relay is granted here and nowhere else. */
export function decideRecipient(question: RecipientQuestion, directory: Directory): RecipientDecision {
  const { address, role, mayRelay } = question
  if (question.testDomain !== undefined && address.domain === question.testDomain) return decideTest(question)
  const resolution = directory.resolve(address)
  switch (resolution.kind) {
    case 'local': {
      // Somebody hopes that we take `user%other@ours` apart again; a catch-all must not make that look like success.
      if (resolution.via === 'catch-all' && looksRouted(address))
        return question.isSecondary === true ? UNKNOWN : refuse(550, '5.7.1', relayText(address, role))
      const full = resolution.accounts.find((target) => isFull(target, question.declaredSizeBytes))
      if (full !== undefined)
        return refuse(
          452,
          '4.2.2',
          `The mailbox of ${formatAddress(address)} is full; try again later`,
          `over quota: ${full.login}`,
        )
      return { kind: 'accept', as: resolution.via, local: resolution.accounts, remote: resolution.remote }
    }
    case 'no-such-user':
      if (question.isSecondary === true) return UNKNOWN
      if (looksRouted(address)) return refuse(550, '5.7.1', relayText(address, role))
      return refuse(550, '5.1.1', `There is no mailbox ${formatAddress(address)} here`)
    case 'not-ours':
      if (mayRelay) return { kind: 'accept', as: 'remote', local: [], remote: [address] }
      return refuse(550, '5.7.1', relayText(address, role))
    case 'alias-loop':
      // Our own mistake, not the sender's: deferred, so that nothing bounces while it is mended.
      return refuse(
        451,
        '4.3.5',
        `The alias ${formatAddress(address)} is set up wrong here; try again later`,
        `alias loop: ${resolution.through.join(' → ')}`,
      )
  }
}

const UNKNOWN: RecipientDecision = { kind: 'accept', as: 'unknown', local: [], remote: [] }

function decideTest(question: RecipientQuestion): RecipientDecision {
  // Handed in by our own people it takes the way that all outgoing mail takes: queue, runner, SMTP back to us.
  if (question.mayRelay) return { kind: 'accept', as: 'remote', local: [], remote: [question.address] }
  const answer = testDomainAnswer(question.address)
  if (answer.kind === 'accept') return { kind: 'accept', as: 'test', local: [], remote: [] }
  return answer.kind === 'silence' ? { kind: 'silence' } : { kind: 'refuse', reply: answer.reply }
}

/** `%` hack, bang path, or an address quoted inside a local part. */
function looksRouted(address: Address): boolean {
  return /[%!@]/.test(address.local)
}

function isFull(target: LocalTarget, declaredSizeBytes: number | undefined): boolean {
  return (
    target.overQuota ||
    (declaredSizeBytes !== undefined &&
      target.roomBytes !== undefined &&
      declaredSizeBytes > target.roomBytes)
  )
}

function relayText(address: Address, role: Role): string {
  const what = `Mail for ${formatAddress(address)} is not taken here`
  return role === 'submission' ? `${what} without logging in` : `${what}: relaying denied`
}

function refuse(code: number, enhanced: string, text: string, cause?: string): RecipientDecision {
  return { kind: 'refuse', reply: reply(code, enhanced, text, cause) }
}
