import { XMLParser } from 'fast-xml-parser'
import type { DmarcPolicy } from '../../mail/authentication.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import { canonicalIp } from '../../mail/ip.ts'
import type { PolicyOverride, ReportedDkim, ReportedSpf, ReportRecord } from '../../ports/reports.ts'
import type { AggregateReport, PublishedPolicy } from './aggregate.ts'
import { REPORT_LIMITS } from './limits.ts'
import { decodeReportText } from './report-text.ts'
import { shownText } from './shown-text.ts'
import { guardXml, type XmlChild } from './xml-guard.ts'

export type ParsedAggregate =
  | {
      readonly ok: true
      readonly report: AggregateReport
      /** Messages of records that were not kept for their number. */
      readonly omitted: number
      /** Records that had no address or no count. */
      readonly broken: number
    }
  | { readonly ok: false; readonly why: string }

/** An element: what stands in it by lower-case name, or its text. */
type Node = Readonly<Record<string, unknown>>

/**
 * Reads a report in the form of rfc9990 or of rfc7489, appendix C, as it comes: namespaces, attributes and letter
 * case are disregarded, fields may be missing. Never throws.
 */
export function parseAggregate(octets: Uint8Array): ParsedAggregate {
  const text = decodeReportText(octets)
  const guarded = guardXml(text)
  if (!guarded.ok) return { ok: false, why: `as XML it is refused: ${guarded.why}` }
  if (guarded.root !== 'feedback') return { ok: false, why: 'it has no element "feedback"' }
  // Each child alone, so that a report with many records takes no more memory than one.
  const parser = makeParser()
  const parse = ({ end, start }: XmlChild): unknown => parser.parse(text.slice(start, end))
  try {
    return readFeedback(guarded.children, parse)
  } catch (error) {
    const why = shownText(String(error))
    return { ok: false, why: `as XML it cannot be read: ${why}` }
  }
}

/** What the guard has let through holds no entity to expand and no name to pollute an object with; this says it again. */
function makeParser(): XMLParser {
  return new XMLParser({
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    trimValues: true,
    // Decoded by `decoded` below, once: the parser never replaces anything.
    processEntities: false,
    htmlEntities: false,
    transformTagName: (name) => name.toLowerCase(),
    maxNestedTags: REPORT_LIMITS.xmlDepth + 1,
    strictReservedNames: true,
  })
}

function readFeedback(elements: readonly XmlChild[], parse: (element: XmlChild) => unknown): ParsedAggregate {
  const first = (name: string): Node | undefined => {
    const element = elements.find((one) => one.name === name)
    return element === undefined ? undefined : child(parse(element), name)
  }
  const metadata = first('report_metadata')
  const published = first('policy_published')
  const domain = published && domainOf(published, 'domain')
  if (metadata === undefined || published === undefined || domain === undefined)
    return { ok: false, why: 'it does not say about which domain it is' }
  const organization = textOf(metadata, 'org_name') ?? textOf(metadata, 'email')
  const reportId = textOf(metadata, 'report_id')
  if (organization === undefined || reportId === undefined)
    return { ok: false, why: 'it does not say whose it is, or has no report id' }
  const range = child(metadata, 'date_range')
  const [beginSeconds, endSeconds] = [secondsOf(range, 'begin'), secondsOf(range, 'end')]
  if (beginSeconds === undefined || endSeconds === undefined || endSeconds < beginSeconds)
    return { ok: false, why: 'it does not say about which time it is' }
  const records: ReportRecord[] = []
  let [broken, omitted] = [0, 0]
  for (const element of elements) {
    if (element.name !== 'record') continue
    const record = readRecord(child(parse(element), 'record'), domain)
    if (record === undefined) broken++
    else if (records.length < REPORT_LIMITS.records) records.push(record)
    else omitted += record.count
  }
  if (records.length === 0) return { ok: false, why: 'it has no record that can be read' }
  const report: AggregateReport = {
    organization,
    email: textOf(metadata, 'email') ?? '',
    extraContact: textOf(metadata, 'extra_contact_info'),
    reportId,
    beginSeconds,
    endSeconds,
    errors: children(metadata, 'error')
      .map(nodeText)
      .filter((text) => text !== ''),
    generator: textOf(metadata, 'generator'),
    policy: readPolicy(published, domain),
    records,
  }
  return { ok: true, report, omitted, broken }
}

function readPolicy(published: Node, domain: string): PublishedPolicy {
  return {
    domain,
    p: policyOf(published, 'p'),
    sp: policyOf(published, 'sp'),
    np: policyOf(published, 'np'),
    adkim: oneOf(published, 'adkim', ['r', 's']),
    aspf: oneOf(published, 'aspf', ['r', 's']),
    fo: textOf(published, 'fo'),
    testing: yesOrNo(textOf(published, 'testing')),
    discovery: oneOf(published, 'discovery_method', ['psl', 'treewalk']),
  }
}

const yesOrNo = (text: string | undefined): boolean | undefined =>
  text === 'y' ? true : text === 'n' ? false : undefined

const policyOf = (node: Node, name: string): DmarcPolicy | undefined =>
  oneOf(node, name, ['none', 'quarantine', 'reject'])

