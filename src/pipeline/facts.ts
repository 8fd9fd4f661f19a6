import type { TraceFact } from '../mail/trace.ts'
import { unfold } from '../mime/header.ts'
import { decodedWords } from '../mime/words.ts'
import { type ContentHeader, fieldsNamed } from './header-checks.ts'
import type { Origin } from './origin.ts'
import { headerFacts } from './policy/header-facts.ts'

/** Characters of a subject or From kept in a trace: enough to recognise it. */
const MAX_TEXT = 200

/** What the trace says of the connection. */
export function originFacts(origin: Origin): readonly TraceFact[] {
  const facts: TraceFact[] = [
    {
      kind: 'connected',
      listener: origin.listener,
      client: origin.client,
      proxied: origin.proxied || undefined,
    },
    { kind: 'helo', name: origin.helo, extended: origin.extended },
  ]
  if (origin.tls !== undefined)
    facts.push({ kind: 'tls', version: origin.tls.version, cipher: origin.tls.cipher })
  if (origin.login !== undefined)
    facts.push({ kind: 'authenticated', login: origin.login.login, mechanism: origin.login.mechanism })
  else if (origin.trustedNetwork !== undefined)
    facts.push({ kind: 'trusted-network', network: origin.trustedNetwork })
  return facts
}

/** Decoded, for people. */
export function describeHeader(header: ContentHeader): {
  messageId?: string | undefined
  subject?: string | undefined
  from?: string | undefined
  list?: string | undefined
} {
  const text = (key: string): string | undefined => {
    const field = fieldsNamed(header, key)[0]
    return field === undefined ? undefined : decodedWords(unfold(field.raw)).slice(0, MAX_TEXT)
  }
  return {
    messageId: text('message-id'),
    subject: text('subject'),
    from: text('from'),
    list: headerFacts(header).listId,
  }
}
