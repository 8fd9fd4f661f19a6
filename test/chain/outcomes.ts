/*
 * The acceptance table: what becomes of each message that the real chain was given. Written from the record of that chain
 * and from what is said of its mistakes, not from what this server does. `why` is the reason for the outcome: "as the
 * chain" where the chain was right, else what is better.
 */

export interface Outcome {
  readonly row: string
  /** Each must be found in the reply that decided. */
  readonly reply: readonly RegExp[]
  readonly ended: 'inbox' | 'held' | 'refused' | 'deferred'
  /**
   * Parts of the one Authentication-Results field: `spf=softfail smtp.mailfrom=far.test` is found where a result of that
   * word has that property, with or without a local part.
   */
  readonly results?: readonly string[]
  /** What the trace must say, and for what is held `quarantine show` too. */
  readonly says?: readonly RegExp[]
  /** What else `quarantine show` must say. */
  readonly shows?: readonly RegExp[]
  readonly why: string
  /** It is known not to come out so yet, and why. A row that does fails until this is taken away. */
  readonly pending?: string
}

const accepted = [/^250 2\./]
const asTheChain = 'as the chain'

function delivered(row: string, results: readonly string[], why = asTheChain): Outcome {
  return { row, reply: accepted, ended: 'inbox', results, why }
}

function held(row: string, says: readonly RegExp[], why = asTheChain): Outcome {
  return { row, reply: accepted, ended: 'held', says, why }
}

/** By the DMARC policy of `domain`: the reply names it, what it asks, and what failed. */
function refusedByPolicy(row: string, domain: string, why: string): Outcome {
  const named = new RegExp(domain.replaceAll('.', '\\.'))
  return {
    ...{ row, ended: 'refused', why },
    reply: [/^550[ -]5\.7\.26 /, named, /reject/i, /SPF|DKIM/],
    says: [named, /DMARC/],
  }
}

/** By the structure of the message: the reply names the field and the rule. */
function refusedByField(row: string, field: string): Outcome {
  return {
    ...{
      row,
      ended: 'refused',
      why: 'refused as the chain does, but the reply names the field and the rule',
    },
    reply: [/^5\d\d[ -]5\.\d+\.\d+ /, new RegExp(`\\b${field}\\b`), /RFC ?5322|RFC ?9989|domains?/i],
    says: [new RegExp(`\\b${field}\\b`)],
  }
}

function deferred(row: string, code: RegExp, says: readonly RegExp[], why: string): Outcome {
  return { row, reply: [code], ended: 'deferred', says, why }
}

const evidence = 'p=reject is refused where there is further evidence, and the reply says which'