function readRecord(record: Node | undefined, policyDomain: string): ReportRecord | undefined {
  const row = child(record, 'row')
  const sourceIp = canonicalIp(textOf(row, 'source_ip') ?? '')
  const count = countOf(row)
  if (sourceIp === undefined || count === undefined) return undefined
  const evaluated = child(row, 'policy_evaluated')
  const identifiers = child(record, 'identifiers') ?? child(record, 'identities')
  const results = child(record, 'auth_results')
  return {
    sourceIp,
    count,
    disposition: oneOf(evaluated, 'disposition', ['none', 'pass', 'quarantine', 'reject']) ?? 'none',
    dkimAligned: lowerText(evaluated, 'dkim') === 'pass',
    spfAligned: lowerText(evaluated, 'spf') === 'pass',
    reasons: children(evaluated, 'reason').slice(0, REPORT_LIMITS.reasons).map(readReason),
    headerFrom: domainOf(identifiers, 'header_from') ?? policyDomain,
    envelopeFrom: readEnvelopeFrom(identifiers),
    dkim: children(results, 'dkim')
      .slice(0, REPORT_LIMITS.signatures)
      .map(readDkim)
      .filter((one) => one !== undefined),
    spf: children(results, 'spf')
      .map(readSpf)
      .find((one) => one !== undefined),
  }
}

/** An empty one is the null reverse-path (rfc9990 §3.1.1.10); one that is missing was not told. */
function readEnvelopeFrom(identifiers: Node | undefined): string | undefined {
  const [first] = children(identifiers, 'envelope_from')
  if (first === undefined) return undefined
  return nodeText(first) === '' ? '' : domainOf(identifiers, 'envelope_from')
}

const OVERRIDES = ['local_policy', 'mailing_list', 'other', 'policy_test_mode', 'trusted_forwarder'] as const

/** Types of rfc7489 that rfc9990 has no more (`forwarded`, `sampled_out`) are told as a comment. */
function readReason(reason: Node): PolicyOverride {
  const type = oneOf(reason, 'type', OVERRIDES)
  const comment = textOf(reason, 'comment')
  if (type !== undefined) return comment === undefined ? { type } : { type, comment }
  const other = [textOf(reason, 'type'), comment].filter((text) => text !== undefined).join(': ')
  return other === '' ? { type: 'other' } : { type: 'other', comment: shownText(other) }
}

const DKIM_RESULTS = ['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror'] as const
const SPF_RESULTS = [
  'none',
  'pass',
  'fail',
  'softfail',
  'policy',
  'neutral',
  'temperror',
  'permerror',
] as const

function readDkim(dkim: Node): ReportedDkim | undefined {
  const domain = domainOf(dkim, 'domain')
  if (domain === undefined) return undefined
  return {
    domain,
    selector: textOf(dkim, 'selector') ?? '',
    result: oneOf(dkim, 'result', DKIM_RESULTS) ?? 'none',
  }
}

function readSpf(spf: Node): ReportedSpf | undefined {
  const domain = domainOf(spf, 'domain')
  if (domain === undefined) return undefined
  // rfc7489 §11.4 still knew this one.
  const word = lowerText(spf, 'result')
  const result = word === 'hardfail' ? 'fail' : (SPF_RESULTS.find((one) => one === word) ?? 'none')
  return { domain, result }
}

/** Elements of a name below a node; there may be one, many or none. An empty element is a node without anything. */
function children(node: Node | undefined, name: string): readonly Node[] {
  if (node === undefined || !Object.hasOwn(node, name)) return []
  const found = node[name]
  return (Array.isArray(found) ? found : [found]).map(asNode)
}

const asNode = (value: unknown): Node =>
  typeof value === 'object' && value !== null ? (value as Node) : { '#text': String(value ?? '') }

function child(node: unknown, name: string): Node | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  return children(node as Node, name)[0]
}

function nodeText(node: Node): string {
  const text = Object.hasOwn(node, '#text') ? String(node['#text']) : ''
  return shownText(decoded(text))
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** References in one pass: what one stands for is never looked at again. */
function decoded(text: string): string {
  return text.replace(
    /&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));/g,
    (_, name, decimal, hex) => {
      if (name !== undefined) return ENTITIES[String(name)] ?? ''
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal)
      return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
    },
  )
}

function textOf(node: Node | undefined, name: string): string | undefined {
  const [first] = children(node, name)
  const text = first === undefined ? '' : nodeText(first)
  return text === '' ? undefined : text
}

const lowerText = (node: Node | undefined, name: string): string | undefined =>
  textOf(node, name)?.toLowerCase()

function oneOf<const T extends string>(
  node: Node | undefined,
  name: string,
  values: readonly T[],
): T | undefined {
  const text = lowerText(node, name)
  return values.find((value) => value === text)
}

/** Some reporters write addresses where a domain belongs. */
function domainOf(node: Node | undefined, name: string): string | undefined {
  const text = textOf(node, name)
  return text === undefined ? undefined : canonicalDomain(text.slice(text.lastIndexOf('@') + 1))
}

/** Beyond it no date is. */
const LAST_SECOND = 2 ** 38

function secondsOf(node: Node | undefined, name: string): number | undefined {
  const text = textOf(node, name)
  if (text === undefined || !/^[0-9]{1,12}(?:\.[0-9]+)?$/.test(text)) return undefined
  const seconds = Math.floor(Number(text))
  return seconds < LAST_SECOND ? seconds : undefined
}

function countOf(row: Node | undefined): number | undefined {
  const text = textOf(row, 'count') ?? ''
  if (!/^[0-9]{1,9}$/.test(text)) return undefined
  return Number(text)
}
