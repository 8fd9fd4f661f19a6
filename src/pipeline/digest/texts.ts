import type { Language } from '../../ports/accounts.ts'
import type { Held } from '../../ports/quarantine.ts'
import { japaneseReason } from './japanese-reasons.ts'

/** The words of a digest in one language. */
export interface DigestTexts {
  subject(count: number): string
  /** Stands first. */
  intro(count: number, hostname: string): string
  readonly labels: {
    readonly from: string
    readonly subject: string
    readonly at: string
    readonly why: string
    readonly until: string
    readonly id: string
  }
  readonly noSubject: string
  /** How to have a message: the answer goes to `postmaster`. */
  ask(postmaster: string): string
  readonly warning: string
  more(count: number): string
  reason(held: Held, index: number): string
}

const ENGLISH: DigestTexts = {
  subject: (count) => (count === 1 ? 'A message is held for you' : `${count} messages are held for you`),
  intro: (count, hostname) =>
    `${count === 1 ? 'A message to you was' : `${count} messages to you were`} not delivered but held by the mail server ${hostname}, since it could not be established who sent ${count === 1 ? 'it' : 'them'}.`,
  labels: { from: 'From', subject: 'Subject', at: 'Came', why: 'Why', until: 'Held until', id: 'Number' },
  noSubject: '(no subject)',
  ask: (postmaster) =>
    `To get one of them, answer this mail and name its number: the answer goes to ${postmaster}, who can deliver it. You need not do anything about the others; they are deleted when their time is over.`,
  warning:
    'The names after "From" are what the senders wrote. They may be forged: that is why the mail is held.',
  more: (count) => `… and ${count} more.`,
  reason: ({ reasons }, index) => reasons[index]?.text ?? '',
}

const JAPANESE: DigestTexts = {
  subject: (count) => `保留中のメールが ${count} 通あります`,
  intro: (count, hostname) =>
    `あなた宛てのメール ${count} 通が、差出人を確認できなかったため、配達されずにメールサーバー ${hostname} で保留されています。`,
  labels: {
    from: '差出人',
    subject: '件名',
    at: '受信日時',
    why: '理由',
    until: '保留の期限',
    id: '番号',
  },
  noSubject: '(件名なし)',
  ask: (postmaster) =>
    `受け取りたいメールがあれば、その番号を書いてこのメールに返信してください。返信は管理者 (${postmaster}) に届き、管理者が配達します。ほかのメールについては何もする必要はありません。期限が過ぎると自動的に削除されます。`,
  warning: '「差出人」は送信者が書いたままの表示です。偽られているおそれがあるため保留しています。',
  more: (count) => `ほか ${count} 通`,
  reason: japaneseReason,
}

export const DIGEST_TEXTS: Readonly<Record<Language, DigestTexts>> = { en: ENGLISH, ja: JAPANESE }
