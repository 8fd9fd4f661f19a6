import { formatAddress } from '../mail/address.ts'
import type { Evidence } from '../mail/authentication.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import type { TraceFact } from '../mail/trace.ts'
import { formatAuthenticationResults } from '../mailauth/authentication-results.ts'
import { formatReceivedSpf } from '../mailauth/received-spf.ts'
import { mayCarryReport } from '../mailauth/reports/read-message.ts'
import type { Evaluation, SigningKey } from '../ports/mail-auth.ts'
import type { JudgedMessage } from '../ports/reports.ts'
import type { StagedBody } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import { type ContentHeader, fieldsNamed } from './header-checks.ts'
import type { Origin } from './origin.ts'
import { decide, type Verdict } from './policy/decide.ts'
import { headerFacts } from './policy/header-facts.ts'
import { parsePassedOn } from './policy/passed-on.ts'
import { reportedVerdict } from './policy/reported.ts'
import type { Fault } from './policy/structure.ts'
import { formatTrust, matchTrust } from './policy/trust.ts'
import type { PipelinePorts, PipelineSettings } from './ports.ts'

/** A message from another server, to be judged. */
export interface ToJudge {
  readonly origin: Origin
  readonly sender: EnvelopeSender
  readonly accepted: readonly Accepted[]
  readonly body: StagedBody
  readonly header: ContentHeader
  readonly isSecondary: boolean
  /** Of its header; only a secondary's message is judged in spite of one. */
  readonly fault?: Fault | undefined
  readonly settings: PipelineSettings
  /** Nobody wants the judgement any more. */
  readonly signal?: AbortSignal | undefined
}

export interface Judgement {
  readonly verdict: Verdict
  readonly evidence: Evidence
  /** What was checked: of the connection, or of a secondary's client. */
  readonly client: string
  readonly helo: string
  /** Of its one List-Id field. */
  readonly listId?: string | undefined
  /** Our own fields for the front of the message, CRLF-ended. */
  readonly fields: string
  /** To be counted once the verdict has come to be: a message that is put off comes again. */
  readonly reported?: JudgedMessage | undefined
}

/**
 * Evaluates a message and decides. Rejects only where `MailAuth` does, and where `signal` says so.
 * @param note adds to the message's trace.
 */
export async function judgeMessage(
  ports: PipelinePorts,
  message: ToJudge,
  note: (fact: TraceFact) => void,
): Promise<Judgement> {
  const { settings, header, sender } = message
  const seen = whoToCheck(message, note)
  const key = await sealingKey(ports, message.accepted)
  const { evidence, seal } = await evaluate(ports, message, { seen, key })
  note({ kind: 'authentication', evidence })
  const facts = headerFacts(header)
  const nowMs = ports.clock.now()
  const trust = matchTrust(ports.trust.entries(), {
    evidence,
    client: seen.client,
    listId: facts.listId,
    nowMs,
  })
  const { isSecondary, fault } = message
  const verdict = decide({
    evidence,
    client: seen.client,
    header: facts,
    settings: settings.policy,
    trust,
    isSecondary,
    fault,
  })
  if (verdict.trusted !== undefined) {
    const { id, why } = verdict.trusted
    note({ kind: 'trusted', entry: id, key: formatTrust(verdict.trusted), why })
  }
  const isSealed = key !== undefined && seal !== ''
  if (isSealed) note({ kind: 'sealed', domain: key.domain, selector: key.selector })
  const fields = `${isSealed ? seal : ''}${ourFields(settings, sender, { evidence, verdict, seen })}`
  const { client, helo } = seen
  return {
    ...{ verdict, evidence, client, helo, listId: facts.listId, fields },
    reported: reported(message, { evidence, verdict, client, nowMs }),
  }
}

interface Checked {
  readonly client: string
  readonly helo: string
  /** False where a secondary did not say whose mail it is: SPF has nobody to ask about. */
  readonly isKnown: boolean
}

