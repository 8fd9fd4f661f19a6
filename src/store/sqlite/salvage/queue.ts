import type { Row } from '../sql.ts'
import type { MailParts } from './mail.ts'
import { momentText } from './moment.ts'

const ITEMS = 'SELECT id, body, trace, sender, skip, size, arrived_ms FROM queue ORDER BY id'
const RECIPIENTS =
  'SELECT address, state, attempts, next_ms, detail FROM recipients WHERE queue = ? ORDER BY n'

/** Messages that had not gone out: `ID.eml` as it was to be sent, `ID.json` with envelope and recipients. */
export async function salvageQueue(parts: MailParts): Promise<void> {
  const { catalog, output, reader, report } = parts
  for (const row of catalog.rows(ITEMS)) {
    const [id, body, trace, sender, skipBytes, sizeBytes, arrivedMs] = row as unknown as ItemRow
    await parts.tell()
    const found = reader.read(body, { sizeBytes: sizeBytes + skipBytes })
    if (found.kind === 'none') {
      report.unreadable({ mailbox: `queue ${id}` }, `${found.why} (from ${sender})`)
      continue
    }
    const folder = (isSure: boolean): string => (isSure ? 'queue' : 'doubtful/queue')
    const path = (isSure: boolean): string => `${folder(isSure)}/${id}.eml`
    const written = await output.message(found, { skipBytes, arrivedMs, path })
    const envelope = {
      id,
      trace,
      sender: jsonOf(sender),
      arrivedAt: momentText(arrivedMs),
      recipients: [...catalog.sql.all(RECIPIENTS, id)].map(recipientOf),
    }
    output.text(`${folder(written.doubt === undefined)}/${id}.json`, `${JSON.stringify(envelope, null, 2)}\n`)
    report.queued(id, sender, written, found.header)
  }
}

type ItemRow = readonly [
  id: number,
  body: number,
  trace: string,
  sender: string,
  skip: number,
  size: number,
  arrivedMs: number,
]

function recipientOf(row: Row) {
  const [address, state, attempts, nextMs, detail] = row as readonly [string, string, number, number, string]
  return { address: jsonOf(address), state, attempts, nextAttemptAtMs: nextMs, detail: jsonOf(detail) }
}

/** As it stands, where it is no JSON any more. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
