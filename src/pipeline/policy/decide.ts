import type { Evidence } from '../../mail/authentication.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { Reason } from '../../mail/trace.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { couldAlign, hasAlignedPass } from './alignment.ts'
import type { HeaderFacts } from './header-facts.ts'
import { dkimFailure, spfFailure } from './sentences.ts'
import type { PolicySettings } from './settings.ts'
import type { Fault } from './structure.ts'
import { temporaryFailure } from './temporary.ts'
import { formatTrust, type TrustMatch } from './trust.ts'

/** What becomes of a message, and why. */
export interface Verdict {
  readonly action: 'deliver' | 'hold' | 'refuse' | 'defer'
  /** For the trace: `dmarc`, `dmarc-list`, … */
  readonly rule: string
  /** The one that decided first; then what it stands on. */
  readonly reasons: readonly Reason[]
  /** Of a refusal or deferral. */
  readonly reply?: Reply | undefined
  /** The exception that let it pass. */
  readonly trusted?: TrustEntry | undefined
}

export interface PolicyCase {
  readonly evidence: Evidence
  /** The address that was checked. */
  readonly client: string
  readonly header: HeaderFacts
  readonly settings: Pick<PolicySettings, 'reject' | 'holdQuarantine'>
  readonly trust: TrustMatch
  /** A server of ours handed it over: it would bounce a refusal to whoever the envelope names. */
  readonly isSecondary: boolean
  /** Of a message that would be refused for its header; judged here only from a secondary. */
  readonly fault?: Fault | undefined
}

/** The inbound policy: rfc9989 §5.3, §5.4 with the owner's settings. Pure. */
export function decide(given: PolicyCase): Verdict {
  const verdict = given.fault === undefined ? judge(given) : faulty(given.fault)
  return given.isSecondary && verdict.action === 'refuse' ? heldForSecondary(verdict) : verdict
}

function faulty({ rule, reply: answer }: Fault): Verdict {
  return { action: 'refuse', rule, reply: answer, reasons: [{ rule, text: `${answer.lines.join(' ')}.` }] }
}

function heldForSecondary({ rule, reasons }: Verdict): Verdict {
  const text =
    'A backup server of ours passed it on. A refusal would make that server send an error message to an envelope sender who may be forged, so it is held instead.'
  return { action: 'hold', rule, reasons: [...reasons, { rule: 'secondary', text }] }
}

function judge(given: PolicyCase): Verdict {
  const { evidence, trust } = given
  const { dmarc } = evidence
  if (hasAlignedPass(evidence))
    return deliver('dmarc-pass', `The domain ${dmarc.domain} vouches for it (DMARC pass).`)
  if (hasNoSender(evidence)) return noSender(evidence)
  if (dmarc.result === 'none') {
    const author = dmarc.domain === '' ? 'Its author' : `The domain ${dmarc.domain}`
    return deliver(
      'dmarc-none',
      `${author} has no DMARC policy, so nothing is asked for mail that it does not vouch for.`,
    )
  }
  if (dmarc.policy === undefined) return dmarc.result === 'temperror' ? policyUnknown(given) : unjudged(given)
  if (dmarc.policy === 'none')
    return deliver(
      'dmarc-none',
      `The domain ${policyOf(evidence)} asks for nothing where DMARC fails (p=none).`,
      failures(given),
    )
  if (trust.entry !== undefined) return trusted(given, trust.entry)
  const temporary = temporaryFailure(evidence, trust)
  if (temporary !== undefined)
    return { action: 'defer', rule: temporary.rule, reply: temporary.reply, reasons: [temporary.reason] }
  return dmarc.policy === 'quarantine' ? quarantine(given) : reject(given)
}

/** The DNS said so when SPF was looked up: rfc7208 §4.3, and rfc5321 §3.6.2 has no use for such an envelope. */
function hasNoSender({ spf, dns }: Evidence): boolean {
  return (
    spf.result === 'none' &&
    spf.identity === 'mailfrom' &&
    dns.some(({ name, type, said }) => type === 'TXT' && name === spf.domain && said === NO_SUCH_NAME)
  )
}

const NO_SUCH_NAME = 'no such name'

function noSender({ spf: { domain } }: Evidence): Verdict {
  const text = `The envelope sender's domain ${domain} does not exist`
  return {
    action: 'refuse',
    rule: 'sender-domain',
    reply: reply(550, '5.1.8', text),
    reasons: [{ rule: 'sender-domain', text: `${text}: no reply or report could reach it.` }],
  }
}

function deliver(rule: string, text: string, more: readonly Reason[] = []): Verdict {
  return { action: 'deliver', rule, reasons: [{ rule, text }, ...more] }
}

/**
 * The record could not be looked up, and nothing of the author's passed: the policy would decide, and the sender comes
 * again when it can be seen. Only where the whole domain gives no answer, and another one that can be held to account
 * vouches for the message, it is let in: a dead domain in From must not stop that one's mail for ever.
 */
function policyUnknown({ evidence }: PolicyCase): Verdict {
  const { dmarc } = evidence
  const voucher = dmarc.isUnreachable === true ? passing(evidence) : undefined
  const unknown = `The DMARC policy of ${dmarc.domain} could not be looked up${because(dmarc.why)}`
  if (voucher !== undefined)
    return deliver(
      'dmarc-unknown',
      `${unknown}; ${voucher}, which is another domain, vouches for the message.`,
    )
  return {
    action: 'defer',
    rule: 'dmarc-temporary',
    reply: reply(
      451,
      '4.7.0',
      `The DMARC policy of ${dmarc.domain} can't be looked up at the moment; try again later`,
      dmarc.why,
    ),
    reasons: [
      { rule: 'dmarc-temporary', text: `${unknown}, and nothing of that domain vouches for the message.` },
    ],
  }
}

