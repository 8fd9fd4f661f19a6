import { createHash } from 'node:crypto'
import { assert } from '../mail/assert.ts'
import type { SigningKey } from '../ports/mail-auth.ts'
import { CanonicalBody } from './body-hash.ts'
import { HeaderBlock } from './header-block.ts'
import { EVALUATION_LIMITS } from './limits.ts'
import { signedField } from './signature-field.ts'
import { chooseFields, type FieldChoice, signedText } from './signed-fields.ts'

export interface ToSign {
  readonly content: AsyncIterable<Uint8Array>
  /** Fields that will stand before the content's own; signed like them. */
  readonly added: Uint8Array
  readonly keys: readonly SigningKey[]
  readonly nowMs: number
}

/**
 * What our signatures cover (rfc6376 §5.4.1). docs/authentication.md tells the same with its reasons.
 * Neither list has what those who pass mail on add or change by right (Received, Return-Path, Authentication-Results,
 * ARC-*, rfc6376 §5.4), nor Bcc, which any server on the way may take out (rfc5322 §3.6.3).
 */
const SIGNED: FieldChoice = {
  // What a reader sees and answers to, what makes a thread, and what says how the body is to be read: a second one of
  // any is a forgery, even where we had none. Lists that set a Reply-To of their own rewrite the Subject or the body too.
  sealed: [
    'from',
    'reply-to',
    'to',
    'cc',
    'subject',
    'date',
    'message-id',
    'in-reply-to',
    'references',
    'mime-version',
    'content-type',
    'content-transfer-encoding',
  ],
  // What lists and forwarders add to a message that had none: guarding against them would break the signature of mail
  // that is otherwise untouched. List-Unsubscribe has to be signed where it is (rfc8058 §4).
  present: [
    'sender',
    'content-disposition',
    'content-id',
    'content-description',
    'content-language',
    'resent-date',
    'resent-from',
    'resent-sender',
    'resent-to',
    'resent-cc',
    'resent-message-id',
    'list-id',
    'list-help',
    'list-unsubscribe',
    'list-unsubscribe-post',
    'list-subscribe',
    'list-post',
    'list-owner',
    'list-archive',
    'autocrypt',
  ],
}

/**
 * The DKIM-Signature fields (rfc6376 §5), CRLF-ended, one a key; reads the content once, holds only its header. The
 * content is bounded by whoever took it in.
 */
export async function sign(input: ToSign): Promise<string> {
  if (input.keys.length === 0) return ''
  const block = new HeaderBlock(EVALUATION_LIMITS.headerBytes)
  const hash = createHash('sha256')
  const body = new CanonicalBody('relaxed', (octets) => hash.update(octets))
  for await (const piece of input.content) {
    body.update(block.push(piece))
    assert(!block.isTooLarge, 'what is signed came in with a header within the limit')
  }
  const header = Buffer.concat([input.added, block.bytes()])
  const names = chooseFields(header, SIGNED)
  const before = signedText(header, names)
  body.end()
  const bodyHash = hash.digest('base64')
  return input.keys.map((key) => dkimSignature(key, names, before, bodyHash, input.nowMs)).join('')
}

/** No `l=` (rfc6376 §8.2), no `i=`: it would say no more than `d=`; no `x=`: mail may wait for days and still be ours. */
function dkimSignature(
  key: SigningKey,
  names: readonly string[],
  before: string,
  bodyHash: string,
  nowMs: number,
): string {
  const tags = [
    ['v', '1'],
    ['a', key.algorithm],
    ['c', 'relaxed/relaxed'],
    ['d', key.domain],
    ['s', key.selector],
    ['t', String(Math.floor(nowMs / 1000))],
    ['h', names.join(':')],
    ['bh', bodyHash],
    ['b', ''],
  ] as const
  return signedField('DKIM-Signature', tags, before, key)
}
