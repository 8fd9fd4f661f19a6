import { addressKey, parseAddress } from '../../mail/address.ts'
import { parseMailboxName } from '../../mail/mailbox-name.ts'
import { decodeParts, type Part, paramOf } from '../../mime/parts.ts'
import { MessageScanner } from '../../mime/scanner.ts'
import { readableText } from '../../mime/text.ts'
import type { MailboxView, SectionBytes } from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import { type Operation, type OperationPorts, refused, textArg, timeText } from './operation.ts'

/** The part of a message that is read to be shown; a person reads no more. */
const MAX_SHOWN_BYTES = 8 * 1024 * 1024

/** `mail show ACCOUNT MAILBOX UID`: the message decoded, text only. No attachment is opened. */
export const mailShow: Operation = async (ports, args) => {
  const address = parseAddress(textArg(args, 'account') ?? '')
  const account = address === undefined ? undefined : await ports.accounts.findAccount(addressKey(address))
  if (account === undefined) return refused(`There is no account ${textArg(args, 'account') ?? ''}.`)
  const name = parseMailboxName(textArg(args, 'mailbox') ?? '')
  const uid = Number(textArg(args, 'uid'))
  if (name === undefined) return refused(`"${textArg(args, 'mailbox') ?? ''}" is no name of a mailbox.`)
  if (!Number.isInteger(uid) || uid < 1)
    return refused(`A UID is a number from 1 up, and not "${textArg(args, 'uid') ?? ''}".`)
  const access: Access = { actor: { kind: 'system', what: 'mail show' }, owner: account.id }
  const opened = await ports.mailboxes.open(access, name, { readOnly: true })
  if (!opened.ok) return refused(`There is no mailbox ${name} of ${account.login}.`)
  const octets = await messageOctets(ports, access, opened.value, uid)
  if (octets === undefined) return refused(`There is no message ${uid} in ${name} of ${account.login}.`)
  if (octets === 'damaged')
    return refused(`Message ${uid} in ${name} of ${account.login} is damaged; \`hikyaku check\` tells more.`)
  // No call with as many arguments as a message may have lines: the stack is not that large.
  return { ok: true, lines: shownLines(ports, octets) }
}

async function messageOctets(
  ports: OperationPorts,
  access: Access,
  view: MailboxView,
  uid: number,
): Promise<Buffer | 'damaged' | undefined> {
  try {
    const seq = view.seqOfUid(uid)
    if (seq === 0) return undefined
    for await (const rows of ports.mailboxes.fetch(access, view, [seq], {
      sections: [{ path: [], what: 'all' }],
    })) {
      if (rows[0]?.damaged !== undefined) return 'damaged'
      const section = rows[0]?.sections?.[0]
      if (section !== undefined && section !== null) return await collect(section)
    }
    return undefined
  } finally {
    view.close()
  }
}

async function collect(section: Exclude<SectionBytes, null>): Promise<Buffer> {
  if (section instanceof Uint8Array) return Buffer.from(section).subarray(0, MAX_SHOWN_BYTES)
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of section.stream()) {
    pieces.push(piece)
    size += piece.length
    if (size >= MAX_SHOWN_BYTES) break
  }
  return Buffer.concat(pieces).subarray(0, MAX_SHOWN_BYTES)
}

function shownLines(ports: OperationPorts, octets: Buffer): string[] {
  const { head, text } = shownMessage(ports, octets)
  return [...head, '', ...text]
}

/**
 * A message as a person may safely see it: its head decoded, the text of its text parts; attachments are named and not
 * opened. Any character may be in it: the terminal's side cleans it.
 */
export function shownMessage(
  ports: OperationPorts,
  octets: Buffer,
): {
  readonly head: readonly string[]
  readonly text: readonly string[]
  readonly attachments: readonly string[]
} {
  const scanner = new MessageScanner()
  scanner.push(octets)
  const summary = scanner.end(new Uint8Array(0))
  const root = decodeParts(summary.parts)
  const shown = readableText(root, (start, end) => octets.subarray(start, end))
  return {
    head: [
      `From: ${summary.from}`,
      `To: ${summary.to}`,
      ...(summary.cc === '' ? [] : [`Cc: ${summary.cc}`]),
      `Subject: ${summary.subject}`,
      ...(summary.sentAtMs === undefined ? [] : [`Date: ${timeText(ports, summary.sentAtMs)}`]),
    ],
    text: [...shown.text.split(/\r?\n/), ...(shown.isCut ? ['', '… (cut here)'] : [])],
    attachments: attachments(root),
  }
}

/** What is there beside the text, by its name and type. */
function attachments(part: Part): string[] {
  if (part.children.length > 0) return part.children.flatMap(attachments)
  if (part.type === 'text' && part.disposition !== 'attachment') return []
  const name = part.filename ?? paramOf(part, 'name') ?? 'without a name'
  return [`${name} (${part.type}/${part.subtype}, ${part.bodyEnd - part.bodyStart} octets as sent)`]
}
