import { isTraceId } from '../../../mail/ids.ts'
import type { MailParts } from './mail.ts'
import { momentText } from './moment.ts'
import { jsonOf } from './queue.ts'

const HELD = 'SELECT body, trace, held_ms, until_ms, sender, size, hold, plan FROM quarantine ORDER BY body'

/** Held messages: `ID.eml` as it came, `ID.json` with why it was held and where it would go. */
export async function salvageQuarantine(parts: MailParts): Promise<void> {
  const { catalog, output, reader, report } = parts
  for (const row of catalog.rows(HELD)) {
    const [body, trace, heldMs, untilMs, sender, sizeBytes, hold, plan] = row as unknown as HeldRow
    await parts.tell()
    // A damaged id must not name a file elsewhere.
    const name = isTraceId(trace) ? trace : `b${body}`
    const found = reader.read(body, { sizeBytes })
    if (found.kind === 'none') {
      report.unreadable({ mailbox: `quarantine ${name}` }, `${found.why} (from ${sender})`)
      continue
    }
    const folder = (isSure: boolean): string => (isSure ? 'quarantine' : 'doubtful/quarantine')
    const path = (isSure: boolean): string => `${folder(isSure)}/${name}.eml`
    const written = await output.message(found, { arrivedMs: heldMs, path })
    const about = {
      ...{ id: trace, reversePath: sender, heldAt: momentText(heldMs), until: momentText(untilMs) },
      ...{ hold: jsonOf(hold), plan: jsonOf(plan) },
    }
    output.text(`${folder(written.doubt === undefined)}/${name}.json`, `${JSON.stringify(about, null, 2)}\n`)
    report.held(name, sender, written, found.header)
  }
}

type HeldRow = readonly [
  body: number,
  trace: string,
  heldMs: number,
  untilMs: number,
  sender: string,
  size: number,
  hold: string,
  plan: string,
]