function whoToCheck({ origin, header, isSecondary }: ToJudge, note: (fact: TraceFact) => void): Checked {
  if (!isSecondary) return { client: origin.client, helo: origin.helo, isKnown: true }
  // The topmost only: that one the secondary has written. Those below may be anybody's (rfc5321 §4.4).
  const [topmost] = fieldsNamed(header, 'received')
  const passedOn = topmost === undefined ? undefined : parsePassedOn(topmost.raw)
  if (passedOn === undefined) {
    note({
      kind: 'check',
      name: 'secondary',
      result: 'its client is not known',
      why:
        topmost === undefined
          ? 'the backup server wrote no Received field'
          : 'its Received field is in no form that is known here',
    })
    return { client: origin.client, helo: '', isKnown: false }
  }
  note({ kind: 'passed-on', by: origin.client, ...passedOn })
  return { ...passedOn, isKnown: true }
}

async function evaluate(
  ports: PipelinePorts,
  { body, sender, settings, signal }: ToJudge,
  { seen, key }: { readonly seen: Checked; readonly key: SigningKey | undefined },
): Promise<Evaluation> {
  const { client, helo, isKnown } = seen
  // Without a name nor a sender SPF is `none` (rfc7208 §2.6.1): the secondary's own address must vouch for nobody.
  const reversePath = isKnown ? sender.reversePath : null
  const { authservId } = settings.policy
  const facts = { client, helo, reversePath, authservId }
  const found = await ports.mailAuth.evaluate(body, facts, key, signal)
  if (isKnown) return found
  const why = 'the backup server that passed it on does not say whose mail it is'
  return { ...found, evidence: { ...found.evidence, spf: { ...found.evidence.spf, why } } }
}

/** An ARC set is for whoever gets the message from us next (rfc8617 §5.1): only where an alias leads elsewhere. */
async function sealingKey(
  { signingKeys, log }: PipelinePorts,
  accepted: readonly Accepted[],
): Promise<SigningKey | undefined> {
  const passedOn = accepted.find(({ remote }) => remote.length > 0)
  if (passedOn === undefined) return undefined
  try {
    const keys = await signingKeys.forDomain(passedOn.address.domain)
    return keys.find(({ algorithm }) => algorithm === 'rsa-sha256')
  } catch (error) {
    // A seal helps the next server to believe us; the message is worth passing on without it.
    log.event('server.fault', {
      where: 'ARC key',
      cause: error instanceof Error ? error.message : String(error),
    })
    return undefined
  }
}

function ourFields(
  { policy }: PipelineSettings,
  { reversePath }: EnvelopeSender,
  judged: { readonly evidence: Evidence; readonly verdict: Verdict; readonly seen: Checked },
): string {
  const { evidence, verdict, seen } = judged
  const { authservId } = policy
  const disposition = ({ deliver: 'none', hold: 'quarantine', refuse: 'reject', defer: 'none' } as const)[
    verdict.action
  ]
  const results = formatAuthenticationResults({ authservId, evidence, disposition, client: seen.client })
  if (!policy.receivedSpf) return results
  const envelopeFrom = reversePath === null ? '' : formatAddress(reversePath)
  return `${results}${formatReceivedSpf({ spf: evidence.spf, receiver: authservId, client: seen.client, helo: seen.helo, envelopeFrom })}`
}

/** What the author's domain is told of it in a report; undefined where nothing is. */
function reported(
  { body, sender, fault }: ToJudge,
  judged: {
    readonly evidence: Evidence
    readonly verdict: Verdict
    readonly client: string
    readonly nowMs: number
  },
): JudgedMessage | undefined {
  const { evidence, verdict, client, nowMs } = judged
  const told = fault === undefined ? reportedVerdict(evidence, verdict) : undefined
  if (told === undefined) return undefined
  const reversePathDomain = sender.reversePath?.domain ?? ''
  return {
    ...{ evidence, ...told, client, reversePathDomain, atMs: nowMs },
    isReport: mayCarryReport(body.header),
  }
}
