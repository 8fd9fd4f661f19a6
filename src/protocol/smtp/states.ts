import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import type { Verb } from './parse.ts'

/**
 * Where a conversation stands:
 *
 *     greeted ──EHLO──▶ ready ──MAIL──▶ mail ──RCPT──▶ rcpt ──BDAT──▶ chunks
 *                         ▲               │              │               │
 *                         └── RSET, EHLO, end of data, or a refusal ─────┘
 *
 * `refused` is a connection greeted with 554: only QUIT is left (rfc5321 §3.1).
 */
export type Phase = 'greeted' | 'ready' | 'mail' | 'rcpt' | 'chunks' | 'refused'

const HELO_FIRST = reply(503, '5.5.1', 'Say hello first')
const NO_MAIL = reply(503, '5.5.1', 'MAIL is needed first')
const NO_RCPT = reply(503, '5.5.1', 'No valid recipient was given')
const NESTED = reply(503, '5.5.1', 'A transaction is open already')
const IN_CHUNKS = reply(503, '5.5.1', 'BDAT has begun: more BDAT or RSET')
const NO_SERVICE = reply(503, '5.7.1', 'No service for you: QUIT')
const OK = 'ok'

type Row = readonly [Exclude<Phase, 'refused'>, Reply | typeof OK][]

const anywhere: Row = [
  ['greeted', OK],
  ['ready', OK],
  ['mail', OK],
  ['rcpt', OK],
  ['chunks', OK],
]
const outsideTransaction: Row = [
  ['greeted', HELO_FIRST],
  ['ready', OK],
  ['mail', NESTED],
  ['rcpt', NESTED],
  ['chunks', NESTED],
]
const content = (inChunks: Reply | typeof OK): Row => [
  ['greeted', HELO_FIRST],
  ['ready', NO_MAIL],
  ['mail', NO_RCPT],
  ['rcpt', OK],
  ['chunks', inChunks],
]

/** Which command may come when, and what it is told where it may not. */
const ROWS: readonly (readonly [Verb, Row])[] = [
  ['HELO', anywhere],
  ['EHLO', anywhere],
  ['LHLO', anywhere],
  // rfc5321 §4.1.4: these need no greeting.
  ['RSET', anywhere],
  ['NOOP', anywhere],
  ['QUIT', anywhere],
  ['HELP', anywhere],
  ['VRFY', anywhere],
  ['EXPN', anywhere],
  // rfc3207 §4 and rfc4954 §4: not within a transaction.
  ['STARTTLS', outsideTransaction],
  ['AUTH', outsideTransaction],
  ['MAIL', outsideTransaction],
  [
    'RCPT',
    [
      ['greeted', HELO_FIRST],
      ['ready', NO_MAIL],
      ['mail', OK],
      ['rcpt', OK],
      ['chunks', IN_CHUNKS],
    ],
  ],
  ['DATA', content(IN_CHUNKS)],
  ['BDAT', content(OK)],
]

const TABLE: ReadonlyMap<Verb, ReadonlyMap<Phase, Reply | typeof OK>> = new Map(
  ROWS.map(([verb, row]) => [
    verb,
    new Map<Phase, Reply | typeof OK>([...row, ['refused', verb === 'QUIT' ? OK : NO_SERVICE]]),
  ]),
)

/** The refusal of `verb` in `phase`, or undefined where it may come. */
export function orderRefusal(verb: Verb, phase: Phase): Reply | undefined {
  const found = TABLE.get(verb)?.get(phase)
  return found === OK || found === undefined ? undefined : found
}