function passing({ spf, dkim }: Evidence): string | undefined {
  if (spf.result === 'pass' && spf.identity === 'mailfrom') return spf.domain
  return dkim.find(({ result }) => result === 'pass')?.domain
}

/** DMARC had no one domain to ask: several authors, or none, where the owner lets those in. */
function unjudged({ evidence }: PolicyCase): Verdict {
  return deliver('dmarc-none', `No DMARC policy applies to it${because(evidence.dmarc.why)}.`)
}

function trusted(given: PolicyCase, entry: TrustEntry): Verdict {
  const why = entry.why === undefined ? '' : ` ("${entry.why}")`
  const text = `Exception ${entry.id} (${formatTrust(entry)}) lets it pass the DMARC policy of ${policyOf(given.evidence)}${why}.`
  return { ...deliver('trusted', text, failures(given)), trusted: entry }
}

function quarantine(given: PolicyCase): Verdict {
  if (!given.settings.holdQuarantine)
    return deliver(
      'dmarc-delivered',
      `${asks(given)} The settings of this server deliver it all the same.`,
      failures(given),
    )
  return hold(given, explanation(given)?.rule ?? 'dmarc')
}

/** rfc9989 §7.4: never on the policy alone. The evidence that a refusal stands on goes into the trace as its reasons. */
function reject(given: PolicyCase): Verdict {
  const { settings } = given
  if (settings.reject === 'hold') return hold(given, explanation(given)?.rule ?? 'dmarc')
  if (settings.reject === 'always') return refuse(given)
  const explained = explanation(given)
  if (explained !== undefined) return hold(given, explained.rule)
  if (!speaksAgainst(given.evidence)) return hold(given, 'dmarc-unproven')
  return refuse(given)
}

/** What may have broken the author's authentication without bad intent (rfc7960 §3.2). */
function explanation({ header, evidence, trust }: PolicyCase): Reason | undefined {
  if (header.listFields.length > 0) {
    const list = header.listId === undefined ? '' : ` ${header.listId}`
    return {
      rule: 'dmarc-list',
      text: `It says that it comes from a mailing list${list} (${header.listFields.join(', ')}); lists often change a message so that its author's signature breaks. Anybody can write that field.`,
    }
  }
  if (header.hasArc || evidence.arc.result !== 'none') {
    const sealer = evidence.arc.sealers.at(-1)
    return {
      rule: 'dmarc-arc',
      text: `It says that another server passed it on (ARC ${evidence.arc.result}${sealer === undefined ? '' : `, last by ${sealer}`}), which may have broken its author's authentication.`,
    }
  }
  // One for a list says nothing of what comes without any field of a list: forgeries by the same host are forgeries.
  if (trust.near === undefined || trust.near.list !== undefined) return undefined
  return {
    rule: 'dmarc-forwarder',
    text: `It comes by a way that exception ${trust.near.id} (${formatTrust(trust.near)}) was made for, but that exception is over or was made for another list or host.`,
  }
}

/** Further evidence than the policy: SPF failed, or vouches for somebody else, if for anybody. */
function speaksAgainst({ spf, dmarc }: Evidence): boolean {
  if (!couldAlign(spf.domain, dmarc, 'spf')) return true
  return spf.result === 'fail' || spf.result === 'softfail' || spf.result === 'permerror'
}

function hold(given: PolicyCase, rule: string): Verdict {
  const explained = explanation(given)
  const unproven: readonly Reason[] =
    rule === 'dmarc-unproven'
      ? [
          {
            rule,
            text: 'Nothing but the policy speaks against it, and a message is not refused for that alone.',
          },
        ]
      : []
  return {
    action: 'hold',
    rule,
    reasons: [
      { rule: 'dmarc', text: asks(given) },
      ...failures(given),
      ...(explained === undefined ? [] : [explained]),
      ...unproven,
    ],
  }
}

function refuse(given: PolicyCase): Verdict {
  const { evidence, client } = given
  const { dmarc } = evidence
  const text = `${policyOf(evidence)} asks to reject what it does not vouch for (DMARC p=reject), and this message from ${dmarc.domain} fails:\n${spfFailure(evidence, client)};\n${dkimFailure(evidence)}`
  return {
    action: 'refuse',
    rule: 'dmarc',
    reply: reply(550, '5.7.26', text, dmarc.why),
    reasons: [{ rule: 'dmarc', text: asks(given) }, ...failures(given)],
  }
}

function asks({ evidence }: PolicyCase): string {
  const { dmarc } = evidence
  const wish = dmarc.policy === 'reject' ? 'to reject' : 'to put aside'
  return `It says that it comes from ${dmarc.domain}, but ${dmarc.domain} does not vouch for it; ${policyOf(evidence)} asks ${wish} such mail (DMARC p=${dmarc.policy ?? 'none'}).`
}

function failures({ evidence, client }: PolicyCase): readonly Reason[] {
  return [
    { rule: 'spf', text: `${capital(spfFailure(evidence, client))}.` },
    { rule: 'dkim', text: `${capital(dkimFailure(evidence))}.` },
  ]
}

const policyOf = ({ dmarc }: Evidence): string => dmarc.policyDomain ?? dmarc.domain
const because = (why: string | undefined): string => (why === undefined ? '' : ` (${why})`)
const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
