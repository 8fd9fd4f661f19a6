import { type Judged, judgeBody } from './bodies.ts'
import { octets, SCANNED_COLUMNS, scannedColumns } from './body.ts'
import type { CheckDatabase } from './check-database.ts'
import type { Found } from './collector.ts'

export interface Repaired {
  readonly found: Found
  /** What was done. */
  readonly says: string
}

const SET_SIZE = 'UPDATE bodies SET size = $size WHERE id = $id'
const SET_HEAD = 'UPDATE bodies SET head = $head WHERE id = $id'
const SET_TEXT = 'UPDATE texts SET bytes = $text WHERE body = $id'
const SET_SCANNED = `UPDATE bodies SET ${SCANNED_COLUMNS.map((name) => `${name} = $${name}`).join(', ')} WHERE id = $id`

/** Puts the columns of a body right whose octets are proven by their checksum. */
export function* repairBody(
  db: CheckDatabase,
  id: number,
  bodies: string,
): Generator<Repaired, Judged | undefined> {
  const judged = judgeBody(db, id, bodies)
  if (judged?.read === undefined) return judged
  for (const found of judged.found) {
    if (found.repairable !== true) continue
    if (found.kind === 'body-size') yield { found, says: setSize(db, id, judged) }
    else if (found.kind === 'body-head') yield { found, says: setHead(db, id, judged) }
    else if (found.kind === 'body-mime') yield { found, says: setScanned(db, id, judged) }
  }
  return judged
}

function setSize(db: CheckDatabase, id: number, { read }: Judged): string {
  const size = read?.sizeBytes ?? 0
  db.run(SET_SIZE, { id, size })
  return `it has ${size} octets`
}

/** The octets stay the same ones; where the header block ends and the text begins is put right. */
function setHead(db: CheckDatabase, id: number, { read, row }: Judged): string {
  const head = read?.head ?? new Uint8Array(0)
  if (typeof row?.file !== 'string') {
    const content = Buffer.concat([octets(row?.head), octets(row?.text)])
    db.run(SET_TEXT, { id, text: content.subarray(head.length) })
  }
  db.run(SET_HEAD, { id, head })
  return 'its header was copied from its content again'
}

function setScanned(db: CheckDatabase, id: number, { read }: Judged): string {
  if (read !== undefined) db.run(SET_SCANNED, { id, ...scannedColumns(read.summary) })
  return 'its structure was read from its octets again'
}