export const outcomes: readonly Outcome[] = [
  ...genuine('B01', 'bigmail.test'),
  ...genuine('B02', 'bigmail.test'),
  ...genuine('B03', 'strict.test'),
  ...genuine('B04', 'bigmail.test'),
  delivered(
    'B05',
    ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test'],
    'delivered, and unlike there the raw UTF-8 of its header is kept octet for octet',
  ),
  held('B10', [/jf3vqb\.test/, /quarantine/i, /DKIM/, /SPF/]),
  held('B11', [/jf3vqb\.test/, /quarantine/i, /SPF/]),
  held('B12', [/jf3vqb\.test/, /quarantine/i]),
  held('B13', [/jf3vqb\.test/, /quarantine/i]),
  refusedByPolicy('B14', 'strict.test', evidence),
  delivered('B15', ['spf=fail smtp.mailfrom=nonepol.test', 'dmarc=fail header.from=nonepol.test']),
  delivered('B16', ['spf=fail smtp.mailfrom=nodmarc.test', 'dmarc=none header.from=nodmarc.test']),
  refusedByPolicy('B17', 'strict.test', evidence),
  refusedByField('B20', 'From'),
  refusedByField('B21', 'From'),
  delivered('B22', ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test']),
  refusedByField('B23', 'From'),
  refusedByField('B24', 'From'),
  refusedByField('B25', 'Date'),
  refusedByField('B26', 'From'),
  delivered('B27', ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test']),
  refusedByField('B28', 'Subject'),
  refusedByField('B29', 'Date'),
  held('B30', [/softfail\.test/, /quarantine/i, /softfail/], 'held as there; recorded as softfail, not fail'),
  delivered(
    'B31',
    [
      'dkim=pass header.d=softfail.test',
      'spf=softfail smtp.mailfrom=softfail.test',
      'dmarc=pass header.from=softfail.test',
    ],
    'delivered as there; recorded as softfail, not fail',
  ),
  deferred('B32', /^451[ -]4\.7\.24 /, [/spftemp\.test/], 'a temporary DNS failure never refuses for good'),
  delivered(
    'B33',
    [
      'dkim=pass header.d=spftemp.test',
      'spf=temperror smtp.mailfrom=spftemp.test',
      'dmarc=pass header.from=spftemp.test',
    ],
    'delivered as there; recorded as temperror, a word that rfc8601 has',
  ),
  delivered(
    'B34',
    ['spf=pass smtp.mailfrom=tempdmarc.test'],
    'the policy cannot be looked up, but an aligned pass would fulfil any',
  ),
  deferred(
    'B35',
    /^451[ -]4\.7\.\d+ /,
    [/tempdmarc\.test/],
    'a policy that cannot be looked up is not "no policy"',
  ),
  deferred('B36', /^451[ -]4\.\d+\.\d+ /, [/servfail\.test/], asTheChain),
  delivered(
    'B37',
    ['spf=pass smtp.mailfrom=bigmail.test'],
    'delivered: local delivery never needs the DNS of the From domain',
  ),
  deferred(
    'B38',
    /^451[ -]4\.7\.5 /,
    [/strict\.test/],
    'a key that cannot be looked up never refuses for good',
  ),
  refusedByPolicy('B39', 'strict.test', 'as the chain, saying why'),
  delivered('B40', ['spf=pass smtp.mailfrom=strict.test', 'dmarc=pass header.from=strict.test']),
  {
    ...{ row: 'B41', ended: 'refused', why: asTheChain },
    reply: [/^55\d[ -]5\.\d+\.\d+ /, /nxdomain-xyz\.test/],
  },
  delivered('B45', [
    'dkim=pass header.d=strict.test',
    'spf=fail smtp.mailfrom=strict.test',
    'dmarc=pass header.from=strict.test',
  ]),
  delivered('B46', [
    'dkim=pass header.d=strict.test',
    'spf=pass smtp.mailfrom=forwarder.test',
    'dmarc=pass header.from=strict.test',
  ]),
  refusedByPolicy(
    'B47',
    'strict.test',
    'as the chain: SPF is not aligned, and nothing vouches for the forwarder',
  ),
  held(
    'B50',
    [/strict\.test/, /list/i, /signature|DKIM/i],
    'not refused: a mailing list explains the failure, and may be trusted',
  ),
  held('B51', [/quar\.test/, /quarantine/i]),
  delivered('B52', [
    'dkim=fail header.d=bigmail.test',
    'spf=pass smtp.mailfrom=bsdlist.test',
    'dmarc=fail header.from=bigmail.test',
  ]),
  refusedByPolicy('B55', 'subpol.test', evidence),
  delivered('B56', ['spf=fail smtp.mailfrom=mail.subpol2.test', 'dmarc=fail header.from=mail.subpol2.test']),
  refusedByPolicy('B57', 'strict.test', evidence),
  {
    ...held('B58', [/pct0\.test/, /quarantine/i], 'pct=0 is read as t=y: the policy is one step lower'),
    shows: [/leniency.*pct=0/],
  },
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((sample) =>
    refusedByPolicy(`B59.${sample}`, 'pct50.test', 'rfc9989 has no dice: pct=50 is not read'),
  ),
  refusedByPolicy('B60', 'strictalign.test', 'strict alignment is strict in both directions'),
  delivered('B61', [
    'spf=pass smtp.mailfrom=bounce.relaxalign.test',
    'dmarc=pass header.from=relaxalign.test',
  ]),
  delivered(
    'B62',
    ['spf=none smtp.mailfrom=freebsd.azure.test', 'dmarc=none header.from=dupdmarc.test'],
    'two records at a name are none there',
  ),
  delivered(
    'B63',
    ['spf=none smtp.mailfrom=freebsd.azure.test', 'dmarc=fail header.from=baddmarc.test'],
    'an invalid p= beside a valid rua= is p=none',
  ),
  refusedWith(
    refusedByPolicy('B64', 'dupspf.test', 'as the chain; recorded as permerror, not fail'),
    /permerror/,
  ),
  refusedWith(
    refusedByPolicy('B65', 'spf11.test', 'as the chain; recorded as permerror, not fail'),
    /permerror/,
  ),
  refusedByPolicy('B66', 'strict.test', 'as the chain: what others wrote in our name is not believed'),
  delivered('B67', [
    'dkim=pass header.d=strict.test',
    'dkim=fail header.d=bigmail.test',
    'spf=none smtp.mailfrom=freebsd.azure.test',
    'dmarc=pass header.from=strict.test',
  ]),
  unknownUser('B75'),
  unknownUser('B76'),
  ...genuine('B77', 'bigmail.test'),
  ...genuine('B78', 'bigmail.test'),
  ...genuine('B79', 'bigmail.test'),
  delivered('S04', ['spf=softfail smtp.mailfrom=bigmail.test', 'dmarc=fail header.from=bigmail.test']),
  refusedByPolicy('X01', 'strictalign.test', 'strict alignment is strict in both directions'),
  refusedByPolicy('X02', 'strictalign.test', asTheChain),
  refusedByPolicy('X03', 'strictalign.test', asTheChain),
  ...[1, 2, 3, 4, 5, 6].map((sample) =>
    delivered(
      `X04.${sample}`,
      ['spf=none smtp.mailfrom=freebsd.azure.test', 'dmarc=none header.from=dupdmarc.test'],
      'two records at a name are none there, always',
    ),
  ),
  delivered('X05', ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test']),
  delivered(
    'X06',
    ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test'],
    'the second of one Message-ID arrives too',
  ),
]

function genuine(row: string, domain: string): [Outcome] {
  return [
    delivered(row, [
      `dkim=pass header.d=${domain}`,
      `spf=pass smtp.mailfrom=${domain}`,
      `dmarc=pass header.from=${domain}`,
    ]),
  ]
}

function refusedWith(outcome: Outcome, says: RegExp): Outcome {
  return { ...outcome, says: [...(outcome.says ?? []), says] }
}

function unknownUser(row: string): Outcome {
  return {
    ...{ row, ended: 'refused', why: 'refused at RCPT: no report goes to a sender who may be forged' },
    reply: [/^550[ -]5\.1\.1 /],
  }
}
