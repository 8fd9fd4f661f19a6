import type { DkimFinding, SpfFinding } from '../../mail/authentication.ts'
import type { Held } from '../../ports/quarantine.ts'
import { couldAlign } from '../policy/alignment.ts'
import { MAX_NAMED_SIGNATURES } from '../policy/limits.ts'

/**
 * Why a message is held, in Japanese: by the rule and by what was found, since the sentences of the rules are in
 * English. A rule that is not known here keeps its sentence.
 */
export function japaneseReason(held: Held, index: number): string {
  const reason = held.reasons[index]
  if (reason === undefined) return ''
  return Object.hasOwn(BY_RULE, reason.rule) ? (BY_RULE[reason.rule]?.(held) ?? reason.text) : reason.text
}

const BY_RULE: Readonly<Record<string, (held: Held) => string>> = {
  dmarc: unvouched,
  spf: spfText,
  dkim: dkimText,
  'dmarc-list': ({ evidence: { dmarc } }) =>
    `${dmarc.domain} からのメールが、メーリングリストを通って書き換えられたようです。署名 (DKIM) が一致しないため、本物かどうか確認できません。`,
  'dmarc-forwarder': ({ evidence: { dmarc } }) =>
    `${dmarc.domain} からのメールが転送されてきたようですが、転送のため本物かどうか確認できません。`,
  'dmarc-arc': ({ evidence: { dmarc } }) =>
    `${dmarc.domain} からのメールを別のサーバーが中継し、その記録 (ARC) を付けていますが、そのサーバーは信頼の対象に登録されていません。`,
  'dmarc-unproven': () =>
    'ドメインの方針 (DMARC) のほかに疑わしい点は見つかりませんでした。それだけを理由に拒否はせず、保留しています。',
  secondary: () =>
    '予備のメールサーバーが受け取り、転送してきました。ここで拒否すると、そのサーバーが、偽られているかもしれない送信者にエラーメールを送ってしまうため、保留しています。',
  'unknown-user': () => '予備のメールサーバーが、存在しない宛先のメールを受け取って転送してきました。',
  'header-count': () =>
    'メールのヘッダーが規格 (RFC 5322) に合っていません。必要な項目 (差出人や日付) がないか、一つしか書けない項目が重複しているか、項目が多すぎます。',
  'author-unclear': () =>
    '差出人 (From) が書かれていないか、重複しているか、正しく読み取れないため、誰からのメールか判断できません。',
  'author-domains': () =>
    '差出人 (From) に複数のドメインのアドレスが書かれています。そのすべてを確認する方法はありません。',
  'sender-domain': ({ evidence: { spf } }) =>
    `送信者 (エンベロープ) のドメイン ${spf.domain} は存在しません。返信もエラーメールも届きません。`,
  damaged: () => '保留した理由の記録が壊れていて、読み取れません。',
}

function unvouched({ evidence: { dmarc } }: Held): string {
  const { domain, policy, policyDomain = domain } = dmarc
  const wish = policy === 'reject' ? '拒否する' : '疑わしいものとして扱う'
  return `${domain} を名乗っていますが、その証明 (SPF・DKIM) がありません。${policyDomain} はそのようなメールを${wish}よう求めています (DMARC p=${policy ?? 'none'})。`
}

function spfText({ client, evidence: { dmarc, spf } }: Held): string {
  const domain = spf.domain === '' ? '送信者のドメイン' : spf.domain
  const isOther = spf.domain !== '' && !couldAlign(spf.domain, dmarc, 'spf')
  const other = isOther ? `${spf.domain} は ${dmarc.domain} とは別のドメインです。` : ''
  return `${SPF_SAYS[spf.result](domain, client)} (SPF ${spf.result})。${other}`
}

const SPF_SAYS: Readonly<Record<SpfFinding['result'], (domain: string, client: string) => string>> = {
  pass: (domain, client) => `送信元 ${client} は ${domain} のメールを送ることを許可されています`,
  fail: (domain, client) => `送信元 ${client} は ${domain} のメールを送ることを許可されていません`,
  softfail: (domain, client) =>
    `送信元 ${client} は ${domain} のメールを送ることをおそらく許可されていません`,
  neutral: (domain, client) => `${domain} は、送信元 ${client} を許可するかどうかを示していません`,
  none: (domain) => `${domain} は、どのサーバーに送信を許可するかを示していません`,
  permerror: (domain) => `${domain} が示している送信の許可は誤っていて、読み取れません`,
  temperror: (domain) => `${domain} がどのサーバーに送信を許可しているか、調べられませんでした`,
}

function dkimText({ evidence: { dkim, dmarc } }: Held): string {
  if (dkim.length === 0) return `${dmarc.domain} の電子署名がありません (DKIM none)。`
  const told = dkim.slice(0, MAX_NAMED_SIGNATURES).map((finding) => signatureText(finding, dmarc.domain))
  const more = dkim.length > told.length ? `ほかに署名が ${dkim.length - told.length} 個あります。` : ''
  const isOwn = dkim.some(({ domain }) => couldAlign(domain, dmarc, 'dkim'))
  return `${told.join('')}${more}${isOwn ? '' : `${dmarc.domain} の署名はありません。`}`
}

function signatureText({ domain, result }: DkimFinding, author: string): string {
  const of = domain === '' ? '誰のものか分からない電子署名' : `${domain} の電子署名`
  const other = result === 'pass' && domain !== author ? 'が、差出人とは別のドメインのものです' : ''
  return `${of}${DKIM_SAYS[result]} (DKIM ${result})${other}。`
}

const DKIM_SAYS: Readonly<Record<DkimFinding['result'], string>> = {
  pass: 'は有効です',
  fail: 'がこのメールの内容と一致しません',
  temperror: 'を確認できませんでした',
  permerror: 'は正しく書かれておらず、使えません',
  policy: 'は有効なものとして数えられません',
  neutral: 'は有効なものとして数えられません',
}
