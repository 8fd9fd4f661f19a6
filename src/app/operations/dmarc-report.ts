import { canonicalDomain } from '../../mail/domain.ts'
import { counted, ReportSummary, tlsLines } from '../../mailauth/reports/summary.ts'
import { summarySvg } from '../../mailauth/reports/summary-svg.ts'
import { summaryLines } from '../../mailauth/reports/summary-text.ts'
import type { ReceivedReport, ReceivedTlsReport, ReportStore } from '../../ports/reports.ts'
import { type Operation, type OperationPorts, refused, said, textArg } from './operation.ts'

const DAY_MS = 24 * 3_600_000
const DEFAULT_DAYS = 30
/** Reports are kept no longer. */
const MAX_DAYS = 400
/** TLS reports that are added up; a domain gets a few each day. */
const MAX_TLS_REPORTS = 20_000

/** `dmarc report`: who sends as us, what passes, what fails and what to do; and how TLS to us fares. */
export const dmarcReport: Operation = async (ports, args) => {
  const days = Number(textArg(args, 'days') ?? DEFAULT_DAYS)
  if (!Number.isSafeInteger(days) || days < 1 || days > MAX_DAYS)
    return refused(`--days takes a number from 1 to ${MAX_DAYS}.`)
  const named = textArg(args, 'domain')
  const domain = named === undefined ? undefined : canonicalDomain(named)
  if (named !== undefined && domain === undefined) return refused(`${named} is no domain.`)
  const query = { domain, sinceMs: ports.clock.now() - days * DAY_MS }
  const summary = new ReportSummary()
  for await (const report of receivedReports(ports.reports, query)) summary.add(report)
  const who = domain ?? 'your domains'
  if (args.svg === true)
    return said(...summarySvg(summary, `Mail as ${who}, ${days} days`).trimEnd().split('\n'))
  const tls = await tlsReports(ports.reports, query)
  const told = [...(summary.reports === 0 ? nothing(ports, who, days) : summaryLines(summary)), '']
  return said(...told, ...(tls.length === 0 ? [] : [...tlsLines(tls), '']), await sentLine(ports, days))
}

async function* receivedReports(
  reports: ReportStore,
  query: { readonly domain: string | undefined; readonly sinceMs: number },
): AsyncGenerator<ReceivedReport> {
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page: Awaited<ReturnType<ReportStore['received']>> = await reports.received({ ...query, before })
    yield* page.reports
    before = page.next
  }
}

async function tlsReports(
  reports: ReportStore,
  query: { readonly domain: string | undefined; readonly sinceMs: number },
): Promise<readonly ReceivedTlsReport[]> {
  const found: ReceivedTlsReport[] = []
  let before: number | undefined = Number.MAX_SAFE_INTEGER
  while (before !== undefined && found.length < MAX_TLS_REPORTS) {
    const page: Awaited<ReturnType<ReportStore['receivedTls']>> = await reports.receivedTls({
      ...query,
      before,
    })
    found.push(...page.reports)
    before = page.next
  }
  return found
}

function nothing(ports: OperationPorts, who: string, days: number): readonly string[] {
  const [first = 'example.com'] = ports.config().domains.names
  return [
    `No report about ${who} came in the last ${days} days.`,
    `Reports come to the address in the DMARC record: "v=DMARC1; p=none; rua=mailto:postmaster@${first}" at _dmarc.${first} asks for them.`,
    ...(ports.config().reports.read ? [] : ['The setting reports.read is off: what comes is not read.']),
  ]
}

/** What we have told others. */
async function sentLine({ clock, reports }: OperationPorts, days: number): Promise<string> {
  const sinceDay = new Date(clock.now() - days * DAY_MS).toISOString().slice(0, 10)
  const sent = (await reports.sent({ sinceDay, limit: 10_000 })).filter(({ recipients }) => recipients > 0)
  const domains = new Set(sent.map(({ policyDomain }) => policyDomain))
  return `This server sent ${counted(sent.length, 'report')} about mail of ${counted(domains.size, 'other domain')} in that time.`
}
