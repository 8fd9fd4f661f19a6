export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed'

/** A sentence in both languages that a report is written in. */
export interface Sentence {
  readonly english: string
  readonly japanese: string
}

/** What a delivery report says to a person of the addresses that share an action. */
export interface ReportText {
  /** ASCII: it stands in a header field as it is. */
  readonly subject: string
  readonly before: Sentence
  readonly after: Sentence
}

/** In the order in which a report with several tells them: what went wrong first. */
export const REPORT_ACTIONS: readonly ReportAction[] = ['failed', 'delayed', 'relayed', 'delivered']

export const REPORT_TEXTS: Readonly<Record<ReportAction, ReportText>> = {
  failed: {
    subject: 'Your message could not be delivered',
    before: {
      english: 'Your message could not be delivered to:',
      japanese: 'メールを次の宛先に届けられませんでした。',
    },
    after: {
      english: 'It will not be tried again. The message, or its head, is attached.',
      japanese: 'これ以上の再送は行いません。元のメール（またはその見出し）を添付します。',
    },
  },
  delayed: {
    subject: 'Your message is late, and still being delivered',
    before: {
      english: 'Your message has not reached these addresses yet. You need not send it again:',
      japanese: 'メールがまだ次の宛先に届いていません。送り直す必要はありません。',
    },
    after: { english: 'It is tried again until {until}.', japanese: '{until} まで自動的に再送します。' },
  },
  relayed: {
    subject: 'Your message was handed on',
    before: {
      english: 'Your message was handed to a server that does not report what becomes of it, for:',
      japanese: 'メールを、配達通知に対応していないサーバーに引き渡しました。宛先:',
    },
    after: {
      english: 'You asked to be told; no further report will come.',
      japanese: 'ご依頼の通知です。これ以降の通知はありません。',
    },
  },
  delivered: {
    subject: 'Your message was delivered',
    before: { english: 'Your message was delivered to:', japanese: 'メールを次の宛先に届けました。' },
    after: { english: 'You asked to be told.', japanese: 'ご依頼の配達通知です。' },
  },
}

/** What a status code means to a person, by subject and detail, or by subject alone (rfc3463 §3). */
const REASONS: Readonly<Record<string, Sentence>> = {
  '1.1': {
    english: 'There is no such mailbox at that address; look for a typing mistake.',
    japanese: '宛先のメールアドレスが存在しません。入力の誤りがないかご確認ください。',
  },
  '1.2': {
    english: 'The part behind the @ does not exist; look for a typing mistake.',
    japanese: '@ より後ろの部分（ドメイン）が存在しません。入力の誤りがないかご確認ください。',
  },
  '1.10': {
    english: 'That domain says that it takes no mail.',
    japanese: 'そのドメインはメールを受け取りません。',
  },
  '2.1': {
    english: 'The mailbox is closed or takes no mail at present.',
    japanese: '宛先のメールボックスは現在メールを受け取っていません。',
  },
  '2.2': { english: 'The mailbox is full.', japanese: '宛先のメールボックスがいっぱいです。' },
  '2.3': {
    english: 'The message is too large for that mailbox.',
    japanese: 'メールが大きすぎて、宛先のメールボックスに入りません。',
  },
  '3.4': {
    english: 'The message is too large for the other server.',
    japanese: 'メールが大きすぎて、相手のサーバーが受け取れません。',
  },
  '4.1': { english: 'The other server does not answer.', japanese: '相手のサーバーが応答しません。' },
  '4.2': {
    english: 'The connection to the other server broke off.',
    japanese: '相手のサーバーとの接続が切れました。',
  },
  '4.3': {
    english: 'The other server could not be looked up (DNS).',
    japanese: '相手のサーバーを調べられませんでした（DNS の問題）。',
  },
  '4.4': {
    english: 'No mail server can be found for that domain.',
    japanese: 'そのドメインのメールサーバーが見つかりません。',
  },
  '4.6': { english: 'The message went in circles.', japanese: 'メールが循環していました。' },
  '4.7': {
    english: 'It was tried again and again until the time was over.',
    japanese: '期限まで繰り返し再送しましたが、届きませんでした。',
  },
  '7': {
    english: 'The other server refuses it by its own rules; its words say why.',
    japanese: '相手のサーバーが独自の規則により受け取りを拒否しました。理由は下の応答にあります。',
  },
}

/** The sentence for `5.1.1` and its kin; undefined where the words of the server have to do. */
export function reasonOf(status: string): Sentence | undefined {
  const [, subject = '', detail = ''] = status.split('.')
  for (const key of [`${subject}.${detail}`, subject])
    if (Object.hasOwn(REASONS, key)) return REASONS[key] as Sentence
  return undefined
}
