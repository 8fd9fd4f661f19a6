import { canonicalIp } from '../../mail/ip.ts'
import { unfold } from '../../mime/header.ts'
import { MAX_RECEIVED_BYTES } from './limits.ts'

/** The client of a server of ours, as that server wrote it down. */
export interface PassedOn {
  /** Canonical. */
  readonly client: string
  /** Empty where none was written. */
  readonly helo: string
}

const ADDRESS = String.raw`\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]`
/** Ours, Postfix, sendmail, Cyrus: `from helo (name [address])`, `from helo ([address])`. */
const NAMED = new RegExp(String.raw`^(?:[^\s[\]()=]+ )?${ADDRESS}(?: \(may be forged\))?$`, 'i')
/** Exim with a name: `from name ([address]:port helo=helo)`. */
const WITH_HELO = new RegExp(String.raw`^${ADDRESS}(?::\d+)?(?: [a-z]+=\S+)*$`, 'i')
/** Exim without a name: `from [address] (port=1 helo=helo)`. */
const BARE = new RegExp(String.raw`^${ADDRESS}(?::\d+)?$`, 'i')

/**
 * Reads the from clause of a Received field that a server of ours wrote: its client's address and HELO. What is not in
 * one of the known forms to the last character is not read at all: HELO is the client's own word, and a client that
 * may write brackets into it must not choose the address that it is judged by.
 * @param raw the field's value, octets as U+0000..U+00FF.
 */
export function parsePassedOn(raw: string): PassedOn | undefined {
  if (raw.length > MAX_RECEIVED_BYTES) return undefined
  const items = fromClause(unfold(raw))
  const [name, comment, ...others] = items ?? []
  if (name === undefined || comment === undefined || name.startsWith('(') || !comment.startsWith('('))
    return undefined
  // TLS and AUTH are told in further comments; one that names an address may be the true one behind a made-up first.
  if (others.some((item) => !item.startsWith('(') || /\[[^\]]*[.:][^\]]*\]/.test(item))) return undefined
  return readPair(name, comment.slice(1, -1).trim())
}

function readPair(name: string, comment: string): PassedOn | undefined {
  const bare = BARE.exec(name)
  if (bare !== null && comment.split(' ').every((word) => /^[a-z]+=\S+$/i.test(word)))
    return passedOn(bare[1], heloIn(comment) ?? '')
  const named = NAMED.exec(comment)
  if (named !== null) return passedOn(named[1], name)
  const withHelo = WITH_HELO.exec(comment)
  return withHelo === null ? undefined : passedOn(withHelo[1], heloIn(comment) ?? name)
}

const heloIn = (comment: string): string | undefined => /(?:^| )helo=(\S+)/i.exec(comment)?.[1]

function passedOn(address: string | undefined, helo: string): PassedOn | undefined {
  const client = address === undefined ? undefined : canonicalIp(address)
  return client === undefined ? undefined : { client, helo }
}

/** The words and whole comments between `from` and `by`, white space made one space; undefined without both. */
function fromClause(text: string): readonly string[] | undefined {
  const items: string[] = []
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at] as string)) at++
    else {
      const end = text[at] === '(' ? commentEnd(text, at) : wordEnd(text, at)
      if (end === undefined) return undefined
      const item = text.slice(at, end).replace(/\s+/g, ' ')
      // `by` in the place of a name is a HELO.
      if (items.length > 1 && item.toLowerCase() === 'by') return items.slice(1)
      items.push(item)
      if (items.length === 1 && item.toLowerCase() !== 'from') return undefined
      at = end
    }
  }
  return undefined
}

function wordEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && !/[\s(]/.test(text[at] as string)) at++
  return at
}

function commentEnd(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '\\') at++
    else if (char === '(') depth++
    else if (char === ')' && --depth === 0) return at + 1
  }
  return undefined
}
