import type { TraceFact } from '../mail/trace.ts'
import { readHeaderAuthor } from '../mailauth/from.ts'
import type { StagedBody } from '../ports/store.ts'
import type { Origin } from './origin.ts'
import type { PipelinePorts } from './ports.ts'

/**
 * The DKIM-Signature fields of a submission, CRLF-ended; empty where nothing is signed. Only what somebody has logged
 * in to hand in is: a printer of a trusted network, a program of this machine and mail from elsewhere never are.
 * Rejects where no thread can be had. Where a key file can't be read mail leaves unsigned, which the log, the trace and
 * `hikyaku dkim list` say: everybody's mail would stop otherwise, and SPF still vouches for it.
 * @param added fields of ours that go out with it and are signed too.
 */
export async function signSubmission(
  { signingKeys, mailAuth, directory }: PipelinePorts,
  message: { readonly origin: Origin; readonly body: StagedBody; readonly added: Uint8Array },
  note: (fact: TraceFact) => void,
): Promise<string> {
  const { origin, body, added } = message
  if (origin.role !== 'submission' || origin.login === undefined) return ''
  const author = readHeaderAuthor(body.header)
  if (author.kind !== 'one') {
    note({ kind: 'check', name: 'signing', result: 'not signed', why: author.why })
    return ''
  }
  const keys = await signingKeys.forDomain(author.domain)
  if (keys.length === 0) {
    if (directory.isOurDomain(author.domain))
      note({ kind: 'check', name: 'signing', result: 'not signed', why: `no key signs for ${author.domain}` })
    return ''
  }
  const fields = await mailAuth.sign(body, added, keys)
  note({ kind: 'signed', domain: author.domain, selectors: keys.map(({ selector }) => selector) })
  return fields
}
