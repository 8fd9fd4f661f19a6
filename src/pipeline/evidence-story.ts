import type {
  ArcFinding,
  DkimFinding,
  DmarcFinding,
  DmarcPolicy,
  Evidence,
  SpfFinding,
} from '../mail/authentication.ts'

/**
 * What was found out about a message, in sentences for a person who has never read an RFC; the technical word stands
 * in brackets. `hikyaku why`, `quarantine show` and `check-message` print it.
 * @param client the address that was checked.
 */
export function evidenceStory(evidence: Evidence, client: string): readonly string[] {
  const { spf, dkim, arc, dmarc, limits } = evidence
  return [
    spfSentence(spf, client),
    ...(dkim.length === 0 ? ['The message carries no signature (DKIM none).'] : dkim.map(dkimSentence)),
    ...arcSentences(arc),
    ...dmarcSentences(dmarc),
    ...limits.map((limit) => `A limit was reached: ${withStop(limit)}`),
  ]
}

/** The answers of the DNS that the findings stand on, a line each. */
export function recordLines({ dns }: Evidence): readonly string[] {
  return dns.map(({ name, type, said }) => `${type} of ${name}: ${said}`)
}

function spfSentence({ result, domain, identity, why }: SpfFinding, client: string): string {
  const whose =
    identity === 'helo'
      ? `${domain || '?'}, the name that the client called itself`
      : `${domain || '?'}, the domain of the envelope sender`
  return `${spfText(result, whose, client)} (SPF ${result}${because(why)}).`
}

function spfText(result: SpfFinding['result'], whose: string, client: string): string {
  switch (result) {
    case 'pass':
      return `${client} may send mail for ${whose}`
    case 'fail':
      return `${client} may not send mail for ${whose}`
    case 'softfail':
      return `${client} is probably not meant to send mail for ${whose}`
    case 'neutral':
      return `It is left open whether ${client} may send mail for ${whose}`
    case 'none':
      return `Who may send mail is not published for ${whose}`
    case 'temperror':
      return `It could not be looked up just now who may send mail for ${whose}`
    case 'permerror':
      return `What is published about who may send mail cannot be used, for ${whose}`
  }
}

function dkimSentence(finding: DkimFinding): string {
  const { result, domain, selector, algorithm, keyBits, unsignedBytes, why } = finding
  const key = keyBits === undefined ? '' : `, ${keyBits} bits`
  const facts = [`selector ${selector || '?'}`, ...(algorithm === undefined ? [] : [`${algorithm}${key}`])]
  const l = unsignedBytes === undefined ? '' : `; ${unsignedBytes} octets of the body are not covered by it`
  return `${dkimText(result, domain || '?')} (DKIM ${result}, ${facts.join(', ')}${because(why)})${l}.`
}

function dkimText(result: DkimFinding['result'], domain: string): string {
  switch (result) {
    case 'pass':
      return `${domain} signed the message, and it has not been changed since`
    case 'fail':
      return `A signature that names ${domain} does not fit: the message was changed after it was signed, or the signature was copied from another message`
    case 'policy':
      return `A signature of ${domain} is not accepted by the rules here`
    case 'neutral':
    case 'permerror':
      return `A signature that names ${domain} cannot be checked`
    case 'temperror':
      return `A signature that names ${domain} could not be checked just now, since its key could not be looked up`
  }
}

function arcSentences({ result, sealers, said, why }: ArcFinding): readonly string[] {
  if (result === 'none') return []
  const through = sealers.length === 0 ? '' : ` by ${sealers.join(', then ')}`
  if (result === 'fail')
    return [`The seals of servers that passed it on${through} do not hold (ARC fail${because(why)}).`]
  return [
    `It was passed on, and sealed${through} (ARC pass).`,
    ...(said === undefined ? [] : [`The last of them says that it saw: ${said}.`]),
  ]
}

function dmarcSentences(finding: DmarcFinding): readonly string[] {
  const { result, domain, policyDomain, policy, leniency, why } = finding
  const at = policyDomain === undefined || policyDomain === domain ? '' : ` (published for ${policyDomain})`
  const lines: string[] = []
  switch (result) {
    case 'none':
      lines.push(
        domain === ''
          ? `There is no single author domain, so no policy can be asked for (DMARC none${because(why)}).`
          : `${domain} publishes no policy for mail that fails (DMARC none${because(why)}).`,
      )
      break
    case 'pass':
      lines.push(`The mail is what it says: ${vouching(finding)} ${domain}, the domain in From (DMARC pass).`)
      break
    case 'fail':
      lines.push(
        `Nothing vouches for ${domain}, the domain in From: neither a signature of it nor an address that may send for it (DMARC fail${because(why)}).`,
        `${domain} asks of such mail${at}: ${ASKS[policy ?? 'none']}.`,
      )
      break
    case 'temperror':
      lines.push(`The policy of ${domain} could not be looked up just now (DMARC temperror${because(why)}).`)
      break
    case 'permerror':
      lines.push(`The policy of ${domain} cannot be used (DMARC permerror${because(why)}).`)
  }
  return leniency === undefined ? lines : [...lines, `Read with leniency: ${withStop(leniency)}`]
}

function vouching({ aligned }: DmarcFinding): string {
  if (aligned.dkim === undefined) return 'the sending address may send for'
  return aligned.spf === undefined
    ? 'a signature vouches for'
    : 'a signature and the sending address vouch for'
}

const ASKS: Readonly<Record<DmarcPolicy, string>> = {
  none: 'that it is delivered all the same (p=none)',
  quarantine: 'that it is treated with suspicion (p=quarantine)',
  reject: 'that it is refused (p=reject)',
}

const because = (why: string | undefined): string => (why === undefined || why === '' ? '' : `: ${why}`)
const withStop = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
