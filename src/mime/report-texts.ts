/** What a delivery report says to a person. `until` is a date, or empty. */
export interface ReportText {
  /** ASCII: it stands in a header field as it is. */
  readonly subject: string
  readonly english: (until: string) => string
  readonly englishEnd: (until: string) => string
  readonly japanese: (until: string) => string
  readonly japaneseEnd: (until: string) => string
}

export const REPORT_TEXTS: Readonly<Record<'failed' | 'delayed' | 'delivered' | 'relayed', ReportText>> = {
  failed: {
    subject: 'Your message could not be delivered',
    english: () => 'Your message could not be delivered to:',
    englishEnd: () => 'It will not be tried again. The message, or its head, is attached.',
    japanese: () => 'メールを次の宛先に届けられませんでした。',
    japaneseEnd: () => 'これ以上の再送は行いません。元のメール（またはその見出し）を添付します。',
  },
  delayed: {
    subject: 'Your message is late, and still being delivered',
    english: () => 'Your message has not reached these addresses yet. You need not send it again:',
    englishEnd: (until) => `It is tried again until ${until}.`,
    japanese: () => 'メールがまだ次の宛先に届いていません。送り直す必要はありません。',
    japaneseEnd: (until) => `${until} まで自動的に再送します。`,
  },
  delivered: {
    subject: 'Your message was delivered',
    english: () => 'Your message was delivered to:',
    englishEnd: () => 'You asked to be told.',
    japanese: () => 'メールを次の宛先に届けました。',
    japaneseEnd: () => 'ご依頼の配達通知です。',
  },
  relayed: {
    subject: 'Your message was handed on',
    english: () => 'Your message was handed to a server that does not report what becomes of it, for:',
    englishEnd: () => 'You asked to be told; no further report will come.',
    japanese: () => 'メールを、配達通知に対応していないサーバーに引き渡しました。宛先:',
    japaneseEnd: () => 'ご依頼の通知です。これ以降の通知はありません。',
  },
}
