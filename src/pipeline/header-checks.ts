import type { Address } from '../mail/address.ts'
import { makeAddress } from '../mail/address.ts'
import { type Reply, reply } from '../mail/reply.ts'
import { parseAddresses } from '../mime/address.ts'
import { type HeaderField, headerFields } from '../mime/header.ts'
import { MAX_FIELDS } from '../mime/limits.ts'
import type { Directory } from '../ports/directory.ts'
import { isOwnMail, type Origin } from './origin.ts'
import { refuseForeignSender } from './sender.ts'

/** A content's header, read once for all stages. */
export interface ContentHeader {
  /** At most `MAX_FIELDS`: what lies beyond was not looked at. */
  readonly fields: readonly HeaderField[]
  readonly hasNul: boolean
}

export function readHeader(block: Uint8Array): ContentHeader {
  return { fields: headerFields(block), hasNul: block.includes(0) }
}

export function fieldsNamed(header: ContentHeader, key: string): readonly HeaderField[] {
  return header.fields.filter((field) => field.key === key)
}

/** rfc5321 §6.3: a message that has passed so many hosts is going in circles. */
export function refuseLoop(header: ContentHeader, maxReceived: number): Reply | undefined {
  const hops = fieldsNamed(header, 'received').length
  if (hops <= maxReceived) return undefined
  return reply(554, '5.4.6', `This message has passed ${hops} servers; it is going in circles`)
}

/**
 * A submission's author fields (From, and Sender where it is there) name only addresses of the account.
 * A From that cannot be read is refused: what we can't read we can't vouch for.
 */
export function refuseForeignAuthor(
  header: ContentHeader,
  origin: Origin,
  context: {
    readonly directory: Directory
    readonly trustedFrom: readonly string[]
    readonly hostname: string
  },
): Reply | undefined {
  if (!isOwnMail(origin.role)) return undefined
  // Readers behind us may see an author where we see none: beyond our limit, or once they have dropped the NUL.
  if (header.fields.length >= MAX_FIELDS)
    return reply(550, '5.6.0', `A header may have fewer than ${MAX_FIELDS} fields`)
  if (header.hasNul) return reply(550, '5.6.0', 'A header holds no NUL (rfc5322 §2.2)')
  const from = fieldsNamed(header, 'from')
  // rfc6409 §8: an MSA may complete a message; an author is not ours to invent, and two are one too many.
  if (from.length !== 1)
    return reply(
      550,
      '5.6.0',
      `This message has ${from.length} From fields; rfc5322 §3.6 asks for exactly one`,
    )
  for (const field of [...from, ...fieldsNamed(header, 'sender')]) {
    const authors = addressesOf(field)
    if (authors === undefined)
      return reply(550, '5.6.0', `The ${field.name} field holds no address that can be read`)
    for (const author of authors) {
      const refusal = refuseForeignSender(author, origin, { ...context, field: field.name })
      if (refusal !== undefined) return refusal
    }
  }
  return undefined
}

/** undefined where there is no address, one that is not complete, or so many that not all were read. */
function addressesOf(field: HeaderField): readonly Address[] | undefined {
  const { mailboxes, leniencies } = parseAddresses(field.raw)
  if (leniencies.includes('address-list-cut')) return undefined
  const addresses: Address[] = []
  for (const mailbox of mailboxes) {
    const address = makeAddress(mailbox.local, mailbox.domain)
    if (address === undefined) return undefined
    addresses.push(address)
  }
  return addresses.length === 0 ? undefined : addresses
}
