import { asBuffer } from '../../bytes/ascii.ts'
import { decodeParts, type Part, paramOf } from '../../mime/parts.ts'
import { MessageScanner } from '../../mime/scanner.ts'
import { decodeTransfer } from '../../mime/text.ts'
import { REPORT_LIMITS } from './limits.ts'
import { type ParsedAggregate, parseAggregate } from './parse-aggregate.ts'
import { type ParsedTls, parseTlsReport } from './parse-tls.ts'
import { unpackReport } from './unpack.ts'

/** What an attachment that looks like a report turned out to be. */
export type ReadReport =
  | { readonly kind: 'dmarc'; readonly parsed: Extract<ParsedAggregate, { ok: true }> }
  | { readonly kind: 'tls'; readonly report: Extract<ParsedTls, { ok: true }>['report'] }
  | { readonly kind: 'broken'; readonly why: string }

/** rfc9990 §3.4.2: `receiver!domain!begin!end[!id].xml[.gz]`; most senders still zip it. */
const DMARC_NAME =
  /^[^!/\\]{1,253}![^!/\\]{1,253}!\d{1,12}!\d{1,12}(?:![^!/\\]{1,100})?\.(?:xml|xml\.gz|zip|gz)$/i
/** rfc8460 §5.3. */
const TLS_NAME = /^[^!/\\]{1,253}![^!/\\]{1,253}!\d{1,12}!\d{1,12}(?:![^!/\\]{1,100})?\.json(?:\.gz)?$/i
const DMARC_TYPES: ReadonlySet<string> = new Set(
  'application/gzip application/x-gzip application/zip application/x-zip-compressed application/x-zip text/xml application/xml'.split(
    ' ',
  ),
)
const TLS_TYPES: ReadonlySet<string> = new Set(['application/tlsrpt+json', 'application/tlsrpt+gzip'])

/** The words by which a report can be told from its header block alone, so that other mail is never looked at. */
const MARKS =
  /report[ \t\r\n]+domain:|tls-report-domain:|report-type=["']?tlsrpt|tlsrpt\+(?:json|gzip)|![0-9]{9,11}![0-9]{9,11}/i

/** Whether a message's header says that it may carry a report. Cheap; `readReports` looks closer. */
export function mayCarryReport(header: Uint8Array): boolean {
  return MARKS.test(asBuffer(header).toString('latin1'))
}

/**
 * The reports that a message carries. Never throws; whatever is in it costs no more than the limits allow, but that may
 * be a second of computation: it belongs in a worker.
 */
export function readReports(message: Uint8Array): readonly ReadReport[] {
  if (message.length > REPORT_LIMITS.messageBytes)
    return [{ kind: 'broken', why: `the message has ${message.length} octets` }]
  const scanner = new MessageScanner()
  scanner.push(message)
  const root = decodeParts(scanner.end(Buffer.alloc(0)).parts)
  return leaves(root)
    .filter((part) => kindOf(part) !== undefined)
    .slice(0, REPORT_LIMITS.attachments)
    .map((part) => readPart(part, message))
}

const leaves = (part: Part): readonly Part[] =>
  part.children.length > 0 ? part.children.flatMap(leaves) : [part]

function kindOf(part: Part): 'dmarc' | 'tls' | undefined {
  const type = `${part.type}/${part.subtype}`
  const name = part.filename ?? paramOf(part, 'name') ?? ''
  if (TLS_TYPES.has(type) || TLS_NAME.test(name)) return 'tls'
  return DMARC_NAME.test(name) || (DMARC_TYPES.has(type) && !type.startsWith('text/')) ? 'dmarc' : undefined
}

function readPart(part: Part, message: Uint8Array): ReadReport {
  const packed = decodeTransfer(message.subarray(part.bodyStart, part.bodyEnd), part.encoding)
  const unpacked = unpackReport(packed)
  if (!unpacked.ok) return { kind: 'broken', why: unpacked.why }
  if (kindOf(part) === 'tls') {
    const parsed = parseTlsReport(unpacked.octets)
    return parsed.ok ? { kind: 'tls', report: parsed.report } : { kind: 'broken', why: parsed.why }
  }
  const parsed = parseAggregate(unpacked.octets)
  return parsed.ok ? { kind: 'dmarc', parsed } : { kind: 'broken', why: parsed.why }
}
