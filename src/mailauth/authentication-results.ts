import type {
  ArcFinding,
  DkimFinding,
  DmarcFinding,
  DmarcPolicy,
  Evidence,
  SpfFinding,
} from '../mail/authentication.ts'
import { RESULTS_LIMITS } from './limits.ts'
import { base64Word, domainWord, identityWord, plainToken, reasonWord } from './result-text.ts'

/** What one Authentication-Results field of ours says. */
export interface ResultsToSay {
  readonly authservId: string
  readonly evidence: Evidence
  /** What became of the message under DMARC, for the comment behind its result. */
  readonly disposition?: DmarcPolicy | undefined
  /** The client that handed the message over: `smtp.remote-ip` of the ARC result (rfc8617 §10.1). Canonical. */
  readonly client?: string | undefined
}

const FIELD = 'Authentication-Results:'

/** The value of the field without its name: what ARC-Authentication-Results carries behind its instance (rfc8617 §4.1.1). */
export function formatResults(results: ResultsToSay): string {
  return folded(results, FIELD.length + 1)
}

/** The whole field (rfc8601 §2.2), folded, CRLF-ended. Every word in it is of the IANA registry (rfc8601 §6). */
export function formatAuthenticationResults(results: ResultsToSay): string {
  return `${FIELD} ${formatResults(results)}\r\n`
}

/** A result as the words between which a fold may stand. */
type Words = readonly string[]

function folded({ authservId, evidence, disposition, client }: ResultsToSay, column: number): string {
  const { spf, dkim, arc, dmarc } = evidence
  const all = [spfWords(spf), ...dkimResults(dkim), arcWords(arc, client), dmarcWords(dmarc, disposition)]
  let text = domainWord(authservId)
  let line = column + text.length
  for (const words of all) {
    text += ';'
    line++
    words.forEach((word, at) => {
      // Each result begins a line; a word that doesn't fit begins another.
      const fits = at > 0 && line + 1 + word.length < RESULTS_LIMITS.lineOctets
      text += fits ? ` ${word}` : `\r\n ${word}`
      line = fits ? line + 1 + word.length : 1 + word.length
    })
  }
  return text
}

/** rfc8601 §2.7.2. */
function spfWords({ result, domain, identity, why }: SpfFinding): Words {
  const property = identity === 'mailfrom' ? 'smtp.mailfrom' : 'smtp.helo'
  return [`spf=${result}`, ...reasonOf(result, why), ...propertyOf(property, domainWord, domain)]
}

function dkimResults(findings: readonly DkimFinding[]): Words[] {
  return findings.length === 0 ? [['dkim=none']] : findings.map(dkimWords)
}

/** rfc8601 §2.7.1; `header.a` and `header.s` too, and `header.b` tells signatures apart (rfc6008 §4). */
function dkimWords({ result, why, domain, selector, identity, algorithm, b }: DkimFinding): Words {
  return [
    `dkim=${result}`,
    ...reasonOf(result, why),
    ...propertyOf('header.d', domainWord, domain),
    ...propertyOf('header.i', identityWord, identity),
    ...propertyOf('header.s', domainWord, selector),
    ...propertyOf('header.a', plainToken, algorithm),
    ...propertyOf('header.b', base64Word, b),
  ]
}

/** rfc8617 §10.1. */
function arcWords({ result, sealers, why }: ArcFinding, client: string | undefined): Words {
  return [
    `arc=${result}`,
    ...(result === 'pass' ? [`(i=${sealers.length})`] : []),
    ...reasonOf(result, why),
    ...(result === 'none' ? [] : propertyOf('smtp.remote-ip', domainWord, client)),
  ]
}

/** rfc8601 §2.7.3 names the method, rfc7489 §11.1 `header.from`; the comment is what mail readers and filters know. */
function dmarcWords({ result, policy, domain, why }: DmarcFinding, disposition: string | undefined): Words {
  const asked = policy === undefined ? [] : [`p=${policy}`]
  const comment = [...asked, ...(disposition === undefined ? [] : [`dis=${disposition}`])].join(' ')
  return [
    `dmarc=${result}`,
    ...(comment === '' ? [] : [`(${comment})`]),
    ...reasonOf(result, why),
    ...propertyOf('header.from', domainWord, domain),
  ]
}

/** Why it did not pass; of a pass there is nothing to explain. */
function reasonOf(result: string, why: string | undefined): Words {
  return why === undefined || why === '' || result === 'pass' || result === 'none' ? [] : [reasonWord(why)]
}

function propertyOf(name: string, write: (text: string) => string, value: string | undefined): Words {
  const word = value === undefined || value === '' ? '' : write(value)
  return word === '' ? [] : [`${name}=${word}`]
}
