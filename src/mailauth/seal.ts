import { assert } from '../mail/assert.ts'
import type { ArcFinding } from '../mail/authentication.ts'
import { headerFields } from '../mime/header.ts'
import type { SigningKey } from '../ports/mail-auth.ts'
import { type ChainField, readChain } from './chain.ts'
import { ARC_LIMITS } from './limits.ts'
import { relaxedField } from './relaxed.ts'
import { signedField } from './signature-field.ts'
import { chooseFields, type FieldChoice, signedText } from './signed-fields.ts'

export interface ToSeal {
  /** The header block of the message as received, before anything was taken out or added. */
  readonly header: Uint8Array
  /** base64 of SHA-256 over the body in relaxed form: mailauth's `seal.bodyHash`, or a `BodyHash`. */
  readonly bodyHash: string
  /** What was found of the chain that is there. */
  readonly arc: ArcFinding
  /** What we found, as `formatResults` says it. */
  readonly results: string
  /** rsa-sha256: verifiers of ARC know no other (rfc8617 §4.1.2, §4.1.3 ask for it alone). */
  readonly key: SigningKey
  readonly nowMs: number
  /** Names to sign instead of those that we choose. */
  readonly signs?: readonly string[] | undefined
}

/**
 * What our ARC-Message-Signature covers (rfc8617 §4.1.2): as much as there is of what the author wrote, with his
 * signatures. But for From nothing is guarded against additions, for who passes it on next may add by right.
 */
const SEALED: FieldChoice = {
  sealed: ['from'],
  present: [
    ...['sender', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'in-reply-to', 'references'],
    ...[
      'mime-version',
      'content-type',
      'content-transfer-encoding',
      'list-id',
      'list-unsubscribe',
      'list-post',
    ],
    'dkim-signature',
  ],
}

/** The fields of a new ARC set (rfc8617 §5.1), CRLF-ended, in the order in which they stand; empty where none may be made. */
export function makeSeal(input: ToSeal): string {
  const { key, arc } = input
  assert(key.algorithm === 'rsa-sha256', 'an ARC set is signed by an RSA key')
  const chain = readChain(input.header)
  // rfc8617 §5.1: a chain that was found to have failed once is not sealed again; §4.2.1: there is no set after the 50th.
  if (chain.newestSaysFail || chain.highest >= ARC_LIMITS.sets) return ''
  // ARC fields of which nobody can say how many sets they are, or that were not looked at: there is no next instance.
  if ((arc.result === 'none') !== (chain.highest === 0)) return ''
  // A chain that passed and that is not all of what stands here was read otherwise than by us: sealing it would break it.
  const sets = arc.sealers.length
  if (arc.result === 'pass' && (sets !== chain.highest || chain.fields.length !== 3 * sets)) return ''
  // rfc8617 §5.1.2: of a chain that failed, the seal covers only its own set, as if there were no other.
  const before = arc.result === 'pass' ? chain.fields : []
  return newSet(input, String(chain.highest + 1), before)
}

function newSet(input: ToSeal, instance: string, before: readonly ChainField[]): string {
  const results = `ARC-Authentication-Results: i=${instance}; ${input.results}\r\n`
  const signature = messageSignature(input, instance)
  const covered = [
    ...before.map(({ name, raw }) => relaxedField(name, raw)),
    ...relaxedFields(results + signature),
  ]
  const tags = [
    ['a', input.key.algorithm],
    ['b', ''],
    ['cv', input.arc.result],
    ['d', input.key.domain],
    ['i', instance],
    ['s', input.key.selector],
    ['t', seconds(input.nowMs)],
  ] as const
  const seal = signedField('ARC-Seal', tags, covered.map((line) => `${line}\r\n`).join(''), input.key)
  return seal + signature + results
}

function messageSignature(input: ToSeal, instance: string): string {
  const names = input.signs ?? chooseFields(input.header, SEALED)
  const tags = [
    ['a', input.key.algorithm],
    ['b', ''],
    ['bh', input.bodyHash],
    ['c', 'relaxed/relaxed'],
    ['d', input.key.domain],
    ['h', names.join(':')],
    ['i', instance],
    ['s', input.key.selector],
    ['t', seconds(input.nowMs)],
  ] as const
  return signedField('ARC-Message-Signature', tags, signedText(input.header, names), input.key)
}

function relaxedFields(text: string): string[] {
  return headerFields(Buffer.from(text, 'latin1')).map(({ name, raw }) => relaxedField(name, raw))
}

const seconds = (nowMs: number): string => String(Math.floor(nowMs / 1000))
