import type { Evidence } from '../mail/authentication.ts'
import { formatLocalTime } from '../mail/local-time.ts'
import { formatReply } from '../mail/reply.ts'
import type { TraceEvent, TraceFact } from '../mail/trace.ts'
import { endingOf, ruleText } from './reasons.ts'

/** Minutes east of Greenwich at a moment. */
type Zone = (atMs: number) => number

/** A trace in sentences, one an event, each with its time. Texts come from peers: the caller cleans them for a terminal. */
export function explain(events: readonly TraceEvent[], zone: Zone = () => 0): readonly string[] {
  return events.map((event) => `${formatLocalTime(event.atMs, zone(event.atMs))}  ${sentence(event, zone)}`)
}

function sentence(fact: TraceFact, zone: Zone): string {
  switch (fact.kind) {
    case 'connected':
      if (fact.client === 'unix') return `A program on this machine handed it to ${fact.listener}.`
      return `${fact.client} connected to ${fact.listener}${fact.proxied === true ? ' (its address was told by the proxy)' : ''}.`
    case 'helo':
      return `It called itself ${fact.name}${fact.extended ? '' : ' and spoke plain SMTP'}.`
    case 'tls':
      return `The connection was encrypted: ${fact.version}, ${fact.cipher}.`
    case 'authenticated':
      return `It logged in as ${fact.login} by ${fact.mechanism}.`
    case 'trusted-network':
      return `It may submit without a password, being in ${fact.network}.`
    case 'sender':
      return `The envelope sender was ${fact.reversePath === '' ? '<> (a report)' : fact.reversePath}${fact.sizeBytes === undefined ? '' : `, ${fact.sizeBytes} octets announced`}.`
    case 'recipient':
      return recipientSentence(fact)
    case 'received':
      return `A message of ${fact.sizeBytes} octets came${quoted(', subject ', fact.subject)}${quoted(', from ', fact.from)}${quoted(', Message-ID ', fact.messageId)}.`
    case 'leniency':
      return `Something out of the rules was forgiven: ${fact.what}.`
    case 'added-field':
      return `It had no ${fact.name}; one was added.`
    case 'check':
      return `Check ${fact.name}: ${fact.result}${fact.why === undefined ? '' : ` (${fact.why})`}.`
    case 'decision':
      return decisionSentence(fact)
    case 'stored':
      return `It is in ${fact.mailbox} of ${fact.account} as UID ${fact.uid}.`
    case 'queued':
      return `It waits in the queue for ${fact.recipients.join(', ')}.`
    case 'attempt':
      return attemptSentence(fact, zone)
    case 'dsn':
      return `The sender ${fact.to} was told that ${TOLD[fact.action]} (message ${fact.traceId}).`
    case 'cancelled':
      return `${capital(fact.by)} took it out of the queue for ${fact.recipients.join(', ')}.`
    case 'retry-asked':
      return `${capital(fact.by)} asked to try again now.`
    case 'held':
      return `It is held in the queue: ${fact.why}.`
    case 'authentication':
      return evidenceSentence(fact.evidence)
    case 'passed-on':
      return `${fact.by}, a server of ours, passed it on; what is checked is the address of its client, ${fact.client}.`
    case 'trusted':
      return `Exception ${fact.entry} lets it pass the DMARC policy: ${fact.key}${fact.why === undefined ? '' : ` ("${fact.why}")`}.`
    case 'removed-field':
      return `${fact.count} field${fact.count === 1 ? '' : 's'} ${fact.name} of the message ${fact.count === 1 ? 'was' : 'were'} taken out: ${fact.why}.`
    case 'signed':
      return `It was signed for ${fact.domain} (${fact.selectors.join(', ')}).`
    case 'sealed':
      return `An ARC set of ${fact.domain} (${fact.selector}) was added, since it is passed on.`
    case 'quarantined':
      return `It is in the quarantine for ${fact.recipients.join(', ')}, until ${formatLocalTime(fact.untilMs, zone(fact.untilMs))}.`
    case 'released':
      return `${capital(fact.by)} released it from the quarantine.`
    case 'deleted':
      return `${capital(fact.by)} deleted it from the quarantine.`
    case 'expired':
      return `It was deleted from the quarantine: ${fact.why === 'age' ? 'its time was over' : 'the quarantine had no more room'}.`
    case 'appended':
      return `By IMAP ${fact.login} put it into ${fact.mailbox}.`
  }
}

