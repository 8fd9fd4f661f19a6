import { CR, LF, SP, TAB } from '../bytes/ascii.ts'
import type { ArcFinding, DkimFinding, Evidence } from '../mail/authentication.ts'
import { type HeaderField, headerFields } from '../mime/header.ts'
import type { Clock } from '../ports/clock.ts'
import type { EvaluationFacts, ReadableContent } from '../ports/mail-auth.ts'
import { validateArc } from './arc.ts'
import { BoundedVerifier, type VerifierOptions } from './bounded-verifier.ts'
import { boundedKeys, dkimFinding, repeatedFields } from './dkim.ts'
import { checkDmarc } from './dmarc.ts'
import { type AuthDns, Inquiry } from './dns.ts'
import { type Author, readHeaderAuthor } from './from.ts'
import { HeaderBlock } from './header-block.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ParsedKeys } from './parsed-keys.ts'
import { checkSpf } from './spf.ts'

export interface EvaluationTools {
  readonly dns: AuthDns
  readonly clock: Clock
  /** Keys of earlier messages; one for each thread. */
  readonly keys?: ParsedKeys | undefined
}

/**
 * SPF, DKIM, ARC and DMARC of one message. Reads the content once, in pieces, and not beyond its header where nothing
 * signs the body; asks the DNS within `EVALUATION_LIMITS`. Rejects only where the content cannot be read or `dns` throws.
 */
export async function evaluate(
  message: ReadableContent,
  facts: EvaluationFacts,
  tools: EvaluationTools,
): Promise<Evidence> {
  const inquiries = openInquiries(facts, tools)
  const spfUnderWay = checkSpf(facts, inquiries.spf)
  const [spf, read] = await Promise.all([
    spfUnderWay,
    checkSignatures(message, {
      inquiry: inquiries.keys,
      nowMs: tools.clock.now(),
      keys: tools.keys ?? new ParsedKeys(),
    }),
  ])
  const { author, dkim, arc } = read
  const policy = inquiries.openPolicy()
  const dmarc = await checkDmarc({ author, spf, dkim, ask: policy.ask })
  const all = [inquiries.spf, inquiries.keys, policy]
  for (const inquiry of all) inquiry.assertAnswered()
  return {
    spf,
    dkim,
    arc,
    dmarc,
    dns: all.flatMap(({ seen }) => seen),
    limits: [...read.limits, ...all.flatMap(({ limits }) => limits)],
  }
}

interface Inquiries {
  readonly spf: Inquiry
  readonly keys: Inquiry
  openPolicy(): Inquiry
}

/**
 * The sender words the SPF record and the signatures, and may choose a dead server for each name in them. None of it
 * uses up the questions or the time of the policy, which is what stops him: that has its own, from when it is asked.
 */
function openInquiries(facts: EvaluationFacts, { dns, clock }: EvaluationTools): Inquiries {
  const shared = { dns, clock, client: facts.client, answers: new Map() }
  const open = (part: string, maxQuestions: number, ms: number): Inquiry =>
    new Inquiry({ ...shared, part, maxQuestions, deadlineMs: clock.monotonic() + ms })
  return {
    spf: open('SPF', LIMITS.spfQuestions, LIMITS.spfMs),
    keys: open('DKIM and ARC', LIMITS.keyQuestions, LIMITS.keyMs),
    openPolicy: () => open('DMARC', LIMITS.policyQuestions, LIMITS.policyMs),
  }
}

interface SignaturesRead {
  readonly author: Author
  readonly dkim: readonly DkimFinding[]
  readonly arc: ArcFinding
  readonly limits: readonly string[]
}

async function checkSignatures(
  message: ReadableContent,
  { inquiry, nowMs, keys }: { readonly inquiry: Inquiry } & Pick<VerifierOptions, 'nowMs' | 'keys'>,
): Promise<SignaturesRead> {
  const block = new HeaderBlock(LIMITS.headerBytes)
  let reading: Reading | undefined
  const ask = boundedKeys(inquiry.ask)
  for await (const piece of message.pieces()) {
    const body = block.push(piece)
    if (reading === undefined && (block.isWhole || block.isTooLarge)) {
      reading = await startReading(block, { ask, nowMs, keys })
    }
    if (reading === undefined) continue
    if (!(reading.verifier?.wantsBody ?? false)) break
    if (body.length > 0) reading.verifier?.body(body)
  }
  const { author, verifier, excess, repeated } = reading ?? (await startReading(block, { ask, nowMs, keys }))
  if (verifier === undefined) {
    const arc: ArcFinding = { result: 'none', sealers: [], why: excess }
    return { author, dkim: [], arc, limits: excess === undefined ? [] : [excess] }
  }
  const found = await verifier.verified()
  const dkim = found.map(([header, result]) => dkimFinding(header, result, repeated))
  const arc = await validateArc(verifier.arc, ask)
  return { author, dkim, arc, limits: verifier.limits }
}

interface Reading {
  readonly author: Author
  /** None where the header is beyond the limits. */
  readonly verifier: BoundedVerifier | undefined
  readonly excess: string | undefined
  /** Fields that stand there more than once, though they may not. */
  readonly repeated: ReadonlyMap<string, number>
}

async function startReading(
  block: HeaderBlock,
  { ask, nowMs, keys }: Omit<VerifierOptions, 'authorDomain'>,
): Promise<Reading> {
  const octets = block.bytes()
  const author: Author = block.isTooLarge
    ? { kind: 'unreadable', why: 'the header is too large to be sure that it holds one From field' }
    : readHeaderAuthor(octets)
  const fields = headerFields(octets)
  const repeated = repeatedFields(fields)
  const excess = headerExcess(block, octets, fields)
  if (excess !== undefined) {
    return { author, verifier: undefined, excess: `${excess}; its signatures were not looked at`, repeated }
  }
  const verifier = new BoundedVerifier({
    ask,
    nowMs,
    keys,
    authorDomain: author.kind === 'one' ? author.domain : '',
  })
  await verifier.header(octets)
  return { author, verifier, excess: undefined, repeated }
}

/** What would cost mailauth more than it is worth; none of it is in genuine mail. */
function headerExcess(
  block: HeaderBlock,
  octets: Uint8Array,
  fields: readonly HeaderField[],
): string | undefined {
  if (block.isTooLarge) return `the header has more than ${LIMITS.headerBytes} octets`
  if (block.lines > LIMITS.headerLines) return `the header has more than ${LIMITS.headerLines} lines`
  if (hasLongSpace(octets)) return `the header has ${LIMITS.spaceRun} white-space octets in a row`
  if (fields.length >= LIMITS.headerFields) return `the header has ${LIMITS.headerFields} fields or more`
  const isLong = fields.some(({ key, raw }) => ADDRESSES.has(key) && raw.length > LIMITS.fromBytes)
  return isLong ? `a From or Return-Path field has more than ${LIMITS.fromBytes} octets` : undefined
}

/** mailauth reads their addresses, too, though nothing here asks for them. */
const ADDRESSES: ReadonlySet<string> = new Set(['from', 'return-path'])

function hasLongSpace(octets: Uint8Array): boolean {
  let run = 0
  for (const octet of octets) {
    const isSpace = octet === SP || octet === TAB || octet === CR || octet === LF
    run = isSpace ? run + 1 : 0
    if (run >= LIMITS.spaceRun) return true
  }
  return false
}
