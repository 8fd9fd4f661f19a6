import { type BodyReader, DOUBTS, type Found } from './body-reader.ts'
import { type Box, type Boxes, flagNames, LOST_AND_FOUND } from './boxes.ts'
import type { Catalog } from './catalog.ts'
import { messageFile } from './maildir.ts'
import { momentText } from './moment.ts'
import type { Output } from './output.ts'
import type { Place, Report } from './report.ts'

export interface MailParts {
  readonly catalog: Catalog
  readonly reader: BodyReader
  readonly boxes: Boxes
  readonly output: Output
  readonly report: Report
  /** Called for each message; throws to break off. */
  tell(): Promise<void>
}

const ENTRIES = `SELECT e.mailbox, e.uid, e.flags, e.message, m.account, m.body, m.size, m.arrived_ms, m.zone, m.id_hash
  FROM entries e LEFT JOIN messages m ON m.id = e.message
  WHERE e.mailbox NOT IN (SELECT mailbox FROM doomed) ORDER BY e.mailbox, e.uid`
/** A message that was expunged and still held for a session is not lost: it is deleted. */
const WITHOUT_ENTRY = `SELECT 0, NULL, 0, id, account, body, size, arrived_ms, zone, id_hash FROM messages m
  WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.message = m.id)
  AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.message = m.id) ORDER BY id`
const BODIES_OF_NOBODY = `SELECT DISTINCT id FROM bodies b WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.body = b.id)
  AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.body = b.id)
  AND NOT EXISTS (SELECT 1 FROM quarantine h WHERE h.body = b.id) ORDER BY id`
const TEXTS_OF_NOBODY = `SELECT DISTINCT body FROM texts WHERE body NOT IN (SELECT id FROM bodies) ORDER BY body`

type EntryRow = readonly [
  mailbox: number,
  uid: number | null,
  flags: number,
  message: number,
  account: number | null,
  body: number,
  size: number,
  arrivedMs: number,
  zone: number,
  idHash: number | null,
]

/** Every message of every mailbox, then those that have lost theirs. */
export async function salvageMail(parts: MailParts): Promise<void> {
  for (const row of parts.catalog.rows(ENTRIES)) await oneEntry(parts, row as unknown as EntryRow)
  for (const row of parts.catalog.rows(WITHOUT_ENTRY)) await oneEntry(parts, row as unknown as EntryRow)
}

async function oneEntry(parts: MailParts, row: EntryRow): Promise<void> {
  const { boxes, reader, report } = parts
  const [mailbox, uid, flags, message, owner, body, sizeBytes, arrivedMs, zone, idHash] = row
  await parts.tell()
  const known = boxes.box(mailbox)
  const named = known && { account: known.account.login, mailbox: known.name, uid: uid ?? undefined }
  if (owner === null) {
    report.unreadable(
      named ?? { uid: uid ?? undefined },
      'its row in messages is gone; see lost+found for its content',
    )
    return
  }
  const box = known ?? boxes.lostBox(boxes.account(owner))
  const place = { account: box.account.login, mailbox: box.name, uid: uid ?? undefined }
  let found = reader.read(body, { sizeBytes, idHash })
  if (found.kind === 'none') {
    report.unreadable(place, found.why)
    return
  }
  // One of two numbers is damaged: nobody is to be given another's mail.
  if (owner !== box.account.id) found = { ...found, doubt: found.doubt ?? DOUBTS.link }
  const key = `${uid === null ? '' : `u${uid}`}m${message}`
  await put(parts, found, { box, place, key, flags, arrivedMs, zone })
}

async function put(
  parts: MailParts,
  found: Exclude<Found, { kind: 'none' }>,
  to: {
    readonly box: Box
    readonly place: Place
    readonly key: string
    readonly flags: number
    readonly arrivedMs: number
    readonly zone: number
  },
): Promise<void> {
  const { boxes, output, report } = parts
  const { arrivedMs, box, flags, key, place, zone } = to
  const sizeBytes = found.kind === 'inline' ? found.octets.length : found.sizeBytes
  const file = messageFile({ arrivedMs, key, sizeBytes, flags })
  const path = (isSure: boolean): string => `${boxes.maildir(box, isSure)}/cur/${file}`
  const written = await output.message(found, { arrivedMs, path })
  const about = { flags: flagNames(flags, box.keywords), date: momentText(arrivedMs, zone), sizeBytes }
  report.message(place, written, { ...about, header: found.header })
}

/** Bodies, texts and files that no message names. */
export async function salvageStrays(parts: MailParts, files: Iterable<string>): Promise<void> {
  const { catalog, reader } = parts
  for (const [body] of catalog.rows(BODIES_OF_NOBODY))
    await stray(parts, `b${body as number}`, reader.read(body as number))
  for (const [body] of catalog.rows(TEXTS_OF_NOBODY))
    await stray(parts, `t${body as number}`, reader.readText(body as number))
  for (const name of files) await stray(parts, name, reader.readFile(name))
}

async function stray(parts: MailParts, key: string, found: Found): Promise<void> {
  await parts.tell()
  if (found.kind === 'none') {
    parts.report.unreadable({}, found.why)
    return
  }
  const sizeBytes = found.kind === 'inline' ? found.octets.length : found.sizeBytes
  const file = messageFile({ arrivedMs: 0, key, sizeBytes, flags: 0 })
  const path = (isSure: boolean): string =>
    `${isSure ? LOST_AND_FOUND : `doubtful/${LOST_AND_FOUND}`}/Maildir/cur/${file}`
  const written = await parts.output.message(found, { arrivedMs: 0, path })
  parts.report.message({}, written, { flags: '', date: '', sizeBytes, header: found.header })
}
