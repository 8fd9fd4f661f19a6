import type { Evidence } from '../../mail/authentication.ts'
import type { AccountId, TraceId } from '../../mail/ids.ts'
import type { NewHold } from '../../ports/new-hold.ts'
import type { Held } from '../../ports/quarantine.ts'
import type { DeliveryRow, HeldRecipientRow, QueueRow } from './operations.ts'
import type { HeldRows } from './questions.ts'

/**
 * What the release of a held message makes, and what of the body is not in its row. Stands as JSON in
 * `quarantine.plan`; the shape of what stands there already must be understood for as long as messages are held.
 */
export interface HoldPlan {
  readonly deliveries: readonly DeliveryRow[]
  readonly queue: QueueRow | null
  readonly messageId: string | null
  readonly references: readonly string[]
  /** Those of `held_recipients`, in order. */
  readonly recipients: readonly HeldRecipientRow[]
}

type Json = Readonly<Record<string, unknown>>

/** undefined where it is none. */
export function planOf(text: string): HoldPlan | undefined {
  const plan = objectOf(text)
  if (plan === undefined) return undefined
  const { deliveries, messageId, queue, recipients, references } = plan
  const isRight =
    Array.isArray(deliveries) &&
    deliveries.every(isDelivery) &&
    (queue === null || isQueue(queue)) &&
    (messageId === null || typeof messageId === 'string') &&
    isTexts(references) &&
    Array.isArray(recipients) &&
    recipients.every(isRecipient)
  return isRight ? (plan as unknown as HoldPlan) : undefined
}

/** undefined where it is none; what is looked at closer is what everyone shows. */
export function holdOf(text: string): NewHold | undefined {
  const hold = objectOf(text)
  if (hold === undefined) return undefined
  const { client, evidence, from, helo, reasons, subject } = hold
  const isRight =
    [client, from, helo, subject].every((one) => typeof one === 'string') &&
    Array.isArray(reasons) &&
    reasons.every(isReason) &&
    isEvidence(evidence)
  return isRight ? (hold as unknown as NewHold) : undefined
}

/** A row as a held message. What cannot be read of it is said in place of the reasons: it can still be released. */
export function heldOf(rows: HeldRows): Held {
  const hold = holdOf(rows.hold) ?? DAMAGED
  return {
    ...hold,
    id: rows.trace as TraceId,
    heldAtMs: rows.heldMs,
    untilMs: rows.untilMs,
    reversePath: rows.sender,
    sizeBytes: rows.size,
    recipients: rows.recipients.map(([address, account]) => ({
      address,
      account: (account as AccountId | null) ?? undefined,
    })),
  }
}

const NO_EVIDENCE: Evidence = {
  spf: { result: 'none', domain: '', identity: 'mailfrom' },
  dkim: [],
  arc: { result: 'none', sealers: [] },
  dmarc: { result: 'none', domain: '', aligned: {} },
  dns: [],
  limits: [],
}

const DAMAGED: NewHold = {
  reasons: [{ rule: 'damaged', text: 'why it was held cannot be read any more; run `hikyaku check`' }],
  evidence: NO_EVIDENCE,
  untilMs: 0,
  ...{ from: '', subject: '', client: '', helo: '' },
}

function objectOf(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return isObject(value) ? value : undefined
  } catch {
    // That it cannot be read is the answer.
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

function isReason(value: unknown): boolean {
  return isObject(value) && typeof value.rule === 'string' && typeof value.text === 'string'
}

function isEvidence(value: unknown): boolean {
  if (!isObject(value)) return false
  const { arc, dkim, dmarc, dns, limits, spf } = value
  return (
    [spf, arc, dmarc].every((one) => isObject(one) && typeof one.result === 'string') &&
    isObject((dmarc as Json).aligned) &&
    isTexts((arc as Json).sealers) &&
    [dkim, dns].every((list) => Array.isArray(list) && list.every(isObject)) &&
    isTexts(limits)
  )
}

function isDelivery(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.flags)) return false
  const { flags, mailbox, owner, use } = value
  const isUse = use === undefined || use === null || typeof use === 'string'
  return (
    isUse && isCount(owner) && typeof mailbox === 'string' && isCount(flags.system) && isTexts(flags.keywords)
  )
}

function isRecipient(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [address, account] = value as unknown[]
  return typeof address === 'string' && (account === null || isCount(account))
}

function isQueue(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value.recipients)) return false
  const { nextMs, recipients, sender, skip } = value
  const areRecipients = recipients.every(
    (one: unknown) => isObject(one) && isPair(one.address) && typeof one.detail === 'string',
  )
  return areRecipients && typeof sender === 'string' && isCount(skip) && Number.isSafeInteger(nextMs)
}

/** `["local","domain"]`, as text. */
function isPair(text: unknown): boolean {
  if (typeof text !== 'string') return false
  try {
    const pair = JSON.parse(text) as unknown
    return isTexts(pair) && (pair as readonly string[]).length === 2
  } catch {
    return false
  }
}
