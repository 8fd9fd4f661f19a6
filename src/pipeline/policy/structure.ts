import { type Reply, reply } from '../../mail/reply.ts'
import { readHeaderAuthor } from '../../mailauth/from.ts'
import { unfold } from '../../mime/header.ts'
import { MAX_FIELDS } from '../../mime/limits.ts'
import { type ContentHeader, fieldsNamed } from '../header-checks.ts'
import type { PolicySettings } from './settings.ts'

/** What a header breaks, and what the peer is told of it. */
export interface Fault {
  /** `header-count`, `author-unclear`, `author-domains`. */
  readonly rule: string
  readonly reply: Reply
}

/** The table of rfc5322 §3.6: fields that may stand once. Two of one show different readers different messages. */
const AT_MOST_ONCE = [
  ['sender', 'Sender'],
  ['reply-to', 'Reply-To'],
  ['to', 'To'],
  ['cc', 'Cc'],
  ['bcc', 'Bcc'],
  ['message-id', 'Message-ID'],
  ['in-reply-to', 'In-Reply-To'],
  ['references', 'References'],
  ['subject', 'Subject'],
] as const
const EXACTLY_ONCE = [
  ['from', 'From'],
  ['date', 'Date'],
] as const

/**
 * The first rule that a header breaks. Counts are checked where `requiredHeaders` says so; an author whom readers could
 * see differently is refused always, since authentication would vouch for another one than the reader sees.
 * @param block the header as it stands in the message.
 */
export function structureFault(
  block: Uint8Array,
  header: ContentHeader,
  settings: Pick<PolicySettings, 'requiredHeaders' | 'multiValueFrom'>,
): Fault | undefined {
  if (header.fields.length >= MAX_FIELDS)
    return fault('header-count', `The header has ${MAX_FIELDS} fields or more; real mail has fewer`)
  return (settings.requiredHeaders ? countFault(header) : undefined) ?? authorFault(block, header, settings)
}

function countFault(header: ContentHeader): Fault | undefined {
  for (const [key, name] of EXACTLY_ONCE) {
    const fields = fieldsNamed(header, key)
    if (fields.length === 0)
      return fault('header-count', `No ${name} field; RFC 5322 section 3.6 asks for one`)
    if (fields.length > 1) return tooMany(name, fields.length)
    if (unfold(fields[0]?.raw ?? '') === '')
      return fault('header-count', `The ${name} field is empty; RFC 5322 section 3.6 asks for a value`)
  }
  for (const [key, name] of AT_MOST_ONCE) {
    const { length } = fieldsNamed(header, key)
    if (length > 1) return tooMany(name, length)
  }
  return undefined
}

function authorFault(
  block: Uint8Array,
  header: ContentHeader,
  settings: Pick<PolicySettings, 'multiValueFrom'>,
): Fault | undefined {
  // Without any From nobody is pretended to have written it; where one is required, that was said above.
  if (fieldsNamed(header, 'from').length === 0) return undefined
  const author = readHeaderAuthor(block)
  switch (author.kind) {
    case 'one':
      return undefined
    case 'none':
      return fault(
        'author-unclear',
        `The From field names no author (${author.why}); RFC 5322 section 3.6.2 asks for one`,
      )
    case 'several-fields':
      return tooMany('From', author.count, 'author-unclear')
    case 'several-domains':
      if (settings.multiValueFrom === 'allow') return undefined
      return {
        rule: 'author-domains',
        reply: reply(
          554,
          '5.7.1',
          `The From field names authors of ${author.domains.length} domains (${author.domains.slice(0, 3).join(', ')}); RFC 5322 section 3.6.2 allows several authors, but no one can vouch for all of them: this server takes authors of one domain`,
        ),
      }
    case 'unreadable':
      return fault(
        'author-unclear',
        `The From field cannot be read as RFC 5322 section 3.4 writes an address: ${author.why}`,
      )
  }
}

const tooMany = (name: string, count: number, rule = 'header-count'): Fault =>
  fault(rule, `${count} ${name} fields; RFC 5322 section 3.6 allows one`)

/** rfc3463 §3.7: the content is at fault, not a policy of ours. */
function fault(rule: string, text: string): Fault {
  return { rule, reply: reply(554, '5.6.0', text) }
}
