import { isTraceId, type TraceId } from '../../mail/ids.ts'
import { sizeText } from '../../mail/size-text.ts'
import { evidenceStory, recordLines } from '../../pipeline/evidence-story.ts'
import type { Held } from '../../ports/quarantine.ts'
import type { StoreFailure } from '../../ports/store.ts'
import { shownMessage } from './mail.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  refused,
  said,
  textArg,
  timeText,
} from './operation.ts'
import { proposalLines, stoppedHeld } from './trust-proposal.ts'

/** Messages of `quarantine list`; more is said, not shown. */
const MAX_LISTED = 200
/** Of the text of a preview: enough to see what it is. */
const PREVIEW_LINES = 60
/** Of the message that is read for it. */
const PREVIEW_BYTES = 1024 * 1024
const OPERATOR = 'the operator'

/** `quarantine list [--to ADDRESS]`: what is held, newest first. */
export const quarantineList: Operation = async (ports, args) => {
  const to = textArg(args, 'to')?.toLowerCase()
  const found: Held[] = []
  let before: TraceId | undefined
  for (;;) {
    const page = await ports.quarantine.list({ before, limit: MAX_LISTED })
    found.push(...page.filter((held) => to === undefined || isFor(held, to)))
    before = page.at(-1)?.id
    if (page.length < MAX_LISTED || found.length > MAX_LISTED || before === undefined) break
  }
  if (found.length === 0)
    return said(to === undefined ? 'The quarantine is empty.' : `Nothing is held for ${to}.`)
  const { count, bytes } = await ports.quarantine.totals()
  return said(
    ...found.slice(0, MAX_LISTED).flatMap((held) => listLines(ports, held)),
    ...(found.length > MAX_LISTED ? [`… and more; only the newest ${MAX_LISTED} are shown.`] : []),
    '',
    `${count === 1 ? '1 message' : `${count} messages`}, ${sizeText(bytes)}. \`hikyaku quarantine show ID\` tells why, \`hikyaku quarantine release ID\` delivers.`,
  )
}

/** `quarantine show ID`: who, what, when, every reason, the evidence as it was, and a preview that opens nothing. */
export const quarantineShow: Operation = async (ports, args) => {
  const held = await heldOf(ports, args)
  if (held === undefined) return refused(notHeld(args))
  return said(
    `Message ${held.id}, held since ${timeText(ports, held.heldAtMs)}, until ${timeText(ports, held.untilMs)}`,
    `From:       ${held.from}`,
    `Subject:    ${held.subject}`,
    `Sender:     ${held.reversePath === '' ? '<>' : held.reversePath} by ${held.client}, which called itself ${held.helo}`,
    `Recipients: ${recipientsText(held)}`,
    `Size:       ${sizeText(held.sizeBytes)}`,
    '',
    held.reasons.length === 1 ? 'Why it is held:' : 'Why it is held, every reason:',
    ...held.reasons.map(({ text }) => `  ${text}`),
    '',
    'What was found when it came:',
    ...evidenceStory(held.evidence, held.client).map((line) => `  ${line}`),
    '',
    'What the DNS said then:',
    ...recordLines(held.evidence).map((line) => `  ${line}`),
    '',
    ...(await previewLines(ports, held)),
    '',
    `To deliver it: hikyaku quarantine release ${held.id}`,
    `To delete it:  hikyaku quarantine delete ${held.id}`,
    ...proposalLines(ports, stoppedHeld(held)),
  )
}

/** `quarantine release ID`: delivered as it would have been. */
export const quarantineRelease: Operation = async (ports, args) => {
  const held = await heldOf(ports, args)
  if (held === undefined) return refused(notHeld(args))
  const astray = await ledNowhere(ports, held)
  if (astray.length > 0)
    return refused(
      `${held.id} stays in the quarantine: no alias leads to ${astray.join(', ')} any more. Make one again, or delete the message.`,
    )
  const released = await ports.quarantine.release(held.id, { by: OPERATOR, nowMs: ports.clock.now() })
  if (released === undefined) return refused(notHeld(args))
  if (!released.ok) return refused(`${held.id} stays in the quarantine: ${whyNot(released.failure)}.`)
  ports.log.event('quarantine.released', { by: OPERATOR, recipients: recipientsText(held) }, held.id)
  const places = released.value.map(
    ({ owner, mailbox, uid }) => `${mailbox} of ${ports.directory.loginOf(owner) ?? owner} as UID ${uid}`,
  )
  const elsewhere = held.recipients
    .filter(({ account }) => account === undefined)
    .map(({ address }) => address)
  const where = [
    ...places.map((place) => `It is in ${place}.`),
    ...(elsewhere.length === 0 ? [] : [`It goes out to ${elsewhere.join(', ')}.`]),
  ]
  return said(
    `${held.id} was released.`,
    ...(where.length === 0 ? ['There is nobody left to get it.'] : where),
  )
}

