import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PageImage } from '../pages/image.ts'
import { readPayload } from '../pages/payload.ts'
import { parseRecord } from '../pages/record.ts'
import { PageSet, walkTree } from '../pages/tree.ts'
import { maildirFolder, messageFile } from './maildir.ts'

/** A message in a mailbox of an undamaged folder, as SQLite gives it, with all that it stands on. */
export interface TrueMessage {
  readonly login: string
  readonly mailbox: string
  readonly uid: number
  /** Below the output's folder. */
  readonly path: string
  readonly arrivedMs: number
  readonly digest: string
  /** Pages with a row that says something of it. */
  readonly pages: ReadonlySet<number>
  readonly file: string | undefined
}

export interface Truth {
  readonly messages: readonly TrueMessage[]
  /** Page to the frame of the log with its newest state. */
  readonly frames: ReadonlyMap<number, number>
  /** The log as it was; empty where there is none. */
  readonly log: Buffer
  readonly pages: number
  readonly files: readonly string[]
}

const MESSAGES = `SELECT a.login, x.name, e.mailbox, e.uid, e.flags, e.message, m.account, m.body, m.arrived_ms,
  b.prefix, b.head, b.file, t.bytes FROM entries e JOIN mailboxes x ON x.id = e.mailbox
  JOIN messages m ON m.id = e.message JOIN accounts a ON a.id = m.account JOIN bodies b ON b.id = m.body
  LEFT JOIN texts t ON t.body = b.id`

export function digestOf(octets: Uint8Array): string {
  return hash('sha256', octets)
}

/** Reads a folder that nobody has open, through SQLite; that the pages of rows are right is proved by its dbstat. */
export function readTruth(folder: string): Truth {
  const copy = mkdtempSync(join(tmpdir(), 'hikyaku-truth-'))
  const image = PageImage.open(join(folder, 'hikyaku.db'))
  try {
    for (const name of ['hikyaku.db', 'hikyaku.db-wal'])
      if (existsSync(join(folder, name))) cpSync(join(folder, name), join(copy, name))
    const db = new DatabaseSync(join(copy, 'hikyaku.db'))
    try {
      const rows = pagesOfRows(image, db)
      return {
        ...truthOf(db, folder, rows),
        frames: image.log.frames,
        log: logOf(folder),
        pages: image.pages,
      }
    } finally {
      db.close()
    }
  } finally {
    image.close()
    rmSync(copy, { recursive: true })
  }
}

function logOf(folder: string): Buffer {
  const path = join(folder, 'hikyaku.db-wal')
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
}

function truthOf(db: DatabaseSync, folder: string, rows: RowPages) {
  const messages: TrueMessage[] = []
  const files = new Set<string>()
  for (const row of db.prepare(MESSAGES).all() as unknown as readonly MessageRow[]) {
    const { arrived_ms: arrivedMs, body, file, flags, head, login, mailbox, message, name, prefix, uid } = row
    const content = file === null ? [head, row.bytes ?? head] : [readFileSync(join(folder, 'bodies', file))]
    const octets = Buffer.concat([prefix, ...content])
    const digest = digestOf(octets)
    if (file !== null) files.add(file)
    const keys = [
      `entries ${mailbox}/${uid}`,
      `messages ${message}`,
      `bodies ${body}`,
      `texts ${body}`,
      `mailboxes ${mailbox}`,
      `accounts ${row.account}`,
      ...(flags >= 32 ? [`keywords ${mailbox}`] : []),
    ]
    const folderName = maildirFolder(name)
    const key = `u${uid}m${message}`
    messages.push({
      ...{ login, mailbox: name, uid, arrivedMs, digest },
      path: join(
        ...['accounts', login, 'Maildir', folderName, 'cur'],
        messageFile({ arrivedMs, key, sizeBytes: octets.length, flags }),
      ),
      pages: new Set(keys.flatMap((one) => [...(rows.get(one) ?? [])])),
      file: file ?? undefined,
    })
  }
  assert(messages.length > 0)
  return { messages, files: [...files] }
}

interface MessageRow {
  readonly login: string
  readonly name: string
  readonly mailbox: number
  readonly uid: number
  readonly flags: number
  readonly message: number
  readonly account: number
  readonly body: number
  readonly arrived_ms: number
  readonly prefix: Uint8Array
  readonly head: Uint8Array
  readonly file: string | null
  readonly bytes: Uint8Array | null
}

type RowPages = ReadonlyMap<string, ReadonlySet<number>>

/** The pages of each row, by our own reader; every page of every tree must be one that SQLite says is there, and none less. */
function pagesOfRows(image: PageImage, db: DatabaseSync): RowPages {
  const rows = new Map<string, Set<number>>()
  const stated = new Map<string, number[]>()
  for (const { name, pageno } of db.prepare('SELECT name, pageno FROM dbstat ORDER BY name, pageno').all()) {
    const pages = stated.get(String(name)) ?? []
    stated.set(String(name), pages)
    pages.push(Number(pageno))
  }
  for (const row of db.prepare('SELECT name, rootpage, type, sql FROM sqlite_schema').all()) {
    const name = String(row.name)
    const isIndex = row.type === 'index' || /WITHOUT ROWID$/.test(String(row.sql))
    const seen = new PageSet(image.pages)
    const damaged = (page: number): never => assert.fail(`page ${page} of ${name} can be read`)
    let count = 0
    for (const { cell, page } of walkTree(image, Number(row.rootpage), isIndex, { seen, damaged })) {
      const payload = readPayload(image, cell)
      for (const overflow of payload.overflow) seen.add(overflow)
      const values = parseRecord(payload.bytes)
      assert(values !== undefined && !payload.isCut, `a row of ${name}`)
      const pages = new Set([page, ...payload.overflow])
      const key = keyOf(name, values, cell.rowid)
      for (const one of rows.get(key) ?? []) pages.add(one)
      rows.set(key, pages)
      count++
    }
    const read = Array.from({ length: image.pages }, (_, index) => index + 1).filter((page) => seen.has(page))
    assert.deepEqual(read, stated.get(name), `pages of ${name}`)
    if (row.type === 'table')
      assert.equal(count, Number(db.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.n), name)
  }
  return rows
}

function keyOf(table: string, values: readonly unknown[], rowid: number | undefined): string {
  if (rowid !== undefined) return `${table} ${rowid}`
  return table === 'entries' ? `${table} ${values[0]}/${values[1]}` : `${table} ${values[0]}`
}
