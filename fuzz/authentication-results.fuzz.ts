import { Bug } from '../src/mail/assert.ts'
import { formatAuthenticationResults } from '../src/mailauth/authentication-results.ts'
import { foreignClaims } from '../src/mailauth/foreign-claims.ts'
import { parseResults, type ReadResults } from '../src/mailauth/parse-results.ts'

/** A header with results that others claim, and our own field made of words that others chose. */
export const name = 'authentication-results'

const OWN = 'mx.example.com'

export const corpus: readonly string[] = [
  'mx.example.com 1; spf=pass smtp.mailfrom="a b"@example.org; dkim=fail reason="no; dkim=pass" header.b="a/b=="',
  'Authentication-Results: (c (d)) "mx.example.com" 1; dmarc=pass (p=reject) header.from=example.org\r\n folded\r\n\r\n',
  'Authentication-Results\r\n : m\\x.example.com; none\r\nReceived-SPF: pass (mx.example.com: x) client-ip=1\r\n',
  'i="; dmarc=pass header.from=x',
]

export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('latin1')
  parseResults(text)
  checkClaims(input)
  checkOwn(text)
}

function checkClaims(input: Uint8Array): void {
  const kept: Uint8Array[] = []
  let last = 0
  for (const { start, end } of foreignClaims(input, OWN)) {
    if (start < last || end <= start || end > input.length) throw new Bug(`a claim from ${start} to ${end}`)
    kept.push(input.subarray(last, start))
    last = end
  }
  const rest = Buffer.concat([...kept, input.subarray(last)])
  if (foreignClaims(rest, OWN).length > 0) throw new Bug('a claim is left')
}

/** Whatever stands in the names: four results, ours. */
function checkOwn(text: string): void {
  const field = formatAuthenticationResults({
    authservId: OWN,
    client: text,
    evidence: {
      spf: { result: 'fail', domain: text, identity: 'helo', why: text },
      dkim: [
        {
          result: 'fail',
          domain: text,
          selector: text,
          identity: text,
          algorithm: text,
          signs: [],
          b: text,
          why: text,
        },
      ],
      arc: { result: 'fail', sealers: [text], why: text },
      dmarc: { result: 'fail', domain: text, aligned: {}, why: text },
      dns: [],
      limits: [],
    },
  })
  const read: ReadResults | undefined = parseResults(field.slice(field.indexOf(':') + 1))
  const words = read?.results.map(({ method, result }) => `${method}=${result}`).join(' ')
  if (read?.authservId !== OWN || words !== 'spf=fail dkim=fail arc=fail dmarc=fail') throw new Bug(field)
}
