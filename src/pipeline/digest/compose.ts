import { visible } from '../../bytes/ascii.ts'
import type { Address } from '../../mail/address.ts'
import { formatAddress } from '../../mail/address.ts'
import { formatLocalTime } from '../../mail/local-time.ts'
import {
  composeAddressField,
  composeField,
  composeParameterField,
  composeRawField,
  composeTextPart,
} from '../../mime/compose.ts'
import { formatDate } from '../../mime/date.ts'
import type { Language } from '../../ports/accounts.ts'
import type { Held } from '../../ports/quarantine.ts'
import { DIGEST_TEXTS, type DigestTexts } from './texts.ts'

/** Messages that one digest names: a person reads no more. */
const MAX_NAMED = 50
/** Characters of a sender's words. */
const MAX_WORDS = 120

export interface Digest {
  readonly to: Address
  /** Who can release: answers go there. */
  readonly postmaster: Address
  readonly hostname: string
  readonly language: Language
  /** The oldest first. */
  readonly held: readonly Held[]
  readonly nowMs: number
  readonly zoneMinutes: number
  readonly unique: string
}

/** The daily mail that tells an account what is held for it. What strangers wrote stands in it as plain text, without links of ours. */
export function composeDigest(digest: Digest): Buffer {
  const { to, postmaster, hostname, language, held, nowMs, zoneMinutes, unique } = digest
  const texts = DIGEST_TEXTS[language]
  const fields = [
    composeAddressField('From', [{ name: 'Hikyaku', address: postmaster }]),
    composeAddressField('To', [{ address: to }]),
    composeAddressField('Reply-To', [{ address: postmaster }]),
    composeField('Subject', texts.subject(held.length)),
    composeRawField('Date', formatDate(nowMs, zoneMinutes)),
    composeRawField('Message-ID', `<${unique}@${hostname}>`),
    // rfc3834 §5: no responder answers it.
    composeRawField('Auto-Submitted', 'auto-generated'),
    composeParameterField('Content-Language', language),
    composeRawField('MIME-Version', '1.0'),
  ]
  const named = held.slice(0, MAX_NAMED)
  const lines = [
    texts.intro(held.length, hostname),
    '',
    ...named.flatMap((one) => [...entryLines(one, texts, zoneMinutes), '']),
    ...(held.length > named.length ? [texts.more(held.length - named.length), ''] : []),
    texts.warning,
    '',
    texts.ask(formatAddress(postmaster)),
  ]
  return Buffer.concat([Buffer.from(fields.join(''), 'latin1'), composeTextPart(`${lines.join('\n')}\n`)])
}

function entryLines(held: Held, texts: DigestTexts, zoneMinutes: number): readonly string[] {
  const { labels } = texts
  const reasons = held.reasons.map((_, index) => texts.reason(held, index))
  return [
    `${labels.from}: ${shown(held.from)}`,
    `${labels.subject}: ${held.subject === '' ? texts.noSubject : shown(held.subject)}`,
    `${labels.at}: ${formatLocalTime(held.heldAtMs, zoneMinutes)}`,
    ...reasons.map((text) => `${labels.why}: ${visible(text)}`),
    `${labels.until}: ${formatLocalTime(held.untilMs, zoneMinutes)}`,
    `${labels.id}: ${held.id}`,
  ]
}

/** A sender's words: one line, cut, nothing that turns the direction of writing around or makes a program see a link. */
function shown(text: string): string {
  const plain = visible(text.replace(/[\r\n\t]+/g, ' '))
    .replace(/[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/:\/\//g, ':// ')
  return plain.length > MAX_WORDS ? `${plain.slice(0, MAX_WORDS)}…` : plain
}
