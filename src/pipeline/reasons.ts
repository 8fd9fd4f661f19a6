/** Why a message was never finished, by the rule of its last decision: whole sentences for a person. */
const ENDINGS: Readonly<Record<string, string>> = {
  recipients: 'Not all of its recipients could be taken, so nothing was sent',
  'content refused': 'Its content was refused while it came',
  'content reset': 'The client began anew before the content had come to its end',
  'NUL octets': 'It held NUL octets, which mail may not have',
  'content lost': 'The connection was lost before the content had come to its end',
  'reset by RSET': 'The client took it back (RSET)',
  'reset by HELO': 'The client began anew (EHLO) before the message had come',
  'reset by STARTTLS': 'The client turned to TLS before the message had come',
  'reset by refused': 'It was given up after the refusal',
  'reset by closed': 'The connection ended before the message had come',
  'connection: quit': 'The client said good-bye before the message had come',
  'connection: peer-closed': 'The client closed the connection before the message had come',
  'connection: timeout': 'The client was silent for too long, and the connection was ended',
  'connection: refused': 'The connection was ended after too many refusals',
  'connection: attack': 'The connection was ended, since the client did what only an attack does',
  'connection: shutdown': 'This server was stopped before the message had come',
  'connection: no-answer': 'This server was not able to answer in time',
  'connection peer-closed': 'The client closed the connection before the message had come',
  'connection finished': 'The connection ended before the message had come',
  'connection cut': 'This server was stopped before the message had come',
  'connection broken': 'The connection broke before the message had come',
  'connection stalled': 'The client read none of the answers, and the connection was ended',
  'connection tls-failed': 'TLS failed on the connection',
  'connection fault': 'This server failed at the connection; its log has more',
}

/** What stands behind `It was refused`, by the rule. */
const RULES: Readonly<Record<string, string>> = {
  default: ', as is every message whose recipients were taken',
  'test-domain': ', as is everything for the test domain',
  size: ' for its size',
  loop: ', since it goes round in a loop',
  'sender-owner': ', since its sender may not use that envelope address',
  'author-owner': ', since its sender may not write that From',
  store: ', since it could not be stored',
  'header-count': ', since its header breaks the rules',
  'author-unclear': ', since it can not be told who wrote it',
  'author-domains': ', since it names authors of several domains',
  'dmarc-pass': ", since its author's domain vouches for it",
  'dmarc-none': ", since its author's domain asks for nothing else",
  'dmarc-unknown': ", though the policy of its author's domain could not be looked up",
  'dmarc-delivered': ", though its author's domain does not vouch for it",
  trusted: ' by an exception',
  dmarc: ", since its author's domain does not vouch for it",
  'dmarc-list': ", since a mailing list may have broken its author's authentication",
  'dmarc-arc': ", since a server on its way may have broken its author's authentication",
  'dmarc-forwarder': ', since it comes by a known forwarder that no exception covers',
  'dmarc-unproven': ', since nothing vouches for it and nothing else speaks against it',
  'spf-temporary': ', since SPF could not be looked up',
  'dkim-temporary': ', since a DKIM key could not be looked up',
  'dmarc-temporary': ', since DMARC could not be looked up',
  junk: ' into Junk instead of being held',
  'unknown-user': ', since there is no such mailbox here',
  'sender-domain': ", since its sender's domain does not exist",
  'not-checked': ', since it could not be checked',
  'not-signed': ', since it could not be signed',
}

/** A sentence without its full stop for a message that was never finished; undefined for another rule. */
export function endingOf(rule: string): string | undefined {
  return Object.hasOwn(ENDINGS, rule) ? ENDINGS[rule] : undefined
}

export function ruleText(rule: string): string {
  if (rule.startsWith('dsn:')) return ', being a report of this server'
  return (Object.hasOwn(RULES, rule) ? RULES[rule] : undefined) ?? ` by the rule "${rule}"`
}
