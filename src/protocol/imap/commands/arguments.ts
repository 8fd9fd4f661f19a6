import { decodeMutf7 } from '../../../bytes/mutf7.ts'
import { type FlagSet, makeFlagSet, NO_FLAGS } from '../../../mail/flags.ts'
import { INBOX, type MailboxName, parseMailboxName } from '../../../mail/mailbox-name.ts'
import { EMPTY_SET, parseUidSet, type UidSet } from '../../../mail/uid-set.ts'
import { MAX_FLAGS_IN_COMMAND } from '../limits.ts'
import type { WireReader } from '../reader.ts'

/** Arguments that several commands share. Each leaves a fault in the reader where the client's octets do not fit. */

/** An existing mailbox's name. One that no mailbox can have is a NO, not a BAD: the syntax was right. */
export function mailboxArgument(reader: WireReader): MailboxName {
  return mailboxOf(reader, mailboxText(reader), parseMailboxName)
}

export function mailboxOf(
  reader: WireReader,
  text: string,
  parse: (text: string) => MailboxName | undefined,
): MailboxName {
  const name = reader.ok ? parse(text) : INBOX
  // rfc5530 §3, CANNOT: it never can be.
  if (name === undefined) reader.fail('no mailbox can have this name', { status: 'NO', code: 'CANNOT' })
  return name ?? INBOX
}

/** The name's Unicode text, not yet looked at. Modified UTF-7 has one form of each; others are refused. */
export function mailboxText(reader: WireReader): string {
  return decodeName(reader, reader.astring('a mailbox name'))
}

export function decodeName(reader: WireReader, wire: string): string {
  return decodeMutf7(wire) ?? reader.fail('mailbox name is not modified UTF-7')
}

export function setArgument(reader: WireReader): UidSet {
  const text = reader.setText()
  const set = reader.ok ? parseUidSet(text) : EMPTY_SET
  if (set === undefined) reader.fail('not a set of message numbers')
  return set ?? EMPTY_SET
}

/** `(\Seen Work)`. `\Recent` and unknown system flags are refused: they cannot be stored (rfc3501 §9, flag). */
export function flagListArgument(reader: WireReader): FlagSet {
  const names: string[] = []
  const bounds = { least: 0, most: MAX_FLAGS_IN_COMMAND, what: 'flags' } as const
  reader.list(bounds, () => names.push(reader.flag()))
  return flagsOf(reader, names)
}

export function flagsOf(reader: WireReader, names: readonly string[]): FlagSet {
  const flags = reader.ok ? makeFlagSet(names) : NO_FLAGS
  if (flags === undefined) reader.fail('these flags cannot be stored')
  return flags ?? NO_FLAGS
}

export function utf8Argument(reader: WireReader, octets: string): string {
  const bytes = Buffer.from(octets, 'latin1')
  const text = bytes.toString('utf8')
  return text.length === octets.length || Buffer.from(text, 'utf8').equals(bytes)
    ? text
    : reader.fail('not UTF-8')
}