/** In one line; `hikyaku why` tells the whole of it. */
function evidenceSentence({ spf, dkim, arc, dmarc }: Evidence): string {
  const signatures =
    dkim.length === 0 ? 'none' : dkim.map(({ result, domain }) => `${result} (${domain || '?'})`).join(', ')
  return `Authentication: SPF ${spf.result} (${spf.domain || '?'}), DKIM ${signatures}, ARC ${arc.result}, DMARC ${dmarc.result}${dmarc.domain === '' ? '' : ` (${dmarc.domain})`}.`
}

function recipientSentence(fact: Extract<TraceFact, { kind: 'recipient' }>): string {
  const to = fact.to === undefined || fact.to.length === 0 ? '' : ` and goes to ${fact.to.join(', ')}`
  switch (fact.as) {
    case 'account':
      return `Recipient ${fact.address} is an account here.`
    case 'alias':
      return `Recipient ${fact.address} is an alias${to}.`
    case 'catch-all':
      return `Recipient ${fact.address} is caught by the domain's catch-all${to}.`
    case 'remote':
      return `Recipient ${fact.address} is elsewhere.`
    case 'unknown':
      return `Recipient ${fact.address} is nobody here; a backup server of ours has taken it, and it is held.`
    case 'test':
      return `Recipient ${fact.address} belongs to the test domain, which throws the message away.`
    case 'refused':
      return `Recipient ${fact.address} was not taken${fact.reply === undefined ? ', without an answer' : `: ${formatReply(fact.reply)}${cause(fact.reply.cause)}`}.`
  }
}

const TOLD: Readonly<Record<Extract<TraceFact, { kind: 'dsn' }>['action'], string>> = {
  failed: 'delivery failed',
  delayed: 'delivery is delayed',
  delivered: 'it was delivered',
  relayed: 'it was handed on to a server that sends no such reports',
}

function decisionSentence(fact: Extract<TraceFact, { kind: 'decision' }>): string {
  const told =
    fact.reply === undefined
      ? ''
      : `; the peer was told: ${formatReply(fact.reply)}${cause(fact.reply.cause)}`
  const ending = endingOf(fact.rule)
  if (ending !== undefined) return `${ending}${told}.`
  const verb = {
    accept: 'accepted',
    refuse: 'refused',
    defer: 'put off',
    hold: 'held',
    discard: 'thrown away',
  }[fact.action]
  const reasons = (fact.reasons ?? []).map(({ text }) => ` ${text}`).join('')
  return `It was ${verb}${ruleText(fact.rule)}${told}.${reasons}`
}

function attemptSentence(fact: Extract<TraceFact, { kind: 'attempt' }>, zone: Zone): string {
  const where =
    fact.host === undefined
      ? ''
      : ` at ${fact.host}${fact.address === undefined || fact.address === fact.host ? '' : ` [${fact.address}]`}${fact.tls === undefined ? '' : ` over ${fact.tls}`}`
  const said = fact.reply === undefined ? '' : `: ${formatReply(fact.reply)}${cause(fact.reply.cause)}`
  const to = fact.recipients.join(', ')
  if (fact.outcome === 'delivered') return `It was delivered to ${to}${where}${said}.`
  if (fact.outcome === 'failed') return `Delivery to ${to} failed for good${where}${said}.`
  const next =
    fact.nextAttemptAtMs === undefined
      ? ''
      : ` It is tried again at ${formatLocalTime(fact.nextAttemptAtMs, zone(fact.nextAttemptAtMs))}.`
  return `Delivery to ${to} did not work yet${where}${said}.${next}`
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
const cause = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)
const quoted = (label: string, text: string | undefined): string =>
  text === undefined || text === '' ? '' : `${label}"${text}"`