/** Addresses elsewhere that an alias led to when the message came, and none does now: people who have left. */
async function ledNowhere(ports: OperationPorts, { recipients }: Held): Promise<readonly string[]> {
  const elsewhere = recipients.filter(({ account }) => account === undefined).map(({ address }) => address)
  if (elsewhere.length === 0) return []
  const aliases = await ports.accounts.listAliases()
  const targets = new Set(aliases.flatMap((alias) => alias.targets.map((target) => target.toLowerCase())))
  return elsewhere.filter((address) => !targets.has(address.toLowerCase()))
}

/** `quarantine delete ID`: gone; nobody is told. */
export const quarantineDelete: Operation = async (ports, args) => {
  const held = await heldOf(ports, args)
  if (held === undefined) return refused(notHeld(args))
  const gone = await ports.quarantine.delete(held.id, { by: OPERATOR, nowMs: ports.clock.now() })
  if (!gone.ok) return refused(`${held.id} could not be deleted: ${gone.failure.cause}.`)
  if (!gone.value) return refused(notHeld(args))
  ports.log.event('quarantine.deleted', { by: OPERATOR, recipients: recipientsText(held) }, held.id)
  return said(`${held.id} was deleted. Neither its sender nor its recipient is told.`)
}

function whyNot({ kind, cause }: StoreFailure): string {
  switch (kind) {
    case 'over-quota':
      return 'a mailbox that it would go to is full'
    case 'no-such-account':
      return 'none of its recipients exists here (any more); make the account, or delete the message'
    default:
      return `it could not be delivered (${cause})`
  }
}

/** The held message that the argument names. */
export async function heldOf(ports: OperationPorts, args: OperationArgs): Promise<Held | undefined> {
  const id = textArg(args, 'id')?.toLowerCase() ?? ''
  return isTraceId(id) ? ports.quarantine.get(id) : undefined
}

function notHeld(args: OperationArgs): string {
  return `There is no message ${textArg(args, 'id') ?? ''} in the quarantine; \`hikyaku quarantine list\` shows those that are, \`hikyaku trace ID\` what became of one that was.`
}

function listLines(ports: OperationPorts, held: Held): readonly string[] {
  return [
    `${held.id}  ${timeText(ports, held.heldAtMs)}  ${sizeText(held.sizeBytes)}`,
    `    From ${held.from}: ${held.subject === '' ? '(no subject)' : held.subject}`,
    `    to ${recipientsText(held)}`,
    ...held.reasons.map(({ text }) => `    ${text}`),
  ]
}

function recipientsText({ recipients, unknown = [] }: Held): string {
  const nobody = unknown.map((address) => `${address} (does not exist here)`)
  return [...recipients.map(({ address }) => address), ...nobody].join(', ')
}

const isFor = ({ recipients, unknown = [] }: Held, part: string): boolean =>
  [...recipients.map(({ address }) => address), ...unknown].some((address) =>
    address.toLowerCase().includes(part),
  )

async function previewLines(ports: OperationPorts, { id, sizeBytes }: Held): Promise<readonly string[]> {
  const octets = await contentOf(ports, id)
  if (typeof octets === 'string') return [octets]
  const { head, text, attachments } = shownMessage(ports, octets)
  const lines = text.slice(0, PREVIEW_LINES)
  return [
    'Preview (text only; nothing in the message was opened):',
    ...head.map((line) => `  ${line}`),
    '',
    ...lines.map((line) => `  | ${line}`),
    ...(text.length > lines.length ? ['  | … (cut here)'] : []),
    ...attachments.map((name) => `  Attachment, not opened: ${name}`),
    ...(sizeBytes > PREVIEW_BYTES
      ? [`  Only the first ${sizeText(PREVIEW_BYTES)} were looked at for this.`]
      : []),
  ]
}

async function contentOf(ports: OperationPorts, id: TraceId): Promise<Buffer | string> {
  try {
    const octets = await ports.quarantine.content(id, PREVIEW_BYTES)
    return octets === undefined ? 'It has just left the quarantine.' : Buffer.from(octets)
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    return `There is no preview, since the message cannot be read (${cause}); \`hikyaku check\` tells more.`
  }
}
